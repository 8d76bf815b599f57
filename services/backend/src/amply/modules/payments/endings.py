"""Selects payments that must be canceled at the processor: used for card testing, or unpaid for a day.

What is noted here lives as long as its payment: whoever holds the client secret of an intent that nobody has ended can try cards on
it years later.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog
from sqlalchemy import and_, exists, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.modules.payments.accounts import has_left, is_gone
from amply.modules.payments.domain import Payment, PaymentStatus
from amply.modules.payments.erasure import ATTEMPTS_MAX, ERASED
from amply.modules.payments.models import PaymentEndingRow, PaymentRow
from amply.modules.payments.service import payment_of

ABANDONED_AFTER: Final = timedelta(days=1)
"""Time for a donor to complete a one-time gift."""


class Ended(StrEnum):
    """What became of ending a payment. `OVER`: there was nothing left to end. `KEPT`: its donor has something in hand to pay it
    with, such as a voucher. `SHUT_OUT`: the processor lets us do nothing with its account now. `LEFT`: its organisation has left
    the account, and may come back. `UNHEARD`: it did not answer.
    """

    ENDED = "ended"
    OVER = "over"
    KEPT = "kept"
    SHUT_OUT = "shut_out"
    LEFT = "left"
    UNHEARD = "unheard"


_OPEN: Final = (PaymentStatus.PENDING, PaymentStatus.FAILED)
_BATCH_MAX: Final = 50
_COUNTED_FOR: Final = timedelta(days=2)
_LATER: Final = timedelta(days=1)
_MUCH_LATER: Final = timedelta(days=30)

_log = structlog.get_logger()


def must_end(session: Session, *, payment_id: str, now: datetime) -> bool:
    """Schedule a payment's cancellation because of card testing; False if it is scheduled already.

    A card that is declined where the payment was taken for ended shows that it was not.
    """
    asked = insert(PaymentEndingRow).values(
        payment_id=payment_id, is_exhausted=True, asked_at=now, next_attempt_at=now
    )
    noted = asked.on_conflict_do_update(
        index_elements=["payment_id"],
        set_={"is_exhausted": True, "asked_at": now, "attempts": 0, "next_attempt_at": now, "ended_at": None},
        where=or_(
            PaymentEndingRow.ended_at.is_not(None),
            ~PaymentEndingRow.is_exhausted,
            PaymentEndingRow.attempts >= ATTEMPTS_MAX,
            # Put off while its account was left: now that cards are declined there, its organisation is back.
            and_(
                PaymentEndingRow.attempts == 0, PaymentEndingRow.next_attempt_at > PaymentEndingRow.asked_at
            ),
        ),
    )
    return session.scalar(noted.returning(PaymentEndingRow.payment_id)) is not None


def find_abandoned(session: Session, *, now: datetime) -> int:
    """Schedule the cancellation of fifty payments unpaid for a day; return how many. Charges of plans end with their
    period.
    """
    abandoned = (
        select(PaymentRow.id, false(), literal(now), literal(now))
        .where(
            PaymentRow.status.in_(_OPEN),
            PaymentRow.created_at < now - ABANDONED_AFTER,
            PaymentRow.customer_id.is_(None),
            PaymentRow.remote_id.is_not(None),
            ~PaymentRow.remote_id.startswith(ERASED),
            ~exists().where(PaymentEndingRow.payment_id == PaymentRow.id),
        )
        .order_by(PaymentRow.created_at)
        .limit(_BATCH_MAX)
    )
    columns = ["payment_id", "is_exhausted", "asked_at", "next_attempt_at"]
    noted = insert(PaymentEndingRow).from_select(columns, abandoned).on_conflict_do_nothing()
    return len(session.scalars(noted.returning(PaymentEndingRow.payment_id)).all())


def end_due(database: Database, *, end: Callable[[Payment], Ended], is_exhausted: bool, now: datetime) -> int:
    """Cancel fifty due payments; return how many.

    `is_exhausted`: those that many cards were tried on are tried ten times, ever later, until another card is declined there; the
    others for as long as they are open, once a day in the end. The first that the processor does not answer about ends the run.
    Payments on an account that its organisation has left are looked at once a month, since it may come back; where the account is
    closed, or another one stands in its place, they are given up: nobody is let in there.
    """

    def ended(row: PaymentEndingRow) -> int | None:
        with database.transaction() as session:
            payment = payment_of(session.get_one(PaymentRow, row.payment_id))
            left = _left(session, payment)
        told = left or end(payment)
        if told is Ended.UNHEARD:
            return None
        with database.transaction() as session:
            kept = session.get_one(PaymentEndingRow, row.payment_id, with_for_update=True)
            if told in (Ended.ENDED, Ended.OVER):
                kept.ended_at = now
            elif told is Ended.LEFT:
                kept.attempts, kept.next_attempt_at = 0, now + _MUCH_LATER
            elif not kept.is_exhausted:
                kept.attempts, kept.next_attempt_at = 0, now + _LATER
        return int(told is Ended.ENDED)

    def tried(row: PaymentEndingRow) -> int | None:
        try:
            return ended(row)
        except Exception:  # noqa: BLE001 -- the attempt is counted: it waits its turn and holds back no other
            _log.exception("payment_not_ended", payment_id=row.payment_id)
            return 0

    return work_off(
        database,
        PaymentEndingRow,
        PaymentEndingRow.ended_at.is_(None),
        PaymentEndingRow.is_exhausted == is_exhausted,
        or_(~PaymentEndingRow.is_exhausted, PaymentEndingRow.attempts < ATTEMPTS_MAX),
        do=tried,
        most=_BATCH_MAX,
        now=now,
    )


def _left(session: Session, payment: Payment) -> Ended | None:
    """Why nothing can be ended on the payment's account; None where it can be tried."""
    account = {"organization_id": payment.organization_id, "account_id": payment.account_id}
    if is_gone(session, **account):
        return Ended.OVER
    return Ended.LEFT if has_left(session, **account) else None


def count_unended(session: Session, *, now: datetime) -> int:
    """Count payments not canceled in ten attempts, the last of them within two days."""
    unended = select(func.count()).where(
        PaymentEndingRow.ended_at.is_(None),
        PaymentEndingRow.attempts >= ATTEMPTS_MAX,
        PaymentEndingRow.next_attempt_at > now - _COUNTED_FOR,
    )
    return session.scalars(unended).one()
