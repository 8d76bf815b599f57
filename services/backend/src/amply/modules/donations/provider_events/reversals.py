"""Shared handling of refund and dispute events: books all open changes, then updates the gift."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.modules import payments, webhooks
from amply.modules.donations.bookings import locked_gift
from amply.modules.donations.integrator_events import Standing, record_changes
from amply.modules.donations.models import DonationRow
from amply.modules.donations.provider_events.context import (
    EventTransaction,
    GiftBooks,
    GiftNotBookedYet,
    PaymentEvent,
)
from amply.modules.donations.queries import contested
from amply.modules.donations.receipting import void_what_went_back

TOPIC_CONTESTED: Final = "donation.contested"
"""A gift was disputed, lost in a dispute, or refunded as fraud: its donor must not be charged any more."""

Told = TypeVar("Told")


def apply_returns(
    payment_event: PaymentEvent,
    told: Sequence[Told],
    transaction: EventTransaction,
    *,
    follow: Callable[[GiftBooks, payments.Payment, Told], bool],
    conclude: Callable[[Session, DonationRow, payments.Payment], None],
) -> webhooks.Outcome:
    """Book what is not booked yet of the processor's answer, then update the gift and its receipt.

    `follow` says whether one of them stands otherwise than it did; `conclude` writes down at the gift what all come to.

    Raises:
        GiftNotBookedYet: The event overtook its gift, and comes back later.
    """
    found = locked_gift(payment_event, transaction)
    if found is None:
        return webhooks.Outcome.NOT_OURS
    payment, gift = found
    if not told:
        return webhooks.Outcome.NO_CHANGE
    if gift.entry_id is None:
        raise GiftNotBookedYet(payment_event.event.id)
    books = GiftBooks(
        session=transaction.session, gift=gift, secrets=payment_event.secrets, now=transaction.now
    )
    changed = [follow(books, payment, each) for each in told]
    if not any(changed):
        return webhooks.Outcome.NO_CHANGE
    before = Standing.of(gift)
    conclude(transaction.session, gift, payment)
    record_changes(transaction.session, gift, before=before, now=transaction.now)
    gift.updated_at = transaction.now
    void_what_went_back(transaction.session, gift=gift, payment=payment, now=transaction.now)
    payments.note_return(transaction.session, payment=payment, now=transaction.now)
    if contested(transaction.session, donation_ids=[gift.id]):
        outbox.put(
            transaction.session,
            topic=TOPIC_CONTESTED,
            payload={"donation_id": gift.id},
            now=transaction.now,
        )
    return webhooks.Outcome.APPLIED
