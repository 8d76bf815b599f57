"""Rows of refunds, by us or reported by the processor. Changing one requires its payment's lock."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.kernel.errors import invariant
from amply.kernel.money import Money
from amply.modules.payments.domain import (
    AccountUnreachable,
    Payment,
    ProcessorRefused,
    ProcessorUnavailable,
)
from amply.modules.payments.erasure import erased_reference, is_erased
from amply.modules.payments.models import PaymentRow, RefundRow
from amply.modules.payments.ports import Processor
from amply.modules.payments.returns import RefundReason, RefundStatus, RemoteRefund
from amply.modules.payments.service import payment_of
from amply.modules.payments.stuck import STUCK_AFTER, claim_stuck_row, count_given_up

_NOT_SHOWN: Final = "Whether this refund was made cannot be seen now: it is looked at again by itself."


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A refund, completed or not.

    Attributes:
        reserved_entry_id: The entry that reserved it, where we asked for it.
        reserved_cover: What of that was reserved on the donor's fee cover, minor units.
        cover: What of it was taken from the fee cover when it moved, minor units.
        entry_id: The entry that says it moved.
        failed_entry_id: The entry that took it back, or released what was reserved.
        created_at: When it was asked for, or when we first heard of it.
    """

    id: str
    payment_id: str
    amount: Money
    status: RefundStatus
    reason: RefundReason | None
    remote_id: str | None
    reserved_entry_id: str | None
    entry_id: str | None
    failed_entry_id: str | None
    created_at: datetime
    reserved_cover: int = 0
    cover: int = 0

    @property
    def is_held(self) -> bool:
        """Whether its money has left the organisation and not come back."""
        return self.entry_id is not None and self.failed_entry_id is None

    @property
    def is_reserved(self) -> bool:
        """Whether what we asked for waits in the books to be booked or released."""
        return self.reserved_entry_id is not None and self.entry_id is None and self.failed_entry_id is None

    @property
    def takes_up(self) -> bool:
        """Whether its amount cannot be refunded a second time."""
        return self.status not in (RefundStatus.FAILED, RefundStatus.CANCELED)


def record_refund(
    session: Session,
    *,
    refund_id: str,
    payment: Payment,
    amount: Money,
    reason: RefundReason,
    reserved_entry_id: str,
    reserved_cover: int,
    asked_at: datetime,
    now: datetime,
) -> Refund:
    """Write down that we shall ask for a refund, in the transaction that reserves it in the books.

    It is stuck a minute from `now` on, however long ago it was asked for.
    """
    row = RefundRow(
        id=refund_id,
        payment_id=payment.id,
        minor_units=amount.minor_units,
        currency=amount.currency,
        status=RefundStatus.CREATED,
        reason=reason,
        reserved_entry_id=reserved_entry_id,
        reserved_cover_minor_units=reserved_cover,
        cover_minor_units=0,
        attempts=0,
        next_attempt_at=now + STUCK_AFTER,
        created_at=asked_at,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return _refund(row)


def refunds_of(session: Session, *, payment_id: str) -> list[Refund]:
    """All refunds of a payment, the oldest first."""
    rows = session.scalars(
        select(RefundRow)
        .where(RefundRow.payment_id == payment_id)
        .order_by(RefundRow.created_at, RefundRow.id)
    )
    return [_refund(row) for row in rows]


def refunded_as_fraud(session: Session, *, donation_ids: Collection[str]) -> frozenset[str]:
    """Those of these donations of which something was given back, or is to be, because their donors did not mean them."""
    rows = session.scalars(
        select(PaymentRow.donation_id)
        .join(RefundRow, RefundRow.payment_id == PaymentRow.id)
        .where(
            PaymentRow.donation_id.in_(donation_ids),
            RefundRow.reason == RefundReason.FRAUDULENT,
            RefundRow.status.not_in((RefundStatus.FAILED, RefundStatus.CANCELED)),
        )
    )
    return frozenset(rows)


def refund_told_of(session: Session, *, payment: Payment, told: RemoteRefund, now: datetime) -> Refund:
    """The refund the processor speaks of: found by its id there, or by ours in its metadata while we do not know that.

    One that was made on the processor's own pages is recorded now, as is one of ours that a restored database has lost: that keeps
    its id. (Metadata can be edited there: an id of ours that belongs to another payment, or to a refund with another id, finds
    nothing.)
    """
    row = _one_told_of(session, payment=payment, told=told)
    if row is None:
        row = RefundRow(
            id=_id_for(session, told),
            payment_id=payment.id,
            minor_units=told.amount.minor_units,
            currency=told.amount.currency,
            status=RefundStatus.PENDING,
            reason=told.reason,
            reserved_cover_minor_units=0,
            cover_minor_units=0,
            attempts=0,
            created_at=now,
            updated_at=now,
        )
        session.add(row)
    row.remote_id = row.remote_id or remote_name(payment, told.remote_id)
    session.flush()
    return _refund(row)


def note_refund(
    session: Session,
    *,
    refund_id: str,
    told: RemoteRefund,
    entry_id: str | None,
    failed_entry_id: str | None,
    cover: int,
    now: datetime,
) -> None:
    """Write down how the processor says it stands, and the entries that say the same."""
    row = session.get_one(RefundRow, refund_id)
    if entry_id is not None:
        # What moved counts. Until then a row of ours says what is reserved.
        row.minor_units, row.currency = told.amount.minor_units, told.amount.currency
        row.cover_minor_units = cover
    row.status = told.status
    row.entry_id, row.failed_entry_id = entry_id, failed_entry_id
    row.updated_at = now


def note_refund_opened(session: Session, *, refund: Refund, told: RemoteRefund, now: datetime) -> None:
    """Write down the processor's id of a refund of ours. An event may have brought it before us; then both agree."""
    row = session.scalars(select(RefundRow).where(RefundRow.id == refund.id).with_for_update()).one_or_none()
    if row is None:
        return  # the donor was erased meanwhile, and the refund has another name
    invariant(row.remote_id in (None, told.remote_id), "a refund is one refund at the processor for ever")
    row.remote_id = told.remote_id
    if row.status == RefundStatus.CREATED:
        row.status = RefundStatus.PENDING
    row.updated_at = now


def note_refund_refused(session: Session, *, refund_id: str, failed_entry_id: str, now: datetime) -> None:
    """The processor said no, and what was reserved is released."""
    row = session.get_one(RefundRow, refund_id)
    row.status = RefundStatus.FAILED
    row.failed_entry_id = failed_entry_id
    row.updated_at = now


class RefundsNotShown(ProcessorUnavailable):
    """Whether a refund was made cannot be seen: the processor does not let us look at this payment's refunds now."""


def open_refund(processor: Processor, *, refund: Refund, payment: Payment, now: datetime) -> RemoteRefund:
    """Ask for a refund, with a key derived from its row: repeating this is the same refund, never a second one.

    The processor forgets keys after a day, but not metadata: when this may be a repetition, a refund that carries our id
    is looked for first. That is told by when it was asked for, which a restored database knows too.

    Raises:
        ProcessorUnavailable: No answer.
        RefundsNotShown: It may have been made, and nobody can say now.
        ProcessorRefused: It was not made.
    """
    if now - refund.created_at <= STUCK_AFTER:
        return _create(processor, refund, payment)
    try:
        made = processor.refunds(remote_id=payment.remote_id or "", account_id=payment.account_id)
    except ProcessorRefused as refusal:
        raise RefundsNotShown(_NOT_SHOWN) from refusal
    for told in made:
        if told.refund_id == refund.id:
            return told
    try:
        return _create(processor, refund, payment)
    except AccountUnreachable as refusal:
        raise RefundsNotShown(_NOT_SHOWN) from refusal


def _create(processor: Processor, refund: Refund, payment: Payment) -> RemoteRefund:
    return processor.create_refund(
        refund_id=refund.id,
        payment_id=payment.id,
        remote_id=payment.remote_id or "",
        account_id=payment.account_id,
        amount=refund.amount,
        reason=refund.reason,
        idempotency_key=f"refund:{refund.id}:create",
    )


def claim_stuck_refund(session: Session, *, now: datetime) -> tuple[Refund, Payment] | None:
    """Count an attempt at the refund that has waited longest of those whose answer did not come back within a minute.

    After ten attempts a refund waits for a person; until then the attempts are ever further apart.
    """
    row = claim_stuck_row(session, RefundRow, now=now)
    return None if row is None else (_refund(row), payment_of(session.get_one(PaymentRow, row.payment_id)))


def count_exhausted_refunds(session: Session) -> int:
    """How many refunds of ours used up their attempts and wait for a person."""
    return count_given_up(session, RefundRow)


def remote_name(payment: Payment, remote_id: str) -> str:
    """What is kept of the processor's id: a digest where its payment's donor was erased."""
    return erased_reference(remote_id) if is_erased(payment.remote_id) else remote_id


def _id_for(session: Session, told: RemoteRefund) -> str:
    """The id that a refund we do not know was made under, where it is one of ours and nobody else has it."""
    said = told.refund_id or ""
    if ids.is_id(said, prefix="rfd") and session.get(RefundRow, said) is None:
        return said
    return ids.new_id("rfd")


def _one_told_of(session: Session, *, payment: Payment, told: RemoteRefund) -> RefundRow | None:
    of_payment = select(RefundRow).where(RefundRow.payment_id == payment.id)
    names = (told.remote_id, erased_reference(told.remote_id))
    row = session.scalars(of_payment.where(RefundRow.remote_id.in_(names))).one_or_none()
    if row is not None or told.refund_id is None:
        return row
    return session.scalars(
        of_payment.where(RefundRow.id == told.refund_id, RefundRow.remote_id.is_(None))
    ).one_or_none()


def _refund(row: RefundRow) -> Refund:
    return Refund(
        id=row.id,
        payment_id=row.payment_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        status=RefundStatus(row.status),
        reason=None if row.reason is None else RefundReason(row.reason),
        remote_id=row.remote_id,
        reserved_entry_id=row.reserved_entry_id,
        entry_id=row.entry_id,
        failed_entry_id=row.failed_entry_id,
        created_at=row.created_at,
        reserved_cover=row.reserved_cover_minor_units,
        cover=row.cover_minor_units,
    )
