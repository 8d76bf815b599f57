"""API schemas of the ledger. Amounts are strings of minor units."""

from pydantic import BaseModel, Field

from amply.modules.ledger.days import Sum
from amply.modules.ledger.pages import Location, LoggedEntry
from amply.modules.ledger.visibility import VisibilityPolicy


class VisibilityOut(BaseModel):
    """What this organisation's pages show. The log itself shows every entry of everybody."""

    policy: str = Field(description="`full`, `aggregated`, `delayed` or `internal`")
    delay_days: int | None = Field(description="With `delayed`: nothing younger is shown")
    minimum: int | None = Field(description="With `aggregated`: sums over fewer entries are not shown")

    @classmethod
    def of(cls, policy: VisibilityPolicy) -> "VisibilityOut":
        """The public view of a policy."""
        return cls(policy=policy.visibility, delay_days=policy.delay_days, minimum=policy.minimum)


class TransferOut(BaseModel):
    """An amount moves from the credited to the debited account."""

    debit: str
    credit: str
    currency: str
    amount: str = Field(description="Minor units")
    phase: str | None = Field(description="`pending`, `post` or `void`; null: posted at once")
    pending: str | None = Field(
        description="The pending transfer that `post` or `void` resolves: `entry#line`"
    )


class LedgerEntryOut(BaseModel):
    """One entry and its place. What proves it is the log, not this answer."""

    id: str
    index: int = Field(description="Position in the log, from 0")
    sequence: int = Field(description="Position among the organisation's own entries, from 0")
    kind: str
    occurred_at: str = Field(description="UTC, to the minute")
    transfers: list[TransferOut]
    reference: str | None
    reverses: str | None
    supersedes: str | None
    matches: str | None
    reason: str | None
    leaf_hash: str = Field(description="SHA-256 leaf hash (RFC 6962), hexadecimal")
    published: bool = Field(
        default=True, description="Always true: what no published checkpoint covers is not shown"
    )
    checkpoint_size: int = Field(description="The smallest published checkpoint that covers it")

    @classmethod
    def of(cls, entry: LoggedEntry) -> "LedgerEntryOut":
        """The public view of an entry."""
        leaf = entry.leaf
        return cls(
            id=leaf["id"],
            index=entry.index,
            sequence=entry.sequence,
            kind=leaf["kind"],
            occurred_at=leaf["ts"],
            transfers=[
                TransferOut(
                    debit=transfer["d"],
                    credit=transfer["c"],
                    currency=transfer["cur"],
                    amount=transfer["amt"],
                    phase=transfer.get("phase"),
                    pending=transfer.get("pending"),
                )
                for transfer in leaf["transfers"]
            ],
            reference=leaf.get("ref"),
            reverses=leaf.get("reverses"),
            supersedes=leaf.get("supersedes"),
            matches=leaf.get("matches"),
            reason=leaf.get("reason"),
            leaf_hash=entry.leaf_hash.hex(),
            checkpoint_size=entry.checkpoint_size,
        )


class LedgerPage(BaseModel):
    """A page of entries, newest first; pass `next_cursor` as `cursor` for older ones.

    A filtered page looks at a bounded number of entries: it may be short, or empty, and still have a next one.
    """

    organization_id: str
    visibility: VisibilityOut
    published_size: int = Field(description="Entries covered by the newest published checkpoint")
    log_url: str = Field(description="Where checkpoint, tiles and bundles are (C2SP tlog-tiles)")
    data: list[LedgerEntryOut]
    has_more: bool
    next_cursor: str | None


class DaySumOut(BaseModel):
    """What one kind of entry moved on one day (UTC) in one currency."""

    day: str
    kind: str
    currency: str
    entries: int
    amount: str = Field(description="Sum of the posted transfers, minor units")

    @classmethod
    def of(cls, found: Sum) -> "DaySumOut":
        """The public view of a day's sum."""
        return cls(
            day=found.day.isoformat() if found.day else "",
            kind=found.kind,
            currency=found.currency,
            entries=found.entries,
            amount=str(found.amount_minor),
        )


class LedgerDays(BaseModel):
    """Sums by day and kind, newest first, over the published tree of `summed_size` entries."""

    organization_id: str
    visibility: VisibilityOut
    summed_size: int
    data: list[DaySumOut]


class TotalOut(BaseModel):
    """What one kind of entry moved in one currency, over all days that are shown."""

    kind: str
    currency: str
    entries: int
    amount: str = Field(description="Sum of the posted transfers, minor units")

    @classmethod
    def of(cls, found: Sum) -> "TotalOut":
        """The public view of a total."""
        return cls(
            kind=found.kind, currency=found.currency, entries=found.entries, amount=str(found.amount_minor)
        )


class LedgerTotals(BaseModel):
    """Totals by kind, over the published tree of `summed_size` entries. What is not shown by day is not in them."""

    organization_id: str
    visibility: VisibilityOut
    summed_size: int
    data: list[TotalOut]


class LocationOut(BaseModel):
    """Where an entry is. This answer proves nothing: check the receipt, or read the log."""

    entry_id: str
    organization_id: str
    index: int = Field(description="Position in the log, from 0")
    leaf_hash: str = Field(description="SHA-256 leaf hash (RFC 6962), hexadecimal")
    published: bool = Field(
        default=True, description="Always true: what no published checkpoint covers is not found"
    )
    checkpoint_size: int = Field(description="The smallest published checkpoint that covers it")
    log_url: str = Field(description="Where checkpoint, tiles and bundles are (C2SP tlog-tiles)")

    @classmethod
    def of(cls, found: Location, *, log_url: str) -> "LocationOut":
        """The public view of a place."""
        return cls(
            entry_id=found.entry_id,
            organization_id=found.organization_id,
            index=found.index,
            leaf_hash=found.leaf_hash.hex(),
            checkpoint_size=found.checkpoint_size,
            log_url=log_url,
        )
