"""Removes the identifiers that lead to a donor from payments. Amount and account stay."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.kernel.errors import Conflict
from amply.modules.payments.domain import PaymentStatus
from amply.modules.payments.models import DisputeRow, FraudWarningRow, PaymentEndingRow, PaymentRow, RefundRow
from amply.modules.payments.returns import RefundStatus

ERASED: Final = "erased:"
"""Prefix of an erased reference."""
ATTEMPTS_MAX: Final = 10
"""Attempts to cancel a payment used for card testing, renewed by another declined card."""


_RETURNS: Final[Mapping[type[RefundRow | DisputeRow | FraudWarningRow], str]] = {
    RefundRow: "rfd",
    DisputeRow: "dsp",
    FraudWarningRow: "frw",
}
"""What can go back of a payment, and what its ids begin with."""


class RefundUnderWay(Conflict):
    """Whether the processor has a refund of this gift is not known yet: its answer needs the names that an erasure removes."""

    code = "refund_under_way"


class EndingUnderWay(Conflict):
    """Cards are tried on something of this donor's that is about to end at the processor: nobody could end it without its name."""

    code = "ending_under_way"

    def __init__(self) -> None:
        super().__init__(
            "A payment of this donor's is about to be ended; repeat the erasure in some minutes."
        )


def erased_reference(remote_id: str) -> str:
    """The replacement for an erased id of the processor.

    Nobody can get the id back, but who brings it finds the payment: a refund that comes years later is still booked.
    """
    digest = hashlib.sha256(b"amply/erased/v1\0" + remote_id.encode()).hexdigest()
    return f"{ERASED}{digest}"


def is_erased(remote_id: str | None) -> bool:
    """Whether this replaces an erased id."""
    return remote_id is not None and remote_id.startswith(ERASED)


def names_of_payments(
    session: Session, *, donation_ids: Collection[str], lock: bool = False
) -> dict[str, str | None]:
    """Payments of these donations: our id to the processor's, if known. With `lock`, locked against booking."""
    named = (
        select(PaymentRow.id, PaymentRow.remote_id)
        .where(PaymentRow.donation_id.in_(donation_ids))
        .order_by(PaymentRow.id)
    )
    rows = session.execute(named.with_for_update() if lock else named)
    return {row.id: row.remote_id for row in rows}


def names_of_returns(session: Session, *, payment_ids: Collection[str]) -> set[str]:
    """The processor's ids of these payments' refunds, disputes and warnings, unless erased."""
    return {
        name
        for table in _RETURNS
        for name in session.scalars(select(table.remote_id).where(table.payment_id.in_(payment_ids)))
        if name is not None and not is_erased(name)
    }


def gifts_named(session: Session, *, remote_ids: Collection[str]) -> dict[str, str]:
    """Gifts that these ids of the processor (intents, refunds, disputes, warnings) belong to."""
    found = {
        row.remote_id: row.donation_id
        for row in session.execute(
            select(PaymentRow.remote_id, PaymentRow.donation_id).where(PaymentRow.remote_id.in_(remote_ids))
        )
    }
    for table in _RETURNS:
        rows = session.execute(
            select(table.remote_id, PaymentRow.donation_id)
            .join(PaymentRow, PaymentRow.id == table.payment_id)
            .where(table.remote_id.in_(remote_ids))
        )
        found |= {row.remote_id: row.donation_id for row in rows}
    return found


def erase(session: Session, *, payment_id: str, now: datetime) -> None:
    """Replace the processor's ids of a payment and its refunds and disputes. A payment without intent is abandoned.

    Raises:
        RefundUnderWay: A refund of it was asked for and not answered yet.
        EndingUnderWay: It is about to be ended at the processor. What could not be ended ten times, or waits for an organisation to
            come back to its account, holds nothing up.
    """
    _erase_returns(session, payment_id=payment_id)
    ending = session.get(PaymentEndingRow, payment_id)
    if ending is not None and _is_under_way(ending):
        raise EndingUnderWay
    session.execute(delete(PaymentEndingRow).where(PaymentEndingRow.payment_id == payment_id))
    row = session.scalars(select(PaymentRow).where(PaymentRow.id == payment_id).with_for_update()).one()
    session.execute(
        update(PaymentRow)
        .where(PaymentRow.id == payment_id)
        .values(
            id=ids.new_id("pay"),
            remote_id=_without_name(row.remote_id),
            customer_id=None,
            status=case(
                (PaymentRow.status == PaymentStatus.CREATED, PaymentStatus.FAILED), else_=PaymentRow.status
            ),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    session.expunge(row)


def _is_under_way(ending: PaymentEndingRow) -> bool:
    """Whether it ends within minutes or hours. Put off without an attempt counted, it waits for an account that was left."""
    is_put_off = ending.attempts == 0 and ending.next_attempt_at > ending.asked_at
    return (
        ending.ended_at is None and ending.is_exhausted and ending.attempts < ATTEMPTS_MAX and not is_put_off
    )


def _without_name(remote_id: str | None) -> str | None:
    return remote_id if remote_id is None or is_erased(remote_id) else erased_reference(remote_id)


def _erase_returns(session: Session, *, payment_id: str) -> None:
    """Of refunds, disputes and warnings too, nothing leads to the donor any more."""
    refunds = session.scalars(select(RefundRow).where(RefundRow.payment_id == payment_id)).all()
    for row in refunds:
        if row.status == RefundStatus.CREATED:
            raise RefundUnderWay(
                f"Refund {row.id} of this gift is not answered yet; repeat the erasure once it is."
            )
    for table, prefix in _RETURNS.items():
        named = select(table.id, table.remote_id).where(table.payment_id == payment_id)
        for row_id, remote_id in session.execute(named).all():
            session.execute(
                update(table)
                .where(table.id == row_id)
                .values(id=ids.new_id(prefix), remote_id=_without_name(remote_id))
                .execution_options(synchronize_session=False)
            )
    for row in refunds:
        session.expunge(row)
