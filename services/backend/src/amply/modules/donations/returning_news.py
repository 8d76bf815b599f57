"""What events about refunds and about disputes have in common: all that stands is followed, and then the gift."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from amply.modules import payments, webhooks
from amply.modules.donations.bookings import locked_gift
from amply.modules.donations.integrator_events import Standing, record_changes
from amply.modules.donations.models import DonationRow
from amply.modules.donations.news import GiftBooks, GiftNotBookedYet, Hand, News
from amply.modules.donations.receipting import void_what_went_back

Told = TypeVar("Told")


def apply_returns(
    news: News,
    told: Sequence[Told],
    hand: Hand,
    *,
    follow: Callable[[GiftBooks, payments.Payment, Told], bool],
    conclude: Callable[[Session, DonationRow, payments.Payment], None],
) -> webhooks.Outcome:
    """Book what is not in the books of what the processor told, and let the gift and its receipt say so.

    `follow` says whether one of them stands otherwise than it did; `conclude` writes down at the gift what all come to.

    Raises:
        GiftNotBookedYet: The event overtook its gift, and comes back later.
    """
    found = locked_gift(news, hand)
    if found is None:
        return webhooks.Outcome.NOT_OURS
    payment, gift = found
    if not told:
        return webhooks.Outcome.NO_CHANGE
    if gift.entry_id is None:
        raise GiftNotBookedYet(news.event.id)
    books = GiftBooks(session=hand.session, gift=gift, secrets=news.secrets, now=hand.now)
    changed = [follow(books, payment, each) for each in told]
    if not any(changed):
        return webhooks.Outcome.NO_CHANGE
    before = Standing.of(gift)
    conclude(hand.session, gift, payment)
    record_changes(hand.session, gift, before=before, now=hand.now)
    gift.updated_at = hand.now
    void_what_went_back(hand.session, gift=gift, payment=payment, now=hand.now)
    payments.note_return(hand.session, payment=payment, now=hand.now)
    return webhooks.Outcome.APPLIED
