"""Refunds that we initiate: record and reserve, call the processor outside any transaction, record the result. The refund's
event books it.

Killed between the steps, `complete_stuck_refunds` finishes it a minute later: the key at the processor is derived from
the row, and a refund that carries our id is looked for first. What is reserved stays so until the event comes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from amply.infra import tracing
from amply.infra.database import Database, begins_again
from amply.kernel import ids
from amply.kernel.clock import Clock
from amply.kernel.errors import Conflict, InvalidRequest
from amply.kernel.money import Money, exponent_of, format_minor_units
from amply.modules import ledger, payments
from amply.modules.donations.domain import DonationNotFound, DonationStatus, RequestState
from amply.modules.donations.models import DonationRow, RefundRequestRow
from amply.modules.donations.provider_events.context import GiftBooks
from amply.modules.donations.provider_events.refunds import released_lines, reserved_lines

_log = structlog.get_logger()

_ROUNDS_MAX: Final = 5
_STUCK_MAX: Final = 50
_WAITING: Final = select(RefundRequestRow.id).where(RefundRequestRow.state == RequestState.WAITING)


class DonationNotRefundable(Conflict):
    """There is nothing of this gift that we could ask the processor to give back."""

    code = "donation_not_refundable"


class RefundNotFinished(Conflict):
    """Whether the processor has an earlier refund of the same gift is not known yet."""

    code = "refund_not_finished"


class RefundAmountNotAcceptable(InvalidRequest):
    """The amount is not one that can go back."""

    code = "refund_amount_not_acceptable"


class RefundRefused(Conflict):
    """The processor will not refund this."""

    code = "refund_refused"


@dataclass(frozen=True, kw_only=True)
class RefundDependencies:
    """Dependencies of refunds."""

    database: Database
    processor: payments.Processor
    secrets: ledger.CommitmentSecrets
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class WantedRefund:
    """A refund to make. `amount`: exact, or a decimal such as `5.00`; None: all that is left.

    Attributes:
        amount: Exact, or as people write it, such as `5.00`; None: all that is left.
        organization_id: Whose gift it has to be; None where staff ask.
        asked_at: None: now. The processor may have one that was asked for earlier, whatever our own rows say.
    """

    id: str
    donation_id: str
    amount: Money | str | None
    reason: payments.RefundReason
    organization_id: str | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Refunded:
    """A refund at the processor. `status` is the processor's; it is booked by its event."""

    id: str
    donation_id: str
    amount: Money
    status: payments.RefundStatus


def refund(
    parts: RefundDependencies, *, donation_id: str, amount: str | None, reason: payments.RefundReason
) -> Refunded:
    """Refund some or all of a gift. `amount` is a decimal such as `5.00`; None: all that is left.

    Raises:
        As `carry_out` does.
    """
    wanted = WantedRefund(id=ids.new_id("rfd"), donation_id=donation_id, amount=amount, reason=reason)
    return carry_out(parts, wanted)


def carry_out(
    parts: RefundDependencies, wanted: WantedRefund, *, beside: Callable[[Session], None] | None = None
) -> Refunded:
    """Record and reserve, call the processor, record its answer. `beside` runs in the recording transaction.

    Raises:
        DonationNotFound: There is no such gift.
        DonationNotRefundable: It has not arrived, is disputed, nothing is left of it, or its donor was erased.
        RefundNotFinished: An earlier refund of it is not answered yet, or its organisation has asked for one that is not made yet.
        RefundAmountNotAcceptable: The amount cannot be read, or is not above zero.
        ReversalExceedsOriginal: More than was given would go back; the database says so.
        BookingsPaused: Nothing can be reserved now.
        RefundRefused: The processor said no; nothing is reserved any more.
        ProcessorUnavailable: No answer; the refund is recorded, and completed by itself.
    """
    recorded, payment = _recorded(parts, wanted, beside=beside)
    tracing.annotate(donation_id=wanted.donation_id, payment_id=payment.id)
    told = _open(parts, recorded, payment)
    return Refunded(id=recorded.id, donation_id=wanted.donation_id, amount=told.amount, status=told.status)


def complete_stuck_refunds(parts: RefundDependencies) -> int:
    """Complete refunds interrupted by a crash; return how many. Ten attempts each, with backoff.

    The first that the processor does not answer about ends the run.
    """
    done = 0
    for _ in range(_STUCK_MAX):
        with parts.database.transaction() as session:
            stuck = payments.claim_stuck_refund(session, now=parts.clock())
        if stuck is None:
            break
        completed = _complete(parts, *stuck)
        if completed is None:
            break
        done += completed
    return done


def _complete(parts: RefundDependencies, recorded: payments.Refund, payment: payments.Payment) -> bool | None:
    """Finish one; whatever stops this one must not stop the others, but that nobody answers (None)."""
    try:
        _open(parts, recorded, payment)
    except (RefundRefused, payments.ProcessorUnavailable) as reason:
        _log.warning("stuck_refund_not_completed", refund_id=recorded.id, reason=reason.code)
        return None if is_silence(reason) else False
    except Exception:  # noqa: BLE001 -- the attempt is counted: it waits its turn and holds back no other
        _log.exception("stuck_refund_not_completed", refund_id=recorded.id)
        return False
    return True


def is_silence(reason: Exception) -> bool:
    """Whether the processor answers nobody, and not only about this refund."""
    return isinstance(reason, payments.ProcessorUnavailable) and not isinstance(
        reason, payments.RefundsNotShown
    )


def _recorded(
    parts: RefundDependencies, wanted: WantedRefund, *, beside: Callable[[Session], None] | None
) -> tuple[payments.Refund, payments.Payment]:
    for left in reversed(range(_ROUNDS_MAX)):
        try:
            with parts.database.transaction() as session:
                if beside is not None:
                    # Payments before what else is locked, as erasing does: of two that lock in opposite orders one is ended.
                    payments.lock_for_refund(session, donation_id=wanted.donation_id)
                    beside(session)
                return _record(parts, session, wanted, now=parts.clock())
        except OperationalError as error:
            if left == 0 or not begins_again(error):
                raise
    raise AssertionError("the last round returns or raises")


def _record(
    parts: RefundDependencies, session: Session, wanted: WantedRefund, *, now: datetime
) -> tuple[payments.Refund, payments.Payment]:
    payment = payments.lock_for_refund(session, donation_id=wanted.donation_id)
    if payment is None and session.get(DonationRow, wanted.donation_id) is not None:
        raise DonationNotRefundable(
            "This gift never passed the processor: the organisation gives it back itself; then reverse it with "
            "'donation offline reverse'."
        )
    if payment is None:
        raise DonationNotFound("No donation has this id; check it and try again.", param="donation_id")
    if wanted.organization_id not in (None, payment.organization_id):
        raise DonationNotFound(
            "This is no gift of the organisation that asks; ask for the list of its gifts.",
            param="donation_id",
        )
    gift = session.get_one(DonationRow, wanted.donation_id)
    money = _amount(session, gift, payment, wanted)
    books = GiftBooks(session=session, gift=gift, secrets=parts.secrets, now=now)
    before = payments.taken_back(session, payment_id=payment.id, beside=wanted.id)
    taken = books.parts.take(money.minor_units, taken=before)
    entry_id = books.post(
        kind=ledger.Kind.REFUND_INITIATED,
        key=f"refund:{wanted.id}",
        transfers=reserved_lines(gift, taken),
        event_at=now,
        reference=f"stripe:payment_intent:{payment.remote_id}",
        reverses=gift.entry_id,
        reason=wanted.reason,
    )
    recorded = payments.record_refund(
        session,
        refund_id=wanted.id,
        payment=payment,
        amount=money,
        reason=wanted.reason,
        reserved_entry_id=entry_id,
        reserved_cover=taken.cover,
        asked_at=wanted.asked_at or now,
        now=now,
    )
    return recorded, payment


def _amount(session: Session, gift: DonationRow, payment: payments.Payment, wanted: WantedRefund) -> Money:
    """What should go back. How much may, the database decides when it is reserved."""
    _require_refundable(session, gift, payment, refund_id=wanted.id)
    if isinstance(wanted.amount, Money):
        return wanted.amount
    if wanted.amount is not None:
        return _written(wanted.amount, currency=gift.currency)
    earlier = payments.refunds_of(session, payment_id=payment.id)
    left = gift.minor_units - sum(each.amount.minor_units for each in earlier if each.takes_up)
    if left <= 0:
        raise DonationNotRefundable("All of this gift has gone back; look at its refunds on the dashboard.")
    return Money(minor_units=left, currency=gift.currency)


def _require_refundable(
    session: Session, gift: DonationRow, payment: payments.Payment, *, refund_id: str
) -> None:
    if gift.entry_id is None or gift.status != DonationStatus.SUCCEEDED:
        raise DonationNotRefundable(
            "This gift has not arrived, so nothing can go back; look at how it stands."
        )
    if gift.dispute_state is not None:
        raise DonationNotRefundable(
            "The donor's bank has taken this gift up: answer the dispute, or accept it on the processor's dashboard."
        )
    if payments.is_erased(payment.remote_id):
        raise DonationNotRefundable(
            "This gift's donor was erased, and with them its name at the processor: refund it on the processor's dashboard."
        )
    for each in payments.refunds_of(session, payment_id=payment.id):
        if each.status is payments.RefundStatus.CREATED:
            raise RefundNotFinished(
                f"Refund {each.id} of this gift is not answered yet: it is completed by itself; try again in some minutes."
            )
    asked = session.scalar(_WAITING.where(RefundRequestRow.donation_id == gift.id))
    if asked not in (None, refund_id):
        raise RefundNotFinished(
            f"The organisation has asked for refund {asked} of this gift: it is made by itself; try again in some minutes."
        )


def _written(amount: str, *, currency: str) -> Money:
    try:
        return Money.from_decimal(amount, currency=currency)
    except ValueError:
        example = format_minor_units(5 * 10 ** exponent_of(currency), currency).partition(" ")[0]
        raise RefundAmountNotAcceptable(
            f"Write the amount as digits above zero, such as {example}, in {currency}.", param="amount"
        ) from None


def _open(
    parts: RefundDependencies, recorded: payments.Refund, payment: payments.Payment
) -> payments.RemoteRefund:
    try:
        told = payments.open_refund(parts.processor, refund=recorded, payment=payment, now=parts.clock())
    except payments.ProcessorRefused as refusal:
        _release(parts, recorded, payment)
        raise RefundRefused(
            "The processor refused this refund, and nothing is reserved any more; its dashboard says whether the payment is "
            "refunded or disputed already."
        ) from refusal
    with parts.database.transaction() as session:
        payments.lock_for_refund(session, donation_id=payment.donation_id)
        payments.note_refund_opened(session, refund=recorded, told=told, now=parts.clock())
    _log.info("refund_opened", refund_id=recorded.id, payment_id=payment.id)
    return told


def _release(parts: RefundDependencies, recorded: payments.Refund, payment: payments.Payment) -> None:
    """A no is an answer: give back what was reserved, unless an event says that there is a refund after all."""
    now = parts.clock()
    with parts.database.transaction() as session:
        payments.lock_for_refund(session, donation_id=payment.donation_id)
        for standing in payments.refunds_of(session, payment_id=payment.id):
            if standing.id != recorded.id or standing.status is not payments.RefundStatus.CREATED:
                continue
            gift = session.get_one(DonationRow, payment.donation_id)
            entry_id = GiftBooks(session=session, gift=gift, secrets=parts.secrets, now=now).post(
                kind=ledger.Kind.REFUND_FAILED,
                key=f"refund:{recorded.id}",
                transfers=released_lines(gift, standing),
                event_at=now,
                reference=f"stripe:payment_intent:{payment.remote_id}",
                reverses=gift.entry_id,
            )
            payments.note_refund_refused(session, refund_id=recorded.id, failed_entry_id=entry_id, now=now)
