"""The public, tamper-evident ledger. Only what this file names may be imported from outside.

Writers `post` entries in their own transactions. The sequencer puts committed entries in order and hashes them into
a Merkle tree; the publisher signs the tree and shows it. `receipt` proves one entry to anyone, for ever.
"""

from amply.modules.ledger.clearance import Clearance
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.days import fold_days
from amply.modules.ledger.domain import (
    PLATFORM,
    EntryContradicts,
    NewEntry,
    NewTransfer,
    PostedEntry,
    account,
    donation_succeeded,
    processor_fee,
    stored_key,
)
from amply.modules.ledger.erasure import EntriesAbout, OpeningsUnreadable, entries_about, entries_about_since
from amply.modules.ledger.forks import ForkRefused
from amply.modules.ledger.locks import PUBLISHER_LOCK, SEQUENCER_LOCK, Leadership, leadership
from amply.modules.ledger.pages import OrganizationHasNoLedger
from amply.modules.ledger.ports import (
    AlreadyDifferent,
    Archive,
    CheckpointMoved,
    PublicLog,
    Signer,
    StoredCheckpoint,
)
from amply.modules.ledger.public import router as public_router
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
from amply.modules.ledger.router import router
from amply.modules.ledger.sequencing import Sequencer
from amply.modules.ledger.service import erase_openings, post
from amply.modules.ledger.visibility import (
    EVERYTHING,
    LedgerNotShown,
    LedgerShownInSums,
    Visibility,
    VisibilityNotAcceptable,
    VisibilityPolicy,
    set_visibility,
    visibility_of,
)

__all__ = [
    "CHECKPOINT_PUBLISHED",
    "EVERYTHING",
    "PLATFORM",
    "PUBLISHER_LOCK",
    "SEQUENCER_LOCK",
    "AlreadyDifferent",
    "Archive",
    "CheckpointMoved",
    "Clearance",
    "CommitmentSecrets",
    "EntriesAbout",
    "EntryContradicts",
    "EntryLocation",
    "EntryNotFound",
    "ForkRefused",
    "Inclusion",
    "Leadership",
    "LedgerNotShown",
    "LedgerShownInSums",
    "NewEntry",
    "NewTransfer",
    "OpeningsUnreadable",
    "OrganizationHasNoLedger",
    "PostedEntry",
    "PublicLog",
    "PublishedCheckpoint",
    "Sequencer",
    "Signer",
    "StoredCheckpoint",
    "Visibility",
    "VisibilityNotAcceptable",
    "VisibilityPolicy",
    "account",
    "check_public_log",
    "clear_sequencer",
    "donation_succeeded",
    "entries_about",
    "entries_about_since",
    "entry_location",
    "erase_openings",
    "fold_days",
    "inclusion",
    "is_published",
    "leadership",
    "oldest_unpublished_age",
    "post",
    "processor_fee",
    "public_router",
    "publish_checkpoint",
    "receipt",
    "router",
    "sequencer_waits",
    "set_visibility",
    "stored_key",
    "visibility_of",
]
