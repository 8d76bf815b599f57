"""Books a gift's refunds, whoever made them and in whatever order their events arrive."""

from dataclasses import replace
from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from amply.modules import ledger, payments
from amply.modules.donations.bookings import intent_id
from amply.modules.donations.domain import RequestState
from amply.modules.donations.gift_components import TakenBack
from amply.modules.donations.models import DonationRow, RefundRequestRow
from amply.modules.donations.provider_events.context import ApplyAnswer, GiftBooks, PaymentEvent
from amply.modules.donations.provider_events.reversals import apply_returns

Lines = tuple[ledger.NewTransfer, ...]


def about_refunds(payment_event: PaymentEvent) -> ApplyAnswer:
    """Query all refunds of the payment, whichever the event names."""
    told = payment_event.processor.refunds(
        remote_id=intent_id(payment_event.event.object), account_id=payment_event.payment.account_id
    )
    return partial(
        apply_returns, payment_event, told, follow=partial(_follow, payment_event), conclude=_conclude
    )


def refund_lines(gift: DonationRow, taken: TakenBack) -> Lines:
    """Ledger transfers of a refund; the gift's part comes out of its fund.

    A donor's contribution to the platform will be taken last, once gifts have one.
    """
    return ledger.postings.refund(
        organization_id=gift.organization_id,
        amount=taken.amount,
        fee_cover=taken.fee_cover,
        fund_id=gift.fund_id,
    )


def reserved_lines(gift: DonationRow, taken: TakenBack) -> Lines:
    """Pending transfers before a refund is requested."""
    return ledger.postings.reserve(refund_lines(gift, taken))


def _conclude(session: Session, gift: DonationRow, payment: payments.Payment) -> None:
    held = [each for each in payments.refunds_of(session, payment_id=payment.id) if each.is_held]
    gift.refunded_minor_units = sum(each.amount.minor_units for each in held)


def _follow(
    payment_event: PaymentEvent, books: GiftBooks, payment: payments.Payment, told: payments.RemoteRefund
) -> bool:
    """Book what is not in the books of one refund; False when it stands as it did."""
    if _names_a_request_of_another(books, told):
        told = replace(told, refund_id=None)
    known = payments.refund_told_of(books.session, payment=payment, told=told, now=books.now)
    if known.id == told.refund_id and known.reserved_entry_id is None:
        _take_as_recorded(books.session, refund_id=known.id)
    entry_id, failed_entry_id = known.entry_id, known.failed_entry_id
    taken = TakenBack(minor_units=told.amount.minor_units, cover=known.cover, currency=told.amount.currency)
    if entry_id is None and told.moved_at is not None:
        taken = _taken(books, payment, known, told)
        entry_id = _book_moved(books, known, told, taken)
        # What was released has moved after all: it has not failed, unless it does so now.
        failed_entry_id = None
    if failed_entry_id is None and told.has_failed:
        failed_entry_id = _book_failed(payment_event, books, known, told, entry_id, taken)
    if (entry_id, failed_entry_id, told.status) == (known.entry_id, known.failed_entry_id, known.status):
        return False
    payments.note_refund(
        books.session,
        refund_id=known.id,
        told=told,
        entry_id=entry_id,
        failed_entry_id=failed_entry_id,
        cover=taken.cover,
        now=books.now,
    )
    return True


def _names_a_request_of_another(books: GiftBooks, told: payments.RemoteRefund) -> bool:
    """Whether the id that it was made under is of another gift's request: metadata can be edited at the processor."""
    if told.refund_id is None:
        return False
    request = books.session.get(RefundRequestRow, told.refund_id)
    return request is not None and request.donation_id != books.gift.id


def _take_as_recorded(session: Session, *, refund_id: str) -> None:
    """The request for a refund that a restored database has lost, and may have refused since: the processor made it."""
    undecided_or_refused = RefundRequestRow.state.in_((RequestState.WAITING, RequestState.REFUSED))
    session.execute(
        update(RefundRequestRow)
        .where(RefundRequestRow.id == refund_id, undecided_or_refused)
        .values(state=RequestState.RECORDED, refusal=None)
        .execution_options(synchronize_session=False)
    )


def _taken(
    books: GiftBooks, payment: payments.Payment, known: payments.Refund, told: payments.RemoteRefund
) -> TakenBack:
    """From which parts a refund is taken: as it was reserved, or what is left of the gift first."""
    if known.is_reserved and known.amount == told.amount:
        return _reserved(known)
    taken = payments.taken_back(books.session, payment_id=payment.id, beside=known.id)
    return books.parts.take(told.amount.minor_units, taken=taken)


def _book_moved(
    books: GiftBooks, known: payments.Refund, told: payments.RemoteRefund, taken: TakenBack
) -> str:
    """Post what we reserved, or what somebody refunded on the processor's own pages."""
    lines = refund_lines(books.gift, taken)
    if known.is_reserved:
        lines = ledger.postings.post(
            entry_id=known.reserved_entry_id or "",
            pending=reserved_lines(books.gift, _reserved(known)),
            moved=lines,
        )
    return books.post(
        kind=ledger.Kind.DONATION_REFUNDED,
        key=_key(told),
        transfers=lines,
        event_at=told.moved_at or books.now,
        reference=_key(told),
        reverses=books.gift.entry_id,
        # What somebody said of a refund on the processor's own pages was not said to be public.
        reason=known.reason if known.reserved_entry_id is not None else None,
    )


def _book_failed(
    payment_event: PaymentEvent,
    books: GiftBooks,
    known: payments.Refund,
    told: payments.RemoteRefund,
    entry_id: str | None,
    taken: TakenBack,
) -> str | None:
    """Take a refund back that was booked, or release what was reserved; None when nothing of it is in the books."""
    if entry_id is not None:
        lines, reverses = ledger.postings.reverse(refund_lines(books.gift, taken)), entry_id
    elif known.reserved_entry_id is not None:
        lines = released_lines(books.gift, known)
        reverses = books.gift.entry_id or ""
    else:
        return None
    return books.post(
        kind=ledger.Kind.REFUND_FAILED,
        key=_key(told),
        transfers=lines,
        event_at=told.returned_at or payment_event.event.occurred_at,
        reference=_key(told),
        reverses=reverses,
    )


def released_lines(gift: DonationRow, refund: payments.Refund) -> Lines:
    """Transfers that void a refund's pending entry."""
    return ledger.postings.void(
        entry_id=refund.reserved_entry_id or "", pending=reserved_lines(gift, _reserved(refund))
    )


def _reserved(refund: payments.Refund) -> TakenBack:
    return TakenBack(
        minor_units=refund.amount.minor_units, cover=refund.reserved_cover, currency=refund.amount.currency
    )


def _key(told: payments.RemoteRefund) -> str:
    return f"stripe:refund:{told.remote_id}"
