"""Which rows payments lock, in which order.

One transaction locks at most one payment; whoever also locks a provider event locks the event first.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.modules.payments.models import PaymentRow


def payment(session: Session, *, payment_id: str) -> PaymentRow:
    """Lock one payment until the transaction ends."""
    return session.scalars(select(PaymentRow).where(PaymentRow.id == payment_id).with_for_update()).one()


def payment_of_intent(session: Session, *, remote_id: str, payment_id: str | None) -> PaymentRow | None:
    """Lock the payment an intent belongs to.

    The event may arrive before our own row has the intent's id; our id in its metadata finds it then.
    """
    by_remote = select(PaymentRow).where(PaymentRow.remote_id == remote_id).with_for_update()
    found = session.scalars(by_remote).one_or_none()
    if found is not None or payment_id is None:
        return found
    by_metadata = select(PaymentRow).where(PaymentRow.id == payment_id).with_for_update()
    return session.scalars(by_metadata).one_or_none()
