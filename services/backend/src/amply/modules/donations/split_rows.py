"""Rows of split gifts, and queries of those that are due."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, case, delete, exists, insert, or_, select
from sqlalchemy.orm import Session, aliased

from amply.infra import idempotency
from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel.money import Money
from amply.modules import defence, payments
from amply.modules.donations.domain import DonationStatus
from amply.modules.donations.models import DonationRow, SplitGiftRow, SplitPartRow
from amply.modules.donations.split_domain import (
    KEPT,
    PaymentMethodMissing,
    SetupsUsedUp,
    SplitGift,
    SplitGiftClosed,
    SplitGiftNotFound,
    SplitPart,
)

_BATCH_MAX: Final = 50
_HAS_PARTS: Final = exists().where(SplitPartRow.split_id == SplitGiftRow.id)


@dataclass(frozen=True, kw_only=True)
class GiftWithMethod:
    """A split gift whose payment method is stored at the processor."""

    id: str
    payer_id: str
    setup_id: str
    setups: int


def add(session: Session, *, split_id: str, donation_ids: Sequence[str], now: datetime) -> None:
    """Record which donations form one split gift."""
    session.execute(insert(SplitGiftRow).values(id=split_id, created_at=now, updated_at=now))
    session.execute(
        insert(SplitPartRow),
        [
            {"split_id": split_id, "position": position, "donation_id": donation_id}
            for position, donation_id in enumerate(donation_ids)
        ],
    )


def split_of(session: Session, *, donation_id: str) -> str | None:
    """The split gift that a donation is part of."""
    return session.scalar(select(SplitPartRow.split_id).where(SplitPartRow.donation_id == donation_id))


def get(session: Session, *, split_id: str) -> SplitGift:
    """One split gift with its parts.

    Raises:
        SplitGiftNotFound: There is none with this id.
    """
    row = session.get(SplitGiftRow, split_id)
    donations = session.scalars(
        select(DonationRow)
        .join(SplitPartRow, SplitPartRow.donation_id == DonationRow.id)
        .where(SplitPartRow.split_id == split_id)
        .order_by(SplitPartRow.position)
        .execution_options(populate_existing=True)
    ).all()
    if row is None or not donations:
        raise SplitGiftNotFound("No gift to several organisations has this id; check it and try again.")
    accounts = payments.for_donations(session, donation_ids=[each.id for each in donations])
    return SplitGift(
        id=row.id,
        parts=tuple(_part(each, accounts[each.id].account_id) for each in donations),
        created_at=row.created_at,
    )


def has_arrived(*, now: datetime) -> ColumnElement[bool]:
    """Condition: the donation's gift has succeeded; of a split gift at least one part, and none is open.

    A part that waits for its event may, for as long as its payment method is kept; one that was declined may be tried
    again until then.
    """
    own, part, other = aliased(SplitPartRow), aliased(SplitPartRow), aliased(DonationRow)
    is_kept = SplitGiftRow.created_at > now - KEPT
    may_follow = or_(
        other.status == DonationStatus.PROCESSING,
        and_(other.status == DonationStatus.PENDING, is_kept),
        and_(other.status == DonationStatus.FAILED, is_kept, SplitGiftRow.released_at.is_(None)),
    )
    whole = (
        select(other.id)
        .join(part, part.donation_id == other.id)
        .join(own, own.split_id == part.split_id)
        .join(SplitGiftRow, SplitGiftRow.id == own.split_id)
        .where(own.donation_id == DonationRow.id)
        .correlate(DonationRow)
    )
    return case(
        (
            whole.exists(),
            and_(
                whole.where(other.status == DonationStatus.SUCCEEDED).exists(),
                ~whole.where(may_follow).exists(),
            ),
        ),
        else_=DonationRow.status == DonationStatus.SUCCEEDED,
    )


def whole_of(session: Session, gift: DonationRow) -> Sequence[DonationRow]:
    """All parts of a donation's split gift in order, or the donation alone."""
    own, part = aliased(SplitPartRow), aliased(SplitPartRow)
    found = session.scalars(
        select(DonationRow)
        .join(part, part.donation_id == DonationRow.id)
        .join(own, own.split_id == part.split_id)
        .where(own.donation_id == gift.id)
        .order_by(part.position)
    ).all()
    return found or [gift]


def payments_of(session: Session, *, split_id: str) -> list[payments.Payment]:
    """Payments of its parts, in order."""
    donation_ids = session.scalars(
        select(SplitPartRow.donation_id)
        .where(SplitPartRow.split_id == split_id)
        .order_by(SplitPartRow.position)
    ).all()
    found = payments.for_donations(session, donation_ids=donation_ids)
    return [found[donation_id] for donation_id in donation_ids]


def keep_payer(session: Session, *, split_id: str, payer_id: str, setup_id: str, now: datetime) -> None:
    """Store where the payment method is entered, unless an identical request did."""
    row = session.get_one(SplitGiftRow, split_id, with_for_update=True)
    if row.setup_id is None:
        row.customer_id, row.setup_id, row.setups, row.updated_at = payer_id, setup_id, 1, now


def begin_paying(session: Session, *, split_id: str, until: datetime) -> GiftWithMethod:
    """Record that charging begins: if it does not reach `end_paying`, it is retried at `until`.

    Raises:
        SplitGiftNotFound, SplitGiftClosed: There is nothing to pay with.
    """
    row = _open(session, split_id)
    row.attempts, row.next_attempt_at = 0, until
    return _held(row)


def end_paying(session: Session, *, split_id: str, now: datetime) -> None:
    """Record that charging has ended for every part."""
    row = session.get(SplitGiftRow, split_id, with_for_update=True)
    if row is not None:
        row.next_attempt_at, row.updated_at = None, now


def setup_of(session: Session, *, split_id: str, number: int) -> defence.SetupOf:
    """A split gift's SetupIntent in the defence's terms."""
    rows = session.scalars(
        select(DonationRow)
        .join(SplitPartRow, SplitPartRow.donation_id == DonationRow.id)
        .where(SplitPartRow.split_id == split_id)
        .order_by(SplitPartRow.position)
    ).all()
    if not rows:
        raise SplitGiftNotFound("No gift to several organisations has this id; check it and try again.")
    gifts = tuple(
        defence.Part(
            organization_id=row.organization_id,
            amount=Money(minor_units=row.minor_units - row.fee_cover_minor_units, currency=row.currency),
        )
        for row in rows
    )
    return defence.SetupOf(owner_id=split_id, number=number, mail=rows[0].donor_email or "", gifts=gifts)


def another_setup(session: Session, *, split_id: str, most: int) -> defence.SetupOf:
    """Parameters of another SetupIntent.

    Raises:
        SplitGiftNotFound, SplitGiftClosed: There is nothing to pay.
        SetupsUsedUp: There were as many as may be, or too many cards were declined.
    """
    row = _with_setups_left(session, split_id, most=most)
    return setup_of(session, split_id=split_id, number=row.setups + 1)


def next_setup(session: Session, *, split_id: str, number: int, most: int, now: datetime) -> GiftWithMethod:
    """Allocate the `number`-th SetupIntent, once: concurrent requests get the same one.

    Raises:
        SplitGiftNotFound, SplitGiftClosed, SetupsUsedUp: As `another_setup` says.
    """
    row = _with_setups_left(session, split_id, most=most)
    row.setups = max(row.setups, number)
    row.updated_at = now
    return replace(_held(row), setups=number)


def use_setup(session: Session, *, split_id: str, number: int, setup_id: str, now: datetime) -> None:
    """Charge with this SetupIntent's method from now on, unless a later one was requested."""
    row = session.get(SplitGiftRow, split_id, with_for_update=True)
    if row is not None and row.setups == number and row.released_at is None:
        row.setup_id, row.updated_at = setup_id, now


def pay_due(
    database: Database,
    *,
    pay: Callable[[GiftWithMethod], int],
    tries_max: int,
    first_again: timedelta,
    now: datetime,
) -> int:
    """Pay on gifts whose paying did not end, each `tries_max` times at most; return the sum of what `pay` returns."""
    return work_off(
        database,
        SplitGiftRow,
        SplitGiftRow.released_at.is_(None),
        SplitGiftRow.customer_id.is_not(None),
        SplitGiftRow.setup_id.is_not(None),
        SplitGiftRow.attempts < tries_max,
        do=lambda row: pay(_held(row)),
        most=_BATCH_MAX,
        now=now,
        first_again=first_again,
    )


def kept_too_long(session: Session, *, before: datetime) -> list[tuple[str, str]]:
    """Gifts whose stored payment method is to be deleted: too old, or the donor was erased."""
    rows = session.scalars(
        select(SplitGiftRow)
        .where(
            SplitGiftRow.customer_id.is_not(None),
            SplitGiftRow.released_at.is_(None),
            or_(SplitGiftRow.created_at < before, ~_HAS_PARTS),
        )
        .order_by(SplitGiftRow.created_at)
        .limit(_BATCH_MAX)
    )
    return [(row.id, row.customer_id or "") for row in rows]


def released(session: Session, *, split_id: str, now: datetime) -> None:
    """Record that the processor deleted the payment method."""
    row = session.get(SplitGiftRow, split_id, with_for_update=True)
    if row is not None:
        row.customer_id = row.setup_id = row.next_attempt_at = None
        row.released_at = row.updated_at = now


def sweep(session: Session, *, split_ids: Collection[str]) -> None:
    """Delete what is left of erased gifts once their payment methods are deleted too."""
    session.execute(
        delete(SplitGiftRow).where(
            SplitGiftRow.id.in_(split_ids), SplitGiftRow.customer_id.is_(None), ~_HAS_PARTS
        )
    )


def forget(session: Session, *, scope: str, donation_ids: Collection[str]) -> None:
    """Separate the parts of these donations' split gifts, since they had one donor.

    With whom a payment method is kept stays until the processor has forgotten it too, which is within the minute.

    Raises:
        EndingUnderWay: Where a card is entered for one of them is about to be ended at the processor.
    """
    split_ids = session.scalars(
        select(SplitPartRow.split_id).where(SplitPartRow.donation_id.in_(donation_ids)).distinct()
    ).all()
    if defence.are_ending(session, owner_ids=split_ids):
        raise payments.EndingUnderWay
    idempotency.forget(session, scope=scope, resource_ids=split_ids)
    defence.forget_setups_of(session, owner_ids=split_ids)
    session.execute(delete(SplitPartRow).where(SplitPartRow.split_id.in_(split_ids)))
    session.execute(
        delete(SplitGiftRow).where(SplitGiftRow.id.in_(split_ids), SplitGiftRow.customer_id.is_(None))
    )


def _open(session: Session, split_id: str) -> SplitGiftRow:
    row = session.get(SplitGiftRow, split_id, with_for_update=True)
    if row is None:
        raise SplitGiftNotFound("No gift to several organisations has this id; check it and try again.")
    if row.released_at is None and row.setup_id is None:
        raise PaymentMethodMissing(
            "This gift is not ready yet; repeat the request that made it, with its key."
        )
    if row.customer_id is None or row.setup_id is None:
        raise SplitGiftClosed(
            "This gift's payment method is not kept any more; look at its parts, and begin a new gift for those that failed."
        )
    return row


def _with_setups_left(session: Session, split_id: str, *, most: int) -> SplitGiftRow:
    row = _open(session, split_id)
    if row.setups >= most or defence.are_exhausted(session, owner_id=split_id):
        raise SetupsUsedUp("Too many payment methods were tried for this gift; begin a new one.")
    return row


def _held(row: SplitGiftRow) -> GiftWithMethod:
    return GiftWithMethod(
        id=row.id, payer_id=row.customer_id or "", setup_id=row.setup_id or "", setups=row.setups
    )


def _part(row: DonationRow, account_id: str) -> SplitPart:
    return SplitPart(
        donation_id=row.id,
        organization_id=row.organization_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        fee_cover=Money(minor_units=row.fee_cover_minor_units, currency=row.currency),
        status=DonationStatus(row.status),
        account_id=account_id,
    )
