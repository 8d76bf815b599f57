"""What a declined card tells the defence, and the end of payments that cards are tried on."""

import structlog

from amply.infra.database import Database
from amply.kernel.clock import Clock
from amply.modules import defence, payments, webhooks
from amply.modules.donations.bookings import intent_id
from amply.modules.donations.provider_events.attempts import about_attempt
from amply.modules.donations.provider_events.context import ApplyAnswer, EventTransaction, PaymentEvent

_log = structlog.get_logger()


def about_decline(payment_event: PaymentEvent) -> ApplyAnswer:
    """The payment's state as with every attempt; and each card that was declined is counted, once.

    The event says that there was one, the processor which: an event that never came is made up for by the next.
    """
    declined = payment_event.processor.declines(
        remote_id=intent_id(payment_event.event.object), account_id=payment_event.event.account_id or ""
    )
    apply_state = about_attempt(payment_event)

    def apply(transaction: EventTransaction) -> webhooks.Outcome:
        outcome = apply_state(transaction)
        if outcome is not webhooks.Outcome.NOT_OURS:
            for each in declined:
                defence.note_decline(
                    transaction.session, _decline(payment_event.payment, each), now=transaction.now
                )
        return outcome

    return apply


def close_exhausted(database: Database, processor: payments.Processor, *, clock: Clock) -> int:
    """End the payments that have been tried too often; return how many were ended.

    A donor whose own payment ends so begins another gift. Each is tried ten times, ever further apart; what the processor
    refuses to end has ended already.
    """
    with database.transaction() as session:
        waiting = defence.claim_exhausted(session, now=clock())
    return sum(_close(database, processor, donation_id=donation_id, clock=clock) for donation_id in waiting)


def _close(database: Database, processor: payments.Processor, *, donation_id: str, clock: Clock) -> bool:
    with database.transaction() as session:
        payment = payments.for_donation(session, donation_id=donation_id)
    if payment.remote_id is None:
        return False
    try:
        processor.cancel_intent(remote_id=payment.remote_id, account_id=payment.account_id)
        ended = True
    except payments.ProcessorRefused:
        ended = False
    except payments.ProcessorUnavailable as reason:
        _log.warning("exhausted payment not ended", payment_id=payment.id, reason=reason.code)
        return False
    with database.transaction() as session:
        defence.note_closed(session, donation_id=donation_id, now=clock())
    return ended


def _decline(payment: payments.Payment, each: payments.RemoteDecline) -> defence.Decline:
    return defence.Decline(
        donation_id=payment.donation_id,
        organization_id=payment.organization_id,
        reference=each.remote_id,
        card=each.card,
        declined_at=each.declined_at,
    )
