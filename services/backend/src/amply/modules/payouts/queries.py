"""Queries of payouts, their items, and movements that wait for an explanation."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from amply.infra.keyset import Order
from amply.kernel.pagination import Page
from amply.modules import ledger
from amply.modules.access import Access
from amply.modules.payouts.domain import PayoutNotFound, PayoutNotReconciled, PayoutStatus
from amply.modules.payouts.matching import State
from amply.modules.payouts.models import MovementRow, PayoutRow, ProcessorBalanceRow

STANDS_AFTER: Final = timedelta(days=1)
"""After this time, a difference or an unmatched movement is no longer explained by delayed events."""

LISTED_MAX: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class KnownPayout:
    """The latest stored state of a payout, with the entries of its steps; minor units.

    `items_minor_units` is what its items come to, None while they are not known: equal to `minor_units` when all is well.
    """

    id: str
    owner: str
    minor_units: int
    currency: str
    status: str
    is_automatic: bool
    created_at: datetime
    arrives_on: date
    entries: tuple[tuple[ledger.Kind, str], ...]
    reconciled_at: datetime | None
    items: int | None
    items_minor_units: int | None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a payout.

    Attributes:
        name: What it is, in a word: `gift`, `fee`, `refund`, `dispute`, `other` (outside our books), or the processor's
            category.
        minor_units: Positive: into the balance.
        entry_id: The entry that books it; None where none does.
    """

    id: str
    transaction_digest: str
    name: str
    part: str
    category: str
    kind: str | None
    minor_units: int
    currency: str
    occurred_at: datetime
    state: str
    entry_id: str | None


@dataclass(frozen=True, kw_only=True)
class OpenMovement:
    """An unexplained balance movement, for operators, without the processor's id."""

    id: str
    owner: str
    payout_id: str | None
    category: str
    part: str
    reason: str | None
    minor_units: int
    currency: str
    occurred_at: datetime
    seen_at: datetime


_NAMES: Final = {"charge": "gift", "dispute_reversal": "dispute_won", "refund_failure": "refund_failed"}


def name_of(category: str, part: str, state: str) -> str:
    """An item's name in reports: a charge that is not ours is no gift."""
    if state == State.OUTSIDE:
        return "other"
    return _NAMES.get(category, category) if part == "amount" else part


def find(session: Session, *, payout_id: str) -> KnownPayout:
    """One payout.

    Raises:
        PayoutNotFound: It is not known.
    """
    found = _known(session, PayoutRow.id == payout_id)
    if found is None:
        raise PayoutNotFound(payout_id)
    return found


class PayoutSort(StrEnum):
    """How payouts are listed: by when they were made, the newest or the oldest first."""

    NEWEST = "-created_at"
    OLDEST = "created_at"


_MADE: Final = (PayoutRow.created_at, PayoutRow.id)
_ORDERS: Final[Mapping[PayoutSort, Order]] = {
    PayoutSort.NEWEST: Order(name="payouts:-created_at", columns=_MADE, descending=True),
    PayoutSort.OLDEST: Order(name="payouts:created_at", columns=_MADE),
}


@dataclass(frozen=True, kw_only=True)
class PayoutFilter:
    """Filters of the list; None matches all. `since` is inclusive, `before` exclusive (UTC)."""

    status: PayoutStatus | None = None
    currency: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As a statement has them."""
        asked: list[ColumnElement[bool]] = []
        if self.status is not None:
            asked.append(PayoutRow.status == self.status)
        if self.currency is not None:
            asked.append(PayoutRow.currency == self.currency)
        if self.since is not None:
            asked.append(PayoutRow.created_at >= self.since)
        if self.before is not None:
            asked.append(PayoutRow.created_at < self.before)
        return asked


def newest(
    session: Session, *, owner: str, until: datetime | None, cursor: str | None, limit: int
) -> Page[KnownPayout]:
    """A page of an owner's payouts made before `until`, newest first.

    Raises:
        CursorNotAcceptable: The cursor is none of this list.
    """
    wanted = [PayoutRow.owner == owner, *PayoutFilter(before=until).conditions()]
    return _page(session, wanted, sort=PayoutSort.NEWEST, cursor=cursor, limit=limit)


def own_page(
    session: Session,
    access: Access,
    *,
    wanted: PayoutFilter,
    sort: PayoutSort,
    cursor: str | None,
    limit: int,
) -> Page[KnownPayout]:
    """A page of payouts for the organisation itself, unpublished ones included.

    Raises:
        CursorNotAcceptable: The cursor is none of this list in this order.
    """
    own = [access.covers(PayoutRow.owner), *wanted.conditions()]
    return _page(session, own, sort=sort, cursor=cursor, limit=limit)


def find_own(session: Session, access: Access, *, payout_id: str) -> KnownPayout:
    """One of them.

    Raises:
        PayoutNotFound: The organisation has no such payout.
    """
    found = _known(session, (PayoutRow.id == payout_id) & access.covers(PayoutRow.owner))
    if found is None:
        raise PayoutNotFound(payout_id)
    return found


def own_bank_reference(session: Session, *, payout_id: str) -> str | None:
    """`bank_reference` for the organisation that the transaction is bound to; None for all others."""
    found: str | None = session.scalar(select(func.own_bank_reference(payout_id)))
    return found


def items_of(
    session: Session, *, payout_id: str, after: str = "", limit: int | None = None
) -> Sequence[Item]:
    """A payout's items without its own transaction, in the order of our ids.

    Raises:
        PayoutNotReconciled: It is not known.
    """
    if find(session, payout_id=payout_id).reconciled_at is None:
        raise PayoutNotReconciled(payout_id)
    columns = (
        *(MovementRow.id, MovementRow.transaction_digest, MovementRow.part, MovementRow.category),
        *(MovementRow.kind, MovementRow.minor_units, MovementRow.currency, MovementRow.occurred_at),
        *(MovementRow.state, MovementRow.entry_id),
    )
    chosen = select(*columns).where(
        MovementRow.payout_id == payout_id, MovementRow.category != "payout", MovementRow.id > after
    )
    rows = session.execute(chosen.order_by(MovementRow.id).limit(limit))
    return [
        Item(
            id=row.id,
            transaction_digest=row.transaction_digest,
            name=name_of(row.category, row.part, row.state),
            part=row.part,
            category=row.category,
            kind=row.kind,
            minor_units=row.minor_units,
            currency=row.currency,
            occurred_at=row.occurred_at,
            state=row.state,
            entry_id=row.entry_id,
        )
        for row in rows
    ]


@dataclass(frozen=True, kw_only=True)
class ItemSum:
    """Sum of a payout's items of one kind, in minor units."""

    name: str
    items: int
    minor_units: int


def item_sums(session: Session, *, payout_id: str) -> Sequence[ItemSum]:
    """Sums of a payout's items by kind."""
    rows = session.execute(
        select(
            *(MovementRow.category, MovementRow.part, MovementRow.state),
            func.count().label("items"),
            func.sum(MovementRow.minor_units).label("minor_units"),
        )
        .where(MovementRow.payout_id == payout_id, MovementRow.category != "payout")
        .group_by(MovementRow.category, MovementRow.part, MovementRow.state)
    )
    sums: dict[str, ItemSum] = {}
    for row in rows:
        name = name_of(row.category, row.part, row.state)
        before = sums.get(name, ItemSum(name=name, items=0, minor_units=0))
        sums[name] = ItemSum(
            name=name, items=before.items + row.items, minor_units=before.minor_units + int(row.minor_units)
        )
    return [sums[name] for name in sorted(sums)]


@dataclass(frozen=True, kw_only=True)
class Exchanged:
    """An item of a payout that was exchanged. `exchanges`: what the ledger keeps of the key of the entry whose money it was."""

    id: str
    payout_id: str
    category: str
    minor_units: int
    exchanges: str


def exchanged_in(session: Session, *, payout_ids: Collection[str]) -> Sequence[Exchanged]:
    """Exchanged items of these payouts."""
    rows = session.execute(
        select(
            *(MovementRow.id, MovementRow.payout_id, MovementRow.category),
            *(MovementRow.minor_units, MovementRow.exchanges),
        ).where(
            MovementRow.payout_id.in_(payout_ids),
            MovementRow.exchanges.is_not(None),
            MovementRow.state == State.MATCHED,
        )
    )
    return [Exchanged(**row._mapping) for row in rows]  # noqa: SLF001 -- SQLAlchemy's public way to a row's names


def with_journals(session: Session, *, payout: KnownPayout) -> Mapping[str, str]:
    """Payouts of the same owner and currency with a journal, including this one, with their first entries."""
    rows = session.execute(
        select(PayoutRow.id, PayoutRow.created_entry_id).where(
            PayoutRow.owner == payout.owner,
            PayoutRow.currency == payout.currency,
            or_(PayoutRow.is_automatic, PayoutRow.id == payout.id),
            PayoutRow.created_entry_id.is_not(None),
        )
    )
    return {row.id: str(row.created_entry_id) for row in rows}


def bank_reference(session: Session, *, payout_id: str) -> str | None:
    """A payout's trace id at the bank, if known."""
    return session.scalar(select(PayoutRow.bank_reference).where(PayoutRow.id == payout_id))


def unmatched(session: Session, *, owner: str | None, limit: int) -> Iterator[OpenMovement]:
    """Unmatched movements, oldest first."""
    chosen = select(MovementRow).where(MovementRow.state == State.OPEN)
    if owner is not None:
        chosen = chosen.where(MovementRow.owner == owner)
    rows = session.scalars(
        chosen.order_by(MovementRow.occurred_at, MovementRow.id).limit(min(limit, LISTED_MAX))
    )
    for row in rows:
        yield OpenMovement(
            id=row.id,
            owner=row.owner,
            payout_id=row.payout_id,
            category=row.category,
            part=row.part,
            reason=row.reason,
            minor_units=row.minor_units,
            currency=row.currency,
            occurred_at=row.occurred_at,
            seen_at=row.seen_at,
        )


def count_unmatched(session: Session, *, now: datetime) -> int:
    """Count movements unmatched for more than a day."""
    waiting = select(func.count()).where(
        MovementRow.state == State.OPEN, MovementRow.seen_at <= now - STANDS_AFTER
    )
    return session.scalars(waiting).one()


def count_differences(session: Session, *, now: datetime) -> int:
    """Count balances that differ from the processor's for more than a day, and payouts that differ from their items."""
    balances = select(func.count()).where(ProcessorBalanceRow.differs_since <= now - STANDS_AFTER)
    unequal = select(func.count()).where(PayoutRow.items_minor_units != PayoutRow.minor_units)
    return session.scalars(balances).one() + session.scalars(unequal).one()


_KNOWN: Final = (
    *(PayoutRow.id, PayoutRow.owner, PayoutRow.minor_units, PayoutRow.currency, PayoutRow.status),
    *(PayoutRow.is_automatic, PayoutRow.created_at, PayoutRow.arrives_on),
    *(PayoutRow.created_entry_id, PayoutRow.paid_entry_id),
    *(PayoutRow.returned_entry_id, PayoutRow.failed_entry_id),
    *(PayoutRow.reconciled_at, PayoutRow.items, PayoutRow.items_minor_units),
)
"""Named columns, since the API's role may not read the bank's reference."""


def _page(
    session: Session,
    wanted: Sequence[ColumnElement[bool]],
    *,
    sort: PayoutSort,
    cursor: str | None,
    limit: int,
) -> Page[KnownPayout]:
    order = _ORDERS[sort]
    rows = session.execute(order.page(select(*_KNOWN).where(*wanted), cursor=cursor, limit=limit)).all()
    return Page(
        items=[_known_payout(row) for row in rows[:limit]], next_cursor=order.next_cursor(rows, limit=limit)
    )


def _known(session: Session, wanted: ColumnElement[bool]) -> KnownPayout | None:
    row = session.execute(select(*_KNOWN).where(wanted)).one_or_none()
    return None if row is None else _known_payout(row)


def _known_payout(row: Any) -> KnownPayout:
    steps = (
        (ledger.Kind.PAYOUT_CREATED, row.created_entry_id),
        (ledger.Kind.PAYOUT_PAID, row.paid_entry_id),
        (ledger.Kind.PAYOUT_RETURNED, row.returned_entry_id),
        (ledger.Kind.PAYOUT_FAILED, row.failed_entry_id),
    )
    return KnownPayout(
        id=row.id,
        owner=row.owner,
        minor_units=row.minor_units,
        currency=row.currency,
        status=row.status,
        is_automatic=row.is_automatic,
        created_at=row.created_at,
        arrives_on=row.arrives_on,
        entries=tuple((kind, entry_id) for kind, entry_id in steps if entry_id is not None),
        reconciled_at=row.reconciled_at,
        items=row.items,
        items_minor_units=row.items_minor_units,
    )
