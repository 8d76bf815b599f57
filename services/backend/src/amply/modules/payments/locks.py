"""Lock order of payment rows.

One transaction locks at most one payment; whoever also locks a provider event locks the event first.
"""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from amply.modules.payments.erasure import erased_reference
from amply.modules.payments.models import PaymentRow


def payment(session: Session, *, payment_id: str) -> PaymentRow:
    """Lock one payment until the transaction ends."""
    return session.scalars(select(PaymentRow).where(PaymentRow.id == payment_id).with_for_update()).one()


def payment_of_intent(
    session: Session, *, remote_id: str, payment_id: str | None, lock: bool = True
) -> PaymentRow | None:
    """The payment of an intent, locked unless it is only read.

    The event may arrive before our own row has the intent's id; our id in its metadata finds it then.
    """
    found = _one(session, PaymentRow.remote_id.in_((remote_id, erased_reference(remote_id))), lock=lock)
    if found is not None or payment_id is None:
        return found
    return _one(session, PaymentRow.id == payment_id, lock=lock)


def _one(session: Session, condition: ColumnElement[bool], *, lock: bool) -> PaymentRow | None:
    statement = select(PaymentRow).where(condition)
    return session.scalars(statement.with_for_update() if lock else statement).one_or_none()
