"""What one verified provider event does to a payment, its donation and the books, inside one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from amply.infra import tracing
from amply.kernel.money import Money
from amply.modules import ledger, payments, receipts, webhooks
from amply.modules.donations.domain import DonationStatus, status_of_payment
from amply.modules.donations.integrator_events import Arrived, record_success
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.donations.news import Applies, GiftBooks, GiftNotBookedYet, Hand, News
from amply.modules.donations.openings import gift_of
from amply.modules.donations.parts import GiftParts

_SUCCESS: Final = "payment_intent.succeeded"
_FEE_KNOWN: Final = "charge.updated"
_ABOUT_PEOPLE: Final = ("customer.", "mandate.", "payment_method.", "setup_intent.")


def needs_settlement(event: webhooks.ProviderEvent) -> bool:
    """Whether the processor must be asked what was moved."""
    return event.type in (_SUCCESS, _FEE_KNOWN)


def find_payment(session: Session, event: webhooks.ProviderEvent) -> payments.Payment | None:
    """The payment an event is about; None when it is none of ours.

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
    """Our payment's id in the metadata of an intent, which the processor copies to its charges."""
    found = (snapshot.get("metadata") or {}).get("amply_payment_id")
    return found if isinstance(found, str) else None


def intent_id(snapshot: Mapping[str, Any]) -> str:
    """The intent an event is about: itself, or the one its charge, refund or dispute belongs to."""
    is_intent = snapshot.get("object", "payment_intent") == "payment_intent"
    return str(snapshot.get("id" if is_intent else "payment_intent"))


def keeps_event(session: Session, event: webhooks.ProviderEvent) -> bool:
    """Whether an event that nobody handles yet is kept: the platform's own or a known account's, about nobody erased.

    What the processor still tells of an erased donor's gift stays with the processor until somebody handles it, and so
    does what it tells of people and their cards: it moves no money, and no gift would lead an erasure to it.
    """
    if event.type.startswith(_ABOUT_PEOPLE) or event.fetch is not None:
        # Of a thin event nobody can tell whose gift it is about. Its snapshot is found in the processor's own list.
        return False
    if event.account_id is not None and not payments.knows_account(session, account_id=event.account_id):
        return False
    return not is_about_the_erased(session, event)


def about_gift(news: News) -> Applies:
    """Ask what a payment moved, where its event says that it did."""
    settlement = None
    if needs_settlement(news.event):
        settlement = _settlement(news)

    def apply(hand: Hand) -> webhooks.Outcome:
        return EventInHand(
            session=hand.session,
            event=news.event,
            settlement=settlement,
            secrets=news.secrets,
            now=hand.now,
        ).apply()

    return apply


def _settlement(news: News) -> payments.Settlement:
    """What was moved. Where we are shut out of the account, its own word that the payment has succeeded is what there is.

    Success is final and of the whole amount; the fee stays unknown until the organisation lets us in again.
    """
    try:
        return news.processor.settlement(
            remote_id=intent_id(news.event.object), account_id=news.event.account_id or ""
        )
    except payments.AccountUnreachable:
        if news.event.type != _SUCCESS:
            raise
        return payments.Settlement(gross=news.payment.amount, fee=None)


def locked_gift(
    news: News, hand: Hand, *, asked_about_returns: bool = True
) -> tuple[payments.Payment, DonationRow] | None:
    """Lock the payment that news is about, and find its gift; None when it is none of ours.

    Raises:
        AnswerOutdated: What went back of it is not what it was when the processor was asked.
    """
    payment = payments.lock_for_event(
        hand.session,
        remote_id=intent_id(news.event.object),
        payment_id=payment_id(news.event.object),
        account_id=news.event.account_id or "",
    )
    if payment is None:
        return None
    if asked_about_returns and payment.returns_known != news.payment.returns_known:
        raise payments.AnswerOutdated(news.event.id)
    return payment, hand.session.get_one(DonationRow, payment.donation_id)


def is_about_the_erased(session: Session, event: webhooks.ProviderEvent) -> bool:
    """Whether the event's donor was erased: then it must not stay, for it names the payment."""
    payment = find_payment(session, event)
    return payment is not None and session.get_one(DonationRow, payment.donation_id).erased_at is not None


def arrived(row: DonationRow, gross: Money) -> GiftParts:
    """What arrived, by its parts: the gift whole before the fee's cover, and what is beyond both is the gift's."""
    asked = row.minor_units - row.fee_cover_minor_units
    cover = min(max(gross.minor_units - asked, 0), row.fee_cover_minor_units)
    return GiftParts(gift=gross.minor_units - cover, cover=cover, currency=gross.currency)


def gift_lines(row: DonationRow, parts: GiftParts) -> tuple[ledger.NewTransfer, ...]:
    """What a gift of these parts moves; its fund is credited with the gift's part alone."""
    cover = Money(minor_units=parts.cover, currency=parts.currency)
    return ledger.donation_succeeded(
        organization_id=row.organization_id,
        amount=Money(minor_units=parts.gift, currency=parts.currency),
        fee_cover=cover if parts.cover else None,
        fund_id=row.fund_id,
    )


def reserved_lines(row: DonationRow) -> tuple[ledger.NewTransfer, ...]:
    """What stands in the books while a bank takes days: all that was asked for, and nothing has moved."""
    cover = row.fee_cover_minor_units
    asked = GiftParts(gift=row.minor_units - cover, cover=cover, currency=row.currency)
    return ledger.postings.reserve(gift_lines(row, asked))


def release(books: GiftBooks, *, event: webhooks.ProviderEvent) -> None:
    """Void what is reserved of a gift that will not come this way; nothing where nothing is."""
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


@dataclass(frozen=True, kw_only=True)
class EventInHand:
    """An event, what the processor said of its money, and the transaction its effects belong to."""

    session: Session
    event: webhooks.ProviderEvent
    settlement: payments.Settlement | None
    secrets: ledger.CommitmentSecrets
    now: datetime

    def apply(self) -> webhooks.Outcome:
        """Move payment and donation along their states, book what moved, and owe the donor a receipt."""
        payment = payments.lock_for_event(
            self.session,
            remote_id=intent_id(self.event.object),
            payment_id=payment_id(self.event.object),
            account_id=self.event.account_id or "",
        )
        if payment is None:
            return webhooks.Outcome.NOT_OURS
        row = self.session.get_one(DonationRow, payment.donation_id)
        if self.event.type == _FEE_KNOWN:
            return self._apply_fee(row)
        following = payments.status_of_event(self.event.type)
        if not payments.transition(self.session, payment=payment, following=following, now=self.now):
            return webhooks.Outcome.NO_CHANGE
        if self.settlement is not None:
            self._book_gift(row, self.settlement)
        else:
            books = GiftBooks(session=self.session, gift=row, secrets=self.secrets, now=self.now)
            release(books, event=self.event)
        row.status = status_of_payment(following)
        row.updated_at = self.now
        return webhooks.Outcome.APPLIED

    def _apply_fee(self, row: DonationRow) -> webhooks.Outcome:
        """With asynchronous capture the fee becomes known after the success.

        Raises:
            GiftNotBookedYet: The success is still on its way, and may have read the money before the fee was known.
        """
        if self.settlement is None or self.settlement.fee is None:
            return webhooks.Outcome.NO_CHANGE  # it changed otherwise, as while a bank takes days
        if row.entry_id is None and row.status in (DonationStatus.FAILED, DonationStatus.CANCELED):
            return webhooks.Outcome.NO_CHANGE  # the charge that changed is one that never succeeded
        if row.entry_id is None:
            raise GiftNotBookedYet(self.event.id)
        booked = self._book_fee(row, self.settlement)
        return webhooks.Outcome.APPLIED if booked else webhooks.Outcome.NO_CHANGE

    def _book_gift(self, row: DonationRow, settlement: payments.Settlement) -> None:
        company = receipts.told_of(self.session, donation_id=row.id)[0].company
        personal = {
            "donor_name": row.donor_name,
            "donor_email": row.donor_email,
            "donation_id": row.id,
            "company_name": company.name if company is not None else None,
        }
        parts = arrived(row, settlement.gross)
        lines = gift_lines(row, parts)
        if row.reserved_entry_id is not None:
            lines = ledger.postings.post(
                entry_id=row.reserved_entry_id, pending=reserved_lines(row), moved=lines
            )
            row.reserved_entry_id = None
        posted = self._post(
            row,
            kind=ledger.Kind.DONATION_SUCCEEDED,
            transfers=lines,
            personal={field: value for field, value in personal.items() if value is not None},
        )
        self._book_fee(row, settlement)
        # A gift is what arrived. The processor's truth wins over what was asked for.
        row.minor_units, row.currency = settlement.gross.minor_units, settlement.gross.currency
        row.fee_cover_minor_units = parts.cover
        row.entry_id = posted.id
        arrived_gift = Arrived(
            id=row.id, organization_id=row.organization_id, amount=settlement.gross, fund_id=row.fund_id
        )
        record_success(self.session, arrived_gift, occurred_at=self.event.occurred_at, now=self.now)
        if row.erased_at is None:
            self.session.add(
                ReceiptRow(
                    donation_id=row.id,
                    entry_id=posted.id,
                    attempts=0,
                    next_attempt_at=self.now,
                    received_at=self.event.occurred_at,
                    traceparent=tracing.traceparent(),
                )
            )

    def _book_fee(self, row: DonationRow, settlement: payments.Settlement) -> bool:
        """Post the processor's fee; False when it is unknown, nothing, or posted already."""
        if settlement.fee is None:
            return False
        row.processor_fee_minor_units = settlement.fee.minor_units
        if settlement.fee.minor_units == 0:
            return False
        return self._post(
            row,
            kind=ledger.Kind.PROCESSOR_FEE,
            transfers=ledger.processor_fee(organization_id=row.organization_id, amount=settlement.fee),
            personal={},
        ).created

    def _post(
        self,
        row: DonationRow,
        *,
        kind: ledger.Kind,
        transfers: tuple[ledger.NewTransfer, ...],
        personal: Mapping[str, str],
    ) -> ledger.PostedEntry:
        """One entry per intent and kind, whichever event brings it. About an erased donor nothing is kept to open."""
        remote_id = intent_id(self.event.object)
        entry = ledger.NewEntry(
            kind=kind,
            organization_id=row.organization_id,
            idempotency_key=f"stripe:{remote_id}:{kind}",
            transfers=transfers,
            event_at=self.event.occurred_at,
            # The processor knows whose payment it is: the log commits to the reference and does not show it.
            reference=None,
            personal={**personal, "reference": f"stripe:payment_intent:{remote_id}"},
        )
        return ledger.post(
            self.session,
            entry=entry,
            now=self.now,
            secrets=self.secrets,
            gift=gift_of(row),
            keeps_openings=row.erased_at is None,
        )
