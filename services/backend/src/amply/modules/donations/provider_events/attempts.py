"""Payments that take days: the ledger reserves the amount while pending, and releases it on failure.

Success and cancellation are final at the processor and have events of their own (`success`). In between a payment may be
tried again and again, so that an event about an attempt says nothing of how things stand by the time it is handled.
"""

from functools import partial

from amply.modules import ledger, payments, webhooks
from amply.modules.donations.bookings import intent_id, locked_gift, release, reserved_lines
from amply.modules.donations.domain import status_of_payment
from amply.modules.donations.notices import owe_notice
from amply.modules.donations.provider_events.context import (
    ApplyAnswer,
    EventTransaction,
    GiftBooks,
    PaymentEvent,
)
from amply.modules.payments import PaymentStatus

_OVER = (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED)
_TRIED = (PaymentStatus.PROCESSING, PaymentStatus.FAILED)


def about_attempt(payment_event: PaymentEvent) -> ApplyAnswer:
    """Query the payment's current state, whichever attempt the event is about."""
    told = payment_event.processor.attempt(
        remote_id=intent_id(payment_event.event.object), account_id=payment_event.payment.account_id
    )
    return partial(_apply, payment_event, told)


def _apply(
    payment_event: PaymentEvent, told: payments.Attempt, transaction: EventTransaction
) -> webhooks.Outcome:
    """State and newest attempt never stand twice as they did, so that an answer which was overtaken is always noticed."""
    found = locked_gift(payment_event, transaction)
    if found is None:
        return webhooks.Outcome.NOT_OURS
    payment, gift = found
    if told.status in _OVER:
        return webhooks.Outcome.NO_CHANGE  # its own event tells, and brings what was moved
    following = _following(payment, told)
    moves = payments.transition(
        transaction.session, payment=payment, following=following, now=transaction.now
    )
    if not moves and following is not payment.status:
        return webhooks.Outcome.NO_CHANGE
    # A digest, since the processor's id of an attempt leads to the donor.
    attempt = None if told.name is None else payments.erased_reference(told.name)
    if not moves and gift.newest_attempt == attempt:
        return webhooks.Outcome.NO_CHANGE
    books = GiftBooks(
        session=transaction.session, gift=gift, secrets=payment_event.secrets, now=transaction.now
    )
    if gift.reserved_entry_id is not None and following is PaymentStatus.FAILED:
        owe_notice(transaction.session, gift=gift, now=transaction.now)
    release(books, event=payment_event.event)
    gift.status, gift.newest_attempt, gift.updated_at = status_of_payment(following), attempt, transaction.now
    if following is PaymentStatus.PROCESSING:
        gift.reserved_entry_id = _reserve(payment_event, books, told)
    payments.note_return(transaction.session, payment=payment, now=transaction.now)
    return webhooks.Outcome.APPLIED


def _following(payment: payments.Payment, told: payments.Attempt) -> PaymentStatus:
    """A donor who is asked something again has an attempt behind them that failed, if there was one."""
    if told.status is PaymentStatus.PENDING and payment.status in _TRIED:
        return PaymentStatus.FAILED
    return told.status


def _reserve(payment_event: PaymentEvent, books: GiftBooks, told: payments.Attempt) -> str:
    intent = intent_id(payment_event.event.object)
    return books.post(
        kind=ledger.Kind.DONATION_PROCESSING,
        key=f"stripe:{intent}:{told.name}",
        transfers=reserved_lines(books.gift),
        event_at=payment_event.event.occurred_at,
        reference=f"stripe:payment_intent:{intent}",
    )
