"""Payments that take days: what is on its way is reserved in the books, and released when the bank says no.

Success and cancellation are final at the processor and have events of their own (`bookings`). In between a payment may be
tried again and again, so that an event about an attempt says nothing of how things stand by the time it is handled.
"""

from functools import partial

from amply.modules import ledger, payments, webhooks
from amply.modules.donations.bookings import intent_id, locked_gift, release, reserved_lines
from amply.modules.donations.domain import status_of_payment
from amply.modules.donations.news import Applies, GiftBooks, Hand, News
from amply.modules.donations.notices import owe_notice
from amply.modules.payments import PaymentStatus

_OVER = (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED)
_TRIED = (PaymentStatus.PROCESSING, PaymentStatus.FAILED)


def about_attempt(news: News) -> Applies:
    """Ask how the payment stands, whichever attempt the event is about."""
    told = news.processor.attempt(remote_id=intent_id(news.event.object), account_id=news.payment.account_id)
    return partial(_apply, news, told)


def _apply(news: News, told: payments.Attempt, hand: Hand) -> webhooks.Outcome:
    """State and newest attempt never stand twice as they did, so that an answer which was overtaken is always noticed."""
    found = locked_gift(news, hand)
    if found is None:
        return webhooks.Outcome.NOT_OURS
    payment, gift = found
    if told.status in _OVER:
        return webhooks.Outcome.NO_CHANGE  # its own event tells, and brings what was moved
    following = _following(payment, told)
    moves = payments.transition(hand.session, payment=payment, following=following, now=hand.now)
    if not moves and following is not payment.status:
        return webhooks.Outcome.NO_CHANGE
    # A digest: what the processor calls an attempt leads to the donor.
    attempt = None if told.name is None else payments.erased_reference(told.name)
    if not moves and gift.newest_attempt == attempt:
        return webhooks.Outcome.NO_CHANGE
    books = GiftBooks(session=hand.session, gift=gift, secrets=news.secrets, now=hand.now)
    if gift.reserved_entry_id is not None and following is PaymentStatus.FAILED:
        owe_notice(hand.session, gift=gift, now=hand.now)
    release(books, event=news.event)
    gift.status, gift.newest_attempt, gift.updated_at = status_of_payment(following), attempt, hand.now
    if following is PaymentStatus.PROCESSING:
        gift.reserved_entry_id = _reserve(news, books, told)
    payments.note_return(hand.session, payment=payment, now=hand.now)
    return webhooks.Outcome.APPLIED


def _following(payment: payments.Payment, told: payments.Attempt) -> PaymentStatus:
    """A donor who is asked something again has an attempt behind them that failed, if there was one."""
    if told.status is PaymentStatus.PENDING and payment.status in _TRIED:
        return PaymentStatus.FAILED
    return told.status


def _reserve(news: News, books: GiftBooks, told: payments.Attempt) -> str:
    intent = intent_id(news.event.object)
    return books.post(
        kind=ledger.Kind.DONATION_PROCESSING,
        key=f"stripe:{intent}:{told.name}",
        transfers=reserved_lines(books.gift),
        event_at=news.event.occurred_at,
        reference=f"stripe:payment_intent:{intent}",
    )
