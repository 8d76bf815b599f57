"""The public, tamper-evident ledger. Import from here only.

Writers `post` entries in their own transactions. The sequencer puts committed entries in order and hashes them into
a Merkle tree; the publisher signs the tree and shows it. `receipt` proves one entry to anyone, for ever.
"""

from typing import TYPE_CHECKING

from amply.modules.ledger import postings
from amply.modules.ledger.balances import (
    Balance,
    Sums,
    balance_after,
    balances_of,
    misfolded,
    size_at,
    standing_balance,
    trial_balance,
)
from amply.modules.ledger.booking_gate import takes_entries
from amply.modules.ledger.breaches import (
    AccountClosed,
    AccountUnsettled,
    BalanceInsufficient,
    BookingsPaused,
    EntrySuperseded,
    PendingResolved,
    ReversalExceedsOriginal,
)
from amply.modules.ledger.chart import PLATFORM, account, gifts
from amply.modules.ledger.clearance import Clearance
from amply.modules.ledger.commitments import CommitmentSecrets
from amply.modules.ledger.days import Received, fold_days, received_since
from amply.modules.ledger.domain import EntryContradicts, NewEntry, NewTransfer, PostedEntry, stored_key
from amply.modules.ledger.entry_lookup import (
    AccountMovement,
    entries_on,
    find_payout_step,
    log_indexes,
    moved_by,
    published_log_indexes,
    sides_of,
)
from amply.modules.ledger.erasure import OpeningsUnreadable, UnassignedOpenings, entries_about, search
from amply.modules.ledger.exports import LINE_COLUMNS, lines_in_batches
from amply.modules.ledger.forks import ForkRefused, FormerKey
from amply.modules.ledger.locks import PUBLISHER_LOCK, SEQUENCER_LOCK, Leadership, leadership
from amply.modules.ledger.openings import (
    OfGift,
    OpeningRow,
    is_under_leaves,
    names_of_gifts,
    openings_before,
    openings_under,
    seal_anew,
)
from amply.modules.ledger.pages import OrganizationHasNoLedger
from amply.modules.ledger.partial_tiles import let_go_of_partials
from amply.modules.ledger.ports import (
    AlreadyDifferent,
    Archive,
    CheckpointMoved,
    PublicLog,
    Signer,
    StoredCheckpoint,
    Witness,
    WitnessAnswer,
    WitnessAway,
)
from amply.modules.ledger.postings import Kind, donation_succeeded, processor_fee
from amply.modules.ledger.publishing import (
    TOPIC_CHECKPOINT_PUBLISHED,
    PublishedCheckpoint,
    check_public_log,
    clear_sequencer,
    clearance_is_due,
    publish_checkpoint,
)
from amply.modules.ledger.queries import (
    EntryLocation,
    EntryNotFound,
    Inclusion,
    entry_location,
    inclusion,
    is_published,
    oldest_unpublished_age,
    published_size,
    published_sizes,
    receipt,
)
from amply.modules.ledger.reconciling import Reconciled, reconcile_on, reconciliation_age
from amply.modules.ledger.restoring import CannotRestore, Restored, restore_log
from amply.modules.ledger.schemas import VisibilityOut
from amply.modules.ledger.sequencing import BATCH_MAX as SEQUENCER_BATCH_MAX
from amply.modules.ledger.sequencing import Sequencer
from amply.modules.ledger.service import close_account, erase_openings, post, reopen_account
from amply.modules.ledger.signing import FormerKeys
from amply.modules.ledger.statements import Line, Statement, statement
from amply.modules.ledger.tree import tree_size as sequenced_size
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
from amply.modules.ledger.witnessing import QuorumMissing, Witnesses, WitnessesSilent

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "EVERYTHING",
    "LINE_COLUMNS",
    "PLATFORM",
    "PUBLISHER_LOCK",
    "SEQUENCER_BATCH_MAX",
    "SEQUENCER_LOCK",
    "TOPIC_CHECKPOINT_PUBLISHED",
    "AccountClosed",
    "AccountMovement",
    "AccountUnsettled",
    "AlreadyDifferent",
    "Archive",
    "Balance",
    "BalanceInsufficient",
    "BookingsPaused",
    "CannotRestore",
    "CheckpointMoved",
    "Clearance",
    "CommitmentSecrets",
    "EntryContradicts",
    "EntryLocation",
    "EntryNotFound",
    "EntrySuperseded",
    "ForkRefused",
    "FormerKey",
    "FormerKeys",
    "Inclusion",
    "Kind",
    "Leadership",
    "LedgerNotShown",
    "LedgerShownInSums",
    "Line",
    "NewEntry",
    "NewTransfer",
    "OfGift",
    "OpeningRow",
    "OpeningsUnreadable",
    "OrganizationHasNoLedger",
    "PendingResolved",
    "PostedEntry",
    "PublicLog",
    "PublishedCheckpoint",
    "QuorumMissing",
    "Received",
    "Reconciled",
    "Restored",
    "ReversalExceedsOriginal",
    "Sequencer",
    "Signer",
    "Statement",
    "StoredCheckpoint",
    "Sums",
    "UnassignedOpenings",
    "Visibility",
    "VisibilityNotAcceptable",
    "VisibilityOut",
    "VisibilityPolicy",
    "Witness",
    "WitnessAnswer",
    "WitnessAway",
    "Witnesses",
    "WitnessesSilent",
    "account",
    "balance_after",
    "balances_of",
    "check_public_log",
    "clear_sequencer",
    "clearance_is_due",
    "close_account",
    "donation_succeeded",
    "entries_about",
    "entries_on",
    "entry_location",
    "erase_openings",
    "find_payout_step",
    "fold_days",
    "gifts",
    "inclusion",
    "is_published",
    "is_under_leaves",
    "leadership",
    "let_go_of_partials",
    "lines_in_batches",
    "log_indexes",
    "misfolded",
    "moved_by",
    "names_of_gifts",
    "oldest_unpublished_age",
    "openings_before",
    "openings_under",
    "post",
    "postings",
    "processor_fee",
    "publish_checkpoint",
    "published_log_indexes",
    "published_size",
    "published_sizes",
    "receipt",
    "received_since",
    "reconcile_on",
    "reconciliation_age",
    "reopen_account",
    "restore_log",
    "routers",
    "seal_anew",
    "search",
    "sequenced_size",
    "set_visibility",
    "sides_of",
    "size_at",
    "standing_balance",
    "statement",
    "stored_key",
    "takes_entries",
    "trial_balance",
    "visibility_of",
]


def routers() -> "tuple[APIRouter, APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.ledger import public, router  # noqa: PLC0415 -- see above

    return router.router, public.router
