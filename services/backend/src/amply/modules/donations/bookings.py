"""Finds the payment and gift of a provider event, and builds the gift's ledger transfers."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules import ledger, payments, webhooks
from amply.modules.donations.gift_components import GiftParts
from amply.modules.donations.models import DonationRow
from amply.modules.donations.provider_events.context import (
    EventTransaction,
    GiftBooks,
    PaymentEvent,
)

_ABOUT_PEOPLE: Final = ("customer.", "mandate.", "payment_method.", "setup_intent.")


def find_payment(session: Session, event: webhooks.ProviderEvent) -> payments.Payment | None:
    """The payment of an event; None if it is not ours.

    The intent's id decides, or our id in its metadata while we do not know the intent's yet. (An organisation may edit
    the metadata on its own dashboard: it alone must not decide.)
    """
    return payments.find_for_event(
        session,
        remote_id=intent_id(event.object),
        payment_id=payment_id(event.object),
        account_id=event.account_id or "",
    )


def payment_id(snapshot: Mapping[str, Any]) -> str | None:
    """Our payment id in an intent's metadata, which the processor copies to charges."""
    found = (snapshot.get("metadata") or {}).get("amply_payment_id")
    return found if isinstance(found, str) else None


def intent_id(snapshot: Mapping[str, Any]) -> str:
    """The intent of an event: the object itself, or that of its charge, refund or dispute."""
    is_intent = snapshot.get("object", "payment_intent") == "payment_intent"
    return str(snapshot.get("id" if is_intent else "payment_intent"))


def keeps_event(session: Session, event: webhooks.ProviderEvent) -> bool:
    """Whether to keep an event without handler: of the platform or a known account, and of no erased donor.

    What the processor still tells of an erased donor's gift stays with the processor until somebody handles it, and so
    does what it tells of people and their cards: it moves no money, and no gift would lead an erasure to it.
    """
    if event.type.startswith(_ABOUT_PEOPLE) or event.fetch is not None:
        # A thin event does not say which gift it is about; its snapshot event is found in the processor's list.
        return False
    if event.account_id is not None and not payments.knows_account(session, account_id=event.account_id):
        return False
    return not is_about_the_erased(session, event)


def locked_gift(
    payment_event: PaymentEvent, transaction: EventTransaction, *, asked_about_returns: bool = True
) -> tuple[payments.Payment, DonationRow] | None:
    """Lock an event's payment, and return it with its gift; None if it is not ours.

    Raises:
        AnswerOutdated: What went back of it is not what it was when the processor was asked.
    """
    payment = payments.lock_for_event(
        transaction.session,
        remote_id=intent_id(payment_event.event.object),
        payment_id=payment_id(payment_event.event.object),
        account_id=payment_event.event.account_id or "",
    )
    if payment is None:
        return None
    if asked_about_returns and payment.returns_known != payment_event.payment.returns_known:
        raise payments.AnswerOutdated(payment_event.event.id)
    return payment, transaction.session.get_one(DonationRow, payment.donation_id)


def is_about_the_erased(session: Session, event: webhooks.ProviderEvent) -> bool:
    """Whether the event's donor was erased: then it must be deleted, since it names the payment."""
    payment = find_payment(session, event)
    return payment is not None and session.get_one(DonationRow, payment.donation_id).erased_at is not None


def arrived(row: DonationRow, gross: Money) -> GiftParts:
    """Split what arrived into its parts: the gift first, then the fee cover; any excess belongs to the gift."""
    asked = row.minor_units - row.fee_cover_minor_units
    cover = min(max(gross.minor_units - asked, 0), row.fee_cover_minor_units)
    return GiftParts(gift=gross.minor_units - cover, cover=cover, currency=gross.currency)


def gift_lines(row: DonationRow, parts: GiftParts) -> tuple[ledger.NewTransfer, ...]:
    """Ledger transfers of a gift; its fund is credited with the gift's part alone."""
    cover = Money(minor_units=parts.cover, currency=parts.currency)
    return ledger.donation_succeeded(
        organization_id=row.organization_id,
        amount=Money(minor_units=parts.gift, currency=parts.currency),
        fee_cover=cover if parts.cover else None,
        fund_id=row.fund_id,
    )


def reserved_lines(row: DonationRow) -> tuple[ledger.NewTransfer, ...]:
    """Pending transfers while a bank debit is under way: the full requested amount."""
    cover = row.fee_cover_minor_units
    asked = GiftParts(gift=row.minor_units - cover, cover=cover, currency=row.currency)
    return ledger.postings.reserve(gift_lines(row, asked))


def release(books: GiftBooks, *, event: webhooks.ProviderEvent) -> None:
    """Void the pending entry of a gift that failed, if there is one."""
    gift = books.gift
    if gift.reserved_entry_id is None:
        return
    books.post(
        kind=ledger.Kind.DONATION_FAILED,
        key=f"reserved:{gift.reserved_entry_id}",
        transfers=ledger.postings.void(entry_id=gift.reserved_entry_id, pending=reserved_lines(gift)),
        event_at=event.occurred_at,
        reference=f"stripe:payment_intent:{intent_id(event.object)}",
    )
    gift.reserved_entry_id = None
