"""API schemas of public payouts. Amounts are strings of minor units."""

from pydantic import BaseModel, Field

from amply.modules.payouts.queries import Item, KnownPayout


class StepOut(BaseModel):
    """A step of the payout in the log. What proves it is the log, not this answer."""

    kind: str
    entry_id: str
    index: int | None = Field(
        description="Position in the log, from 0; null: no published checkpoint covers it yet"
    )


class PayoutOut(BaseModel):
    """Money on its way from the organisation's balance at the processor to its bank."""

    id: str = Field(description="The processor's id; the organisation's own dashboard shows it too")
    reference: str = Field(description="`ref` of its entries in the log")
    amount: str = Field(description="Minor units; below zero: taken from the bank")
    currency: str
    status: str = Field(description="`pending`, `in_transit`, `paid`, `failed` or `canceled`")
    arrives_on: str = Field(description="The day on which the bank should have it")
    steps: list[StepOut]
    reconciled: bool = Field(description="Whether what it consists of is known")

    @classmethod
    def of(cls, payout: KnownPayout, places: dict[str, int]) -> "PayoutOut":
        """The public view of a payout."""
        return cls(
            id=payout.id,
            reference=f"stripe:payout:{payout.id}",
            amount=str(payout.minor_units),
            currency=payout.currency,
            status=payout.status,
            arrives_on=payout.arrives_on.isoformat(),
            steps=[
                StepOut(kind=kind, entry_id=entry_id, index=places.get(entry_id))
                for kind, entry_id in payout.entries
            ],
            reconciled=payout.reconciled_at is not None,
        )


class PayoutPage(BaseModel):
    """A page of payouts, newest first; pass `next_cursor` as `cursor` for older ones."""

    organization_id: str
    published_size: int = Field(description="Entries covered by the newest published checkpoint")
    log_url: str = Field(description="Where checkpoint, tiles and bundles are (C2SP tlog-tiles)")
    data: list[PayoutOut]
    has_more: bool
    next_cursor: str | None


class ItemSumOut(BaseModel):
    """What items of one kind come to."""

    item: str = Field(description="`gift`, `fee`, `refund`, `dispute`, `other` (outside our books), …")
    items: int
    amount: str = Field(description="Minor units; positive: into the balance")


class ItemOut(BaseModel):
    """One item, and the entry that books it: what that entry moves on `processor_balance` is the item's amount."""

    item: str
    amount: str = Field(description="Minor units; positive: into the balance")
    state: str = Field(
        description="`matched`: the entry books it. `open`: its entry is missing. `outside`: money that is not of our books. "
        "`explained`: in no books for a reason"
    )
    entry_id: str | None
    index: int | None = Field(
        description="Position in the log, from 0; null: no published checkpoint covers it yet"
    )

    @classmethod
    def of(cls, item: Item, places: dict[str, int]) -> "ItemOut":
        """The public view of an item."""
        return cls(
            item=item.name,
            amount=str(item.minor_units),
            state=item.state,
            entry_id=item.entry_id,
            index=None if item.entry_id is None else places.get(item.entry_id),
        )


class PayoutStatement(BaseModel):
    """What a payout consists of. It can be checked against the log, and with the organisation's bank: docs/books.md says how."""

    organization_id: str
    payout: PayoutOut
    sums: list[ItemSumOut] = Field(
        description="Over all items, not only this page's; together they are `total`"
    )
    total: str = Field(description="What the items come to: the payout's amount, or something is wrong")
    published_size: int = Field(description="Entries covered by the newest published checkpoint")
    log_url: str = Field(description="Where checkpoint, tiles and bundles are (C2SP tlog-tiles)")
    data: list[ItemOut]
    has_more: bool
    next_cursor: str | None
