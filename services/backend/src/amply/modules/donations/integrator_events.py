"""Records public events about gifts in the transaction of the change. They do not identify the donor."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules.donations.models import DonationRow
from amply.modules.public_events import (
    EventAmount,
    EventType,
    GiftDispute,
    GiftDisputed,
    GiftMethod,
    GiftRefunded,
    GiftReversed,
    GiftSucceeded,
    Payload,
    record,
)


@dataclass(frozen=True)
class Standing:
    """What of a gift's standing is told when it changes."""

    refunded_minor_units: int
    dispute_state: str | None

    @classmethod
    def of(cls, gift: DonationRow) -> Self:
        """How `gift` stands."""
        return cls(gift.refunded_minor_units, gift.dispute_state)


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A gift that has arrived. `method`: how, where it did not come through the processor. `plan_id`: of which recurring gift."""

    id: str
    organization_id: str
    amount: Money
    fund_id: str | None
    method: str | None = None
    plan_id: str | None = None


def record_success(session: Session, gift: Arrived, *, occurred_at: datetime, now: datetime) -> None:
    """Record that a gift succeeded."""
    record(
        session,
        type=EventType.DONATION_SUCCEEDED,
        organization_id=gift.organization_id,
        subject_id=gift.id,
        data=GiftSucceeded(
            donation_id=gift.id,
            amount=EventAmount.of(gift.amount),
            fund_id=gift.fund_id,
            method=None if gift.method is None else GiftMethod(gift.method),
            plan_id=gift.plan_id,
        ),
        occurred_at=occurred_at,
        now=now,
    )


def record_changes(session: Session, gift: DonationRow, *, before: Standing, now: datetime) -> None:
    """Record changes of the refunded amount or the dispute."""
    refunded = Money(minor_units=gift.refunded_minor_units, currency=gift.currency)
    if gift.refunded_minor_units != before.refunded_minor_units:
        told = GiftRefunded(donation_id=gift.id, refunded=EventAmount.of(refunded))
        _record(session, gift, EventType.DONATION_REFUNDED, told, now=now)
    if gift.dispute_state != before.dispute_state:
        state = None if gift.dispute_state is None else GiftDispute(gift.dispute_state)
        disputed = GiftDisputed(donation_id=gift.id, dispute_state=state)
        _record(session, gift, EventType.DONATION_DISPUTED, disputed, now=now)


def record_reversal(session: Session, gift: DonationRow, *, now: datetime) -> None:
    """Record that an offline gift was reversed."""
    _record(session, gift, EventType.DONATION_REVERSED, GiftReversed(donation_id=gift.id), now=now)


def _record(session: Session, gift: DonationRow, kind: EventType, said: Payload, *, now: datetime) -> None:
    record(
        session,
        type=kind,
        organization_id=gift.organization_id,
        subject_id=gift.id,
        data=said,
        occurred_at=now,
        now=now,
    )
