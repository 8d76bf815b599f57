"""Personal data at rest: sealed by envelope keys that KMS wraps, so that the database alone names nobody (ADR 0121).

`Keyring` has the keys of a process at hand, `Place` is what a value is bound to, and a `SealedRecord` is a row with personal
fields. `tending` (imported by its own name, since it needs the database) seals anew in the background.
"""

from amply.infra.vault.format import Place, SealedBytesUnreadable, prefix
from amply.infra.vault.keyring import (
    ALWAYS,
    DONOR_INDEX,
    DONORS,
    OF_ORGANIZATION,
    PEOPLE,
    KeyNotAtHand,
    Keyring,
    NoKeysHere,
    Scope,
)
from amply.infra.vault.models import DataKeyRow
from amply.infra.vault.ports import KeyWrapping, KeyWrappingAway
from amply.infra.vault.records import Personal, SealedFields, SealedRecord, indexes, keyring_of, reseal

__all__ = [
    "ALWAYS",
    "DONORS",
    "DONOR_INDEX",
    "OF_ORGANIZATION",
    "PEOPLE",
    "DataKeyRow",
    "KeyNotAtHand",
    "KeyWrapping",
    "KeyWrappingAway",
    "Keyring",
    "NoKeysHere",
    "Personal",
    "Place",
    "Scope",
    "SealedBytesUnreadable",
    "SealedFields",
    "SealedRecord",
    "indexes",
    "keyring_of",
    "prefix",
    "reseal",
]
