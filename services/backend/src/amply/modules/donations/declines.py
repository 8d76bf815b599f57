"""Reports declined cards to the defence, and ends the payment if it says so."""

from collections.abc import Sequence

from amply.infra import outbox
from amply.modules import defence, payments, webhooks
from amply.modules.donations import split_rows
from amply.modules.donations.bookings import intent_id
from amply.modules.donations.provider_events.attempts import about_attempt
from amply.modules.donations.provider_events.context import ApplyAnswer, EventTransaction, PaymentEvent


def about_decline(payment_event: PaymentEvent) -> ApplyAnswer:
    """Query the payment's state, and report each declined card to the defence once.

    The event says that there was one, the processor which: an event that never came is made up for by the next.
    """
    declined = payment_event.processor.declines(
        remote_id=intent_id(payment_event.event.object), account_id=payment_event.event.account_id or ""
    )
    apply_state = about_attempt(payment_event)

    def apply(transaction: EventTransaction) -> webhooks.Outcome:
        outcome = apply_state(transaction)
        if outcome is not webhooks.Outcome.NOT_OURS:
            _count(transaction, payment_event.payment, declined)
        return outcome

    return apply


def decline_of(remote: payments.RemoteDecline) -> defence.Decline:
    """A declined attempt in the defence's terms."""
    return defence.Decline(reference=remote.remote_id, card=remote.card, declined_at=remote.declined_at)


def _count(
    transaction: EventTransaction, payment: payments.Payment, declined: Sequence[payments.RemoteDecline]
) -> None:
    """Count each, whatever the ones before it have come to, and let the payment end where it must."""
    customer = payment.customer
    split_id = split_rows.split_of(transaction.session, donation_id=payment.donation_id)
    ends = [
        defence.note_decline(
            transaction.session,
            decline_of(each),
            donation_id=payment.donation_id,
            organization_id=payment.organization_id,
            is_collected=customer is not None and not customer.keeps_method,
            split_id=split_id,
            now=transaction.now,
        )
        for each in declined
    ]
    if any(ends) and payments.must_end(transaction.session, payment_id=payment.id, now=transaction.now):
        told = {"donation_id": payment.donation_id}
        outbox.put(transaction.session, topic=defence.TOPIC_EXHAUSTED, payload=told, now=transaction.now)
