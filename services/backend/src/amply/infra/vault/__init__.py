"""Encryption of personal data at rest, by envelope keys that KMS wraps: the database alone identifies nobody (ADR 0121).

`Keyring` has the keys of a process at hand, `CellLocation` is what a value is bound to, and a `SealedRecord` is a row with personal
fields. `reencryption` and `shredding` (imported by their own names, since they need the database) seal anew in the background, and
cut out what an erased donor's values were sealed under.
"""

from amply.infra.vault.format import CellLocation, Head, LeafCut, SealedBytesUnreadable, head_of, prefix
from amply.infra.vault.keyring import Keyring
from amply.infra.vault.models import ClosedLeafRow, DataKeyRow
from amply.infra.vault.ports import (
    KeyTreeAway,
    KeyTreeMoved,
    KeyWrapping,
    KeyWrappingAway,
    StoredTree,
    TreeStore,
)
from amply.infra.vault.records import Personal, SealedFields, SealedRecord, indexes, keyring_of
from amply.infra.vault.resealing import reseal
from amply.infra.vault.scopes import (
    ALWAYS,
    DONOR_INDEX,
    DONORS,
    OF_ORGANIZATION,
    PEOPLE,
    KeyNotAtHand,
    NoKeysHere,
    Scope,
)
from amply.infra.vault.stored_trees import KeyTrees

__all__ = [
    "ALWAYS",
    "DONORS",
    "DONOR_INDEX",
    "OF_ORGANIZATION",
    "PEOPLE",
    "CellLocation",
    "ClosedLeafRow",
    "DataKeyRow",
    "Head",
    "KeyNotAtHand",
    "KeyTreeAway",
    "KeyTreeMoved",
    "KeyTrees",
    "KeyWrapping",
    "KeyWrappingAway",
    "Keyring",
    "LeafCut",
    "NoKeysHere",
    "Personal",
    "Scope",
    "SealedBytesUnreadable",
    "SealedFields",
    "SealedRecord",
    "StoredTree",
    "TreeStore",
    "head_of",
    "indexes",
    "keyring_of",
    "prefix",
    "reseal",
]
