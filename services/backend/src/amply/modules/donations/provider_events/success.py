"""Events of payments that succeeded, were canceled, or whose fee became known: updates the gift and the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from amply.infra import tracing
from amply.modules import ledger, payments, receipts, webhooks
from amply.modules.donations.bookings import (
    arrived,
    gift_lines,
    intent_id,
    locked_gift,
    release,
    reserved_lines,
)
from amply.modules.donations.domain import DonationStatus, status_of_payment
from amply.modules.donations.integrator_events import Arrived, record_success
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.donations.openings import gift_of
from amply.modules.donations.provider_events.context import (
    ApplyAnswer,
    EventTransaction,
    GiftBooks,
    GiftNotBookedYet,
    PaymentEvent,
)

_SUCCESS: Final = "payment_intent.succeeded"
_FEE_KNOWN: Final = "charge.updated"


def needs_settlement(event: webhooks.ProviderEvent) -> bool:
    """Whether the processor must be asked for the settled amounts."""
    return event.type in (_SUCCESS, _FEE_KNOWN)


def about_gift(payment_event: PaymentEvent) -> ApplyAnswer:
    """Query a payment's settled amounts, if its event says that it succeeded."""
    settlement = None
    if needs_settlement(payment_event.event):
        settlement = _settlement(payment_event)

    def apply(transaction: EventTransaction) -> webhooks.Outcome:
        found = locked_gift(payment_event, transaction, asked_about_returns=False)
        if found is None:
            return webhooks.Outcome.NOT_OURS
        booking = GiftEventBooking(
            session=transaction.session,
            event=payment_event.event,
            settlement=settlement,
            secrets=payment_event.secrets,
            now=transaction.now,
        )
        return booking.apply(*found)

    return apply


def _settlement(payment_event: PaymentEvent) -> payments.Settlement:
    """What was moved. Where we are shut out of the account, its own word that the payment has succeeded is what there is.

    Success is final and of the whole amount; the fee stays unknown until the organisation lets us in again.
    """
    try:
        return payment_event.processor.settlement(
            remote_id=intent_id(payment_event.event.object), account_id=payment_event.event.account_id or ""
        )
    except payments.AccountUnreachable:
        if payment_event.event.type != _SUCCESS:
            raise
        return payments.Settlement(gross=payment_event.payment.amount, fee=None)


@dataclass(frozen=True, kw_only=True)
class GiftEventBooking:
    """An event, the processor's account of the money, and the transaction in which it takes effect."""

    session: Session
    event: webhooks.ProviderEvent
    settlement: payments.Settlement | None
    secrets: ledger.CommitmentSecrets
    now: datetime

    def apply(self, payment: payments.Payment, row: DonationRow) -> webhooks.Outcome:
        """Move payment and donation along their states, book what moved, and owe the donor a receipt."""
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
        # The amount that arrived counts, not the requested one.
        row.minor_units, row.currency = settlement.gross.minor_units, settlement.gross.currency
        row.fee_cover_minor_units = parts.cover
        row.entry_id = posted.id
        succeeded = Arrived(
            id=row.id,
            organization_id=row.organization_id,
            amount=settlement.gross,
            fund_id=row.fund_id,
            plan_id=row.plan_id,
        )
        record_success(self.session, succeeded, occurred_at=self.event.occurred_at, now=self.now)
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
