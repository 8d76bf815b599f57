"""The public, tamper-evident ledger. Only what this file names may be imported from outside.

Writers `post` entries in their own transactions. The sequencer puts committed entries in order and hashes them into
a Merkle tree; the publisher signs the tree and shows it. `receipt` proves one entry to anyone, for ever.
"""

from amply.modules.ledger.clearance import Clearance
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.domain import (
    PLATFORM,
    EntryContradicts,
    NewEntry,
    NewTransfer,
    PostedEntry,
    account,
    donation_succeeded,
    processor_fee,
)
from amply.modules.ledger.forks import ForkRefused
from amply.modules.ledger.locks import PUBLISHER_LOCK, SEQUENCER_LOCK, Leadership, leadership
from amply.modules.ledger.ports import (
    AlreadyDifferent,
    Archive,
    CheckpointMoved,
    PublicLog,
    Signer,
    StoredCheckpoint,
)
from amply.modules.ledger.publishing import (
    CHECKPOINT_PUBLISHED,
    PublishedCheckpoint,
    check_public_log,
    clear_sequencer,
    publish_checkpoint,
    sequencer_waits,
)
from amply.modules.ledger.queries import (
    EntryLocation,
    EntryNotFound,
    Inclusion,
    entry_location,
    inclusion,
    is_published,
    oldest_unpublished_age,
    receipt,
)
from amply.modules.ledger.restoring import CannotRestore, ReadFile, Restored, restore_log
from amply.modules.ledger.router import router
from amply.modules.ledger.sequencing import BATCH_MAX as SEQUENCER_BATCH_MAX
from amply.modules.ledger.sequencing import Sequencer
from amply.modules.ledger.service import erase_openings, post

__all__ = [
    "CHECKPOINT_PUBLISHED",
    "PLATFORM",
    "PUBLISHER_LOCK",
    "SEQUENCER_BATCH_MAX",
    "SEQUENCER_LOCK",
    "AlreadyDifferent",
    "Archive",
    "CannotRestore",
    "CheckpointMoved",
    "Clearance",
    "CommitmentSecrets",
    "EntryContradicts",
    "EntryLocation",
    "EntryNotFound",
    "ForkRefused",
    "Inclusion",
    "Leadership",
    "NewEntry",
    "NewTransfer",
    "PostedEntry",
    "PublicLog",
    "PublishedCheckpoint",
    "ReadFile",
    "Restored",
    "Sequencer",
    "Signer",
    "StoredCheckpoint",
    "account",
    "check_public_log",
    "clear_sequencer",
    "donation_succeeded",
    "entry_location",
    "erase_openings",
    "inclusion",
    "is_published",
    "leadership",
    "oldest_unpublished_age",
    "post",
    "processor_fee",
    "publish_checkpoint",
    "receipt",
    "restore_log",
    "router",
    "sequencer_waits",
]
