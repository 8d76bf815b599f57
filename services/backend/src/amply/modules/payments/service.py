"""Records payments, opens them at the processor, and applies its answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from amply.infra import tracing
from amply.infra.multi_table_insert import NewRow
from amply.kernel import ids
from amply.kernel.errors import invariant
from amply.kernel.money import Money
from amply.modules.payments import locks
from amply.modules.payments.domain import (
    Customer,
    Intent,
    Payment,
    PaymentStatus,
    may_become,
)
from amply.modules.payments.erasure import erased_reference
from amply.modules.payments.models import PaymentRow
from amply.modules.payments.ports import Processor
from amply.modules.payments.stuck import STUCK_AFTER, claim_stuck_row, count_given_up

_OPENED: Final = text("""
    UPDATE payment
    SET remote_id = coalesce(remote_id, :remote_id),
        status = CASE status WHEN 'created' THEN 'pending' ELSE status END,
        updated_at = :now
    WHERE id = :payment_id
    RETURNING remote_id
""")


def intended(
    *,
    donation_id: str,
    organization_id: str,
    account_id: str,
    amount: Money,
    now: datetime,
    customer: Customer | None = None,
) -> tuple[Payment, NewRow]:
    """A payment before it is sent to the processor; its row is inserted with the gift's."""
    payment = Payment(
        id=ids.new_id("pay"),
        donation_id=donation_id,
        organization_id=organization_id,
        account_id=account_id,
        amount=amount,
        status=PaymentStatus.CREATED,
        remote_id=None,
        created_at=now,
        traceparent=tracing.traceparent(),
        customer=customer,
    )
    return payment, NewRow(
        PaymentRow,
        {
            "id": payment.id,
            "donation_id": donation_id,
            "organization_id": organization_id,
            "account_id": account_id,
            "minor_units": amount.minor_units,
            "currency": amount.currency,
            "status": payment.status,
            "created_at": now,
            "updated_at": now,
            "traceparent": payment.traceparent,
            "customer_id": customer.id if customer else None,
            "keeps_method": customer is not None and customer.keeps_method,
        },
    )


def open_at_processor(processor: Processor, *, payment: Payment, now: datetime) -> Intent:
    """Create the PaymentIntent, with an idempotency key derived from the row.

    The processor forgets keys after a day, but not metadata: once its search has caught up (a minute), an intent that
    carries our id is looked for first.

    Raises:
        ProcessorUnavailable, ProcessorRefused: As the processor's port says.
    """
    if now - payment.created_at > STUCK_AFTER:
        found = processor.find_intent(payment_id=payment.id, account_id=payment.account_id)
        if found is not None:
            return found
    return processor.create_intent(
        payment_id=payment.id,
        donation_id=payment.donation_id,
        account_id=payment.account_id,
        amount=payment.amount,
        idempotency_key=f"payment:{payment.id}:create",
        customer=payment.customer,
    )


def record_intent(session: Session, *, payment_id: str, intent: Intent, now: datetime) -> None:
    """Store the intent's id. An event may have done so before; then both must agree."""
    told = {"payment_id": payment_id, "remote_id": intent.remote_id, "now": now}
    remote_id = session.scalar(_OPENED, told)
    invariant(remote_id == intent.remote_id, "a payment has one intent for ever")


def refuse(session: Session, *, payment_id: str, now: datetime) -> bool:
    """Mark a payment as failed because the processor refused to create an intent.

    False when it is further along: an earlier call did make an intent, and its events decide.
    """
    row = locks.payment(session, payment_id=payment_id)
    if row.status != PaymentStatus.CREATED:
        return False
    row.status = PaymentStatus.FAILED
    row.updated_at = now
    return True


def for_donation(session: Session, *, donation_id: str) -> Payment:
    """The payment of a donation."""
    return payment_of(session.scalars(select(PaymentRow).where(PaymentRow.donation_id == donation_id)).one())


def for_donations(session: Session, *, donation_ids: Sequence[str]) -> dict[str, Payment]:
    """Payments of these donations, by donation."""
    rows = session.scalars(select(PaymentRow).where(PaymentRow.donation_id.in_(donation_ids)))
    return {row.donation_id: payment_of(row) for row in rows}


def get(session: Session, *, payment_id: str) -> Payment:
    """One payment of ours."""
    return payment_of(session.get_one(PaymentRow, payment_id))


def claim_stuck(session: Session, *, now: datetime) -> Payment | None:
    """Claim payments whose intent was not created within a minute, counting an attempt.

    After ten attempts a payment waits for a person; until then the attempts are ever further apart.
    """
    row = claim_stuck_row(session, PaymentRow, now=now)
    return None if row is None else payment_of(row)


def count_exhausted(session: Session) -> int:
    """Count stuck payments that used up their attempts."""
    return count_given_up(session, PaymentRow)


def find_for_event(
    session: Session, *, remote_id: str, payment_id: str | None, account_id: str
) -> Payment | None:
    """The payment of an event, without locking it; None if it is not ours on that account."""
    row = locks.payment_of_intent(session, remote_id=remote_id, payment_id=payment_id, lock=False)
    return payment_of(row) if row is not None and _is_about(row, remote_id, account_id) else None


def lock_for_event(
    session: Session, *, remote_id: str, payment_id: str | None, account_id: str
) -> Payment | None:
    """Lock the payment of an event; None if it is not ours on that account."""
    row = locks.payment_of_intent(session, remote_id=remote_id, payment_id=payment_id)
    if row is None or not _is_about(row, remote_id, account_id):
        return None
    row.remote_id = row.remote_id or remote_id
    return payment_of(row)


def transition(session: Session, *, payment: Payment, following: PaymentStatus, now: datetime) -> bool:
    """Apply a state transition to a locked payment; False if the state table has none."""
    if not may_become(payment.status, following):
        return False
    row = locks.payment(session, payment_id=payment.id)
    row.status = following
    row.updated_at = now
    return True


def lock_for_refund(session: Session, *, donation_id: str) -> Payment | None:
    """Lock a donation's payment; None when there is no such donation."""
    row = session.scalars(
        select(PaymentRow).where(PaymentRow.donation_id == donation_id).with_for_update()
    ).one_or_none()
    return None if row is None else payment_of(row)


def note_return(session: Session, *, payment: Payment, now: datetime) -> None:
    """Mark that refunds or disputes changed, so that answers requested before are outdated."""
    row = locks.payment(session, payment_id=payment.id)
    row.returns_known += 1
    row.updated_at = now


def _is_about(row: PaymentRow, remote_id: str, account_id: str) -> bool:
    return row.account_id == account_id and row.remote_id in (None, remote_id, erased_reference(remote_id))


def payment_of(row: PaymentRow) -> Payment:
    """The payment a row holds."""
    return Payment(
        id=row.id,
        donation_id=row.donation_id,
        organization_id=row.organization_id,
        account_id=row.account_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        status=PaymentStatus(row.status),
        remote_id=row.remote_id,
        created_at=row.created_at,
        traceparent=row.traceparent,
        returns_known=row.returns_known,
        customer=Customer(id=row.customer_id, keeps_method=row.keeps_method) if row.customer_id else None,
    )
