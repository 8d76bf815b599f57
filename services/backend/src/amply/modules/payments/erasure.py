"""A payment without a person: it keeps its amount and its account, and loses every name that leads to the donor."""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.modules.payments.domain import PaymentStatus
from amply.modules.payments.models import PaymentRow

_PREFIX: Final = "erased:"


def erased_reference(remote_id: str) -> str:
    """What stands for the processor's id once it is erased.

    Nobody can get the id back, but who brings it finds the payment: a refund that comes years later is still booked.
    """
    digest = hashlib.sha256(b"amply/erased/v1\0" + remote_id.encode()).hexdigest()
    return f"{_PREFIX}{digest}"


def names_of_payments(
    session: Session, *, donation_ids: Collection[str], lock: bool = False
) -> dict[str, str | None]:
    """The payments of these donations: our id to the processor's, where it is known. Locked, nothing is booked of them."""
    named = (
        select(PaymentRow.id, PaymentRow.remote_id)
        .where(PaymentRow.donation_id.in_(donation_ids))
        .order_by(PaymentRow.id)
    )
    rows = session.execute(named.with_for_update() if lock else named)
    return {row.id: row.remote_id for row in rows}


def erase(session: Session, *, payment_id: str, now: datetime) -> None:
    """Give a payment names that lead nowhere. One the processor never heard of is given up."""
    row = session.scalars(select(PaymentRow).where(PaymentRow.id == payment_id).with_for_update()).one()
    session.execute(
        update(PaymentRow)
        .where(PaymentRow.id == payment_id)
        .values(
            id=ids.new_id("pay"),
            remote_id=None if row.remote_id is None else erased_reference(row.remote_id),
            status=case(
                (PaymentRow.status == PaymentStatus.CREATED, PaymentStatus.FAILED), else_=PaymentRow.status
            ),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    session.expunge(row)
