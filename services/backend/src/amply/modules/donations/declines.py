"""What a declined card tells the defence, which says whether its payment must end."""

from collections.abc import Sequence

from amply.infra import outbox
from amply.modules import defence, payments, webhooks
from amply.modules.donations.attempt_news import about_attempt
from amply.modules.donations.bookings import intent_id
from amply.modules.donations.news import Applies, Hand, News


def about_decline(news: News) -> Applies:
    """The payment's state as with every attempt; and each card that was declined is counted, once.

    The event says that there was one, the processor which: an event that never came is made up for by the next.
    """
    declined = news.processor.declines(
        remote_id=intent_id(news.event.object), account_id=news.event.account_id or ""
    )
    apply_state = about_attempt(news)

    def apply(hand: Hand) -> webhooks.Outcome:
        outcome = apply_state(hand)
        if outcome is not webhooks.Outcome.NOT_OURS:
            _count(hand, news.payment, declined)
        return outcome

    return apply


def decline_of(remote: payments.RemoteDecline) -> defence.Decline:
    """What the defence counts of an attempt at the processor."""
    return defence.Decline(reference=remote.remote_id, card=remote.card, declined_at=remote.declined_at)


def _count(hand: Hand, payment: payments.Payment, declined: Sequence[payments.RemoteDecline]) -> None:
    """Count each, whatever the ones before it have come to, and let the payment end where it must."""
    customer = payment.customer
    ends = [
        defence.note_decline(
            hand.session,
            decline_of(each),
            donation_id=payment.donation_id,
            organization_id=payment.organization_id,
            is_collected=customer is not None and not customer.keeps_method,
            now=hand.now,
        )
        for each in declined
    ]
    if any(ends) and payments.must_end(hand.session, payment_id=payment.id, now=hand.now):
        told = {"donation_id": payment.donation_id}
        outbox.put(hand.session, topic=defence.FACT_EXHAUSTED, payload=told, now=hand.now)
