"""Books a gift's disputes, one balance transaction at a time. Inquiries book nothing."""

from dataclasses import replace
from functools import partial

from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules import ledger, payments, webhooks
from amply.modules.donations.bookings import intent_id, locked_gift
from amply.modules.donations.gift_components import TakenBack
from amply.modules.donations.models import DonationRow
from amply.modules.donations.provider_events.context import (
    ApplyAnswer,
    EventTransaction,
    GiftBooks,
    PaymentEvent,
)
from amply.modules.donations.provider_events.reversals import apply_returns


def about_disputes(payment_event: PaymentEvent) -> ApplyAnswer:
    """Query all disputes of the payment, whichever the event names."""
    told = payment_event.processor.disputes(
        remote_id=intent_id(payment_event.event.object), account_id=payment_event.payment.account_id
    )
    return partial(apply_returns, payment_event, told, follow=_follow, conclude=_conclude)


def about_fraud_warning(payment_event: PaymentEvent) -> ApplyAnswer:
    """Query the card issuer's warning. Nothing is refunded automatically."""
    told = payment_event.processor.fraud_warning(
        warning_id=str(payment_event.event.object.get("id")), account_id=payment_event.payment.account_id
    )
    return partial(_apply_warning, payment_event, told)


def _conclude(session: Session, gift: DonationRow, payment: payments.Payment) -> None:
    gift.dispute_state = payments.dispute_state(payments.dispute_statuses(session, payment_id=payment.id))


def _apply_warning(
    payment_event: PaymentEvent, told: payments.RemoteWarning, transaction: EventTransaction
) -> webhooks.Outcome:
    found = locked_gift(payment_event, transaction, asked_about_returns=False)
    if found is None:
        return webhooks.Outcome.NOT_OURS
    warning_id = payments.note_warning(transaction.session, payment=found[0], told=told, now=transaction.now)
    return webhooks.Outcome.NO_CHANGE if warning_id is None else webhooks.Outcome.APPLIED


def _follow(books: GiftBooks, payment: payments.Payment, told: payments.RemoteDispute) -> bool:
    """Book what is not in the books of one dispute; False when it stands as it did."""
    known = payments.dispute_told_of(books.session, payment=payment, told=told, now=books.now)
    standing = known.books
    for movement in told.movements:
        if not standing.has(movement.remote_id):
            standing = _book_movement(books, told, movement, standing)
    if told.is_lost and standing.held > standing.lost:
        beside = payments.taken_back(books.session, payment_id=payment.id, beside=known.id)
        standing = _book_lost(books, told, standing, beside)
    if (standing, told.status, told.evidence_due_at) == (known.books, known.status, known.evidence_due_at):
        return False
    payments.note_dispute(books.session, dispute_id=known.id, told=told, books=standing, now=books.now)
    return True


def _book_movement(
    books: GiftBooks,
    told: payments.RemoteDispute,
    movement: payments.DisputeMovement,
    standing: payments.DisputeBooks,
) -> payments.DisputeBooks:
    """One balance transaction: the amount it withdrew or gave back, and the fee it charged or gave back."""
    if movement.amount.minor_units < 0:
        standing = _book_withdrawn(books, told, movement, standing)
    elif movement.amount.minor_units > 0:
        standing = _book_given_back(books, told, movement, standing)
    fee = _size(movement.fee)
    if fee.minor_units:
        lines = ledger.postings.dispute_fee(organization_id=books.gift.organization_id, amount=fee)
        is_charged = movement.fee.minor_units > 0
        books.post(
            kind=ledger.Kind.DISPUTE_FEE if is_charged else ledger.Kind.DISPUTE_FEE_REFUNDED,
            key=_key(told, movement.remote_id),
            transfers=lines if is_charged else ledger.postings.reverse(lines),
            event_at=movement.moved_at,
            reference=_key(told),
        )
    digest = payments.erased_reference(movement.remote_id)
    return replace(standing, booked=(*standing.booked, digest))


def _book_withdrawn(
    books: GiftBooks,
    told: payments.RemoteDispute,
    movement: payments.DisputeMovement,
    standing: payments.DisputeBooks,
) -> payments.DisputeBooks:
    amount = _size(movement.amount)
    entry_id = books.post(
        kind=ledger.Kind.DISPUTE_OPENED,
        key=_key(told, movement.remote_id),
        transfers=ledger.postings.dispute_opened(organization_id=books.gift.organization_id, amount=amount),
        event_at=movement.moved_at,
        reference=_key(told),
    )
    return replace(standing, opened_entry_id=entry_id, held=standing.held + amount.minor_units)


def _book_given_back(
    books: GiftBooks,
    told: payments.RemoteDispute,
    movement: payments.DisputeMovement,
    standing: payments.DisputeBooks,
) -> payments.DisputeBooks:
    """Out of what is held. What was booked as lost, and won after all, is given to the gift again first."""
    organization_id, amount = books.gift.organization_id, _size(movement.amount)
    lines = ledger.postings.reverse(
        ledger.postings.dispute_opened(organization_id=organization_id, amount=amount)
    )
    free = standing.held - standing.lost
    won_after_all = min(max(0, amount.minor_units - free), standing.lost)
    # The latest loss is reversed first.
    cover = min(won_after_all, standing.lost_cover)
    if won_after_all > 0:
        taken = TakenBack(minor_units=won_after_all, cover=cover, currency=amount.currency)
        lines = (*ledger.postings.reverse(_lost_lines(books.gift, taken)), *lines)
    books.post(
        kind=ledger.Kind.DISPUTE_WON,
        key=_key(told, movement.remote_id),
        transfers=lines,
        event_at=movement.moved_at,
        reference=_key(told),
        reverses=standing.opened_entry_id,
    )
    return replace(
        standing,
        held=max(0, standing.held - amount.minor_units),
        lost=standing.lost - won_after_all,
        lost_cover=standing.lost_cover - cover,
    )


def _book_lost(
    books: GiftBooks,
    told: payments.RemoteDispute,
    standing: payments.DisputeBooks,
    beside: payments.TakenSoFar,
) -> payments.DisputeBooks:
    """What is still held is gone, and with it the gift. `beside`: what refunds and other disputes took of it."""
    so_far = payments.TakenSoFar(
        minor_units=beside.minor_units + standing.lost, cover=beside.cover + standing.lost_cover
    )
    taken = books.parts.take(standing.held - standing.lost, taken=so_far)
    books.post(
        kind=ledger.Kind.DISPUTE_LOST,
        # A dispute that was lost, won and lost again has moved in between.
        key=_key(told, f"{len(standing.booked)}"),
        transfers=_lost_lines(books.gift, taken),
        event_at=told.movements[-1].moved_at if told.movements else told.opened_at,
        reference=_key(told),
    )
    return replace(standing, lost=standing.held, lost_cover=standing.lost_cover + taken.cover)


def _lost_lines(gift: DonationRow, taken: TakenBack) -> tuple[ledger.NewTransfer, ...]:
    return ledger.postings.dispute_lost(
        organization_id=gift.organization_id,
        amount=taken.amount,
        fee_cover=taken.fee_cover,
        fund_id=gift.fund_id,
    )


def _size(amount: Money) -> Money:
    return Money(minor_units=abs(amount.minor_units), currency=amount.currency)


def _key(told: payments.RemoteDispute, *more: str) -> str:
    return ":".join(("stripe:dispute", told.remote_id, *more))
