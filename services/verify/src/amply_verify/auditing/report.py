"""What an audit found."""

import dataclasses

from amply_verify.auditing.cross_checks import TrialBalance
from amply_verify.auditing.organization import PieceOfOrganization
from amply_verify.auditing.reversals import Breaches
from ledger_format.checkpoints import SignedCheckpoint


@dataclasses.dataclass(frozen=True, slots=True)
class Books:
    """What the replay of the entries came to; amounts in minor units.

    Attributes:
        organizations: How many have entries.
        links: Entries that reverse, supersede or match another.
        resolutions: Pending transfers that were posted or voided.
        unknown: References to entries that were not read, or are nowhere.
        unknown_told: The first of them, in words.
        open_chains: Organisations whose first entry read has one before it.
        breaches: Where more was taken back than was given.
        trials: By currency: the trial balance.
        reserved: By currency: what is pending and not resolved.
        accounts: Debits and credits by account and currency, of the owner that was asked for.
        last_minute: The time of the last entry.
    """

    organizations: int
    links: int
    resolutions: int
    unknown: int
    unknown_told: tuple[str, ...]
    open_chains: int
    breaches: Breaches
    trials: dict[str, TrialBalance]
    reserved: dict[str, int]
    accounts: dict[tuple[str, str], tuple[int, int]]
    last_minute: str


@dataclasses.dataclass(frozen=True, slots=True)
class AuditReport:
    """A log that was checked from `first_index` on; `books` when it was replayed, `chain` when one was followed."""

    signed: SignedCheckpoint
    note: str
    first_index: int
    entries: int
    bytes_read: int
    jobs: int
    books: Books | None = None
    chain: PieceOfOrganization | None = None
