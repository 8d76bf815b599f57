"""Rows of disputes and early fraud warnings. Changing one requires its payment's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, load_only

from amply.kernel import ids
from amply.kernel.errors import NotFound
from amply.kernel.money import Money
from amply.modules.payments.domain import Payment
from amply.modules.payments.erasure import erased_reference
from amply.modules.payments.models import DisputeRow, FraudWarningRow, PaymentRow
from amply.modules.payments.refunds import refunds_of, remote_name
from amply.modules.payments.returns import RemoteDispute, RemoteWarning

LISTED_MAX = 1_000
"""Maximum of a list."""


class DisputeNotFound(NotFound):
    """No dispute has this id."""

    code = "dispute_not_found"


@dataclass(frozen=True, kw_only=True)
class DisputeBooks:
    """The booked state of a dispute.

    Attributes:
        booked: Digests of the balance transactions that are.
        opened_entry_id: The newest entry that withdrew something.
        held: What was withdrawn and not given back, minor units.
        lost: What of that is booked as lost, minor units.
        lost_cover: What of that was the donor's fee cover.
    """

    booked: tuple[str, ...] = ()
    opened_entry_id: str | None = None
    held: int = 0
    lost: int = 0
    lost_cover: int = 0

    def has(self, movement_id: str) -> bool:
        """Whether this balance transaction is booked."""
        return erased_reference(movement_id) in self.booked


@dataclass(frozen=True, kw_only=True)
class TakenSoFar:
    """Minor units of a payment already refunded or disputed; `cover`: the fee cover's part of it."""

    minor_units: int
    cover: int


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A dispute (chargeback) of a payment."""

    id: str
    payment_id: str
    status: str
    evidence_due_at: datetime | None
    books: DisputeBooks


@dataclass(frozen=True, kw_only=True)
class ListedDispute:
    """A dispute as operators see it. `remote_id` is its id at the processor."""

    id: str
    organization_id: str
    remote_id: str
    amount: Money
    reason: str
    status: str
    evidence_due_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class ListedWarning:
    """An early fraud warning as operators see it."""

    id: str
    organization_id: str
    remote_id: str
    fraud_type: str
    warned_at: datetime


def dispute_told_of(session: Session, *, payment: Payment, told: RemoteDispute, now: datetime) -> Dispute:
    """The row of a dispute at the processor, created if new."""
    names = (told.remote_id, erased_reference(told.remote_id))
    row = session.scalars(
        select(DisputeRow).where(DisputeRow.payment_id == payment.id, DisputeRow.remote_id.in_(names))
    ).one_or_none()
    if row is None:
        row = DisputeRow(
            id=ids.new_id("dsp"),
            payment_id=payment.id,
            organization_id=payment.organization_id,
            remote_id=remote_name(payment, told.remote_id),
            minor_units=told.amount.minor_units,
            currency=told.amount.currency,
            reason=told.reason,
            status="",
            evidence_due_at=told.evidence_due_at,
            booked=[],
            held_minor_units=0,
            lost_minor_units=0,
            lost_cover_minor_units=0,
            created_at=now,
            updated_at=now,
        )
        session.add(row)
        session.flush()
    return _dispute(row)


def note_dispute(
    session: Session, *, dispute_id: str, told: RemoteDispute, books: DisputeBooks, now: datetime
) -> None:
    """Store a dispute's state, and what of it is booked."""
    row = session.get_one(DisputeRow, dispute_id)
    row.minor_units, row.currency = told.amount.minor_units, told.amount.currency
    row.reason, row.status, row.evidence_due_at = told.reason, told.status, told.evidence_due_at
    row.booked = list(books.booked)
    row.opened_entry_id = books.opened_entry_id
    row.held_minor_units, row.lost_minor_units = books.held, books.lost
    row.lost_cover_minor_units = books.lost_cover
    row.updated_at = now


def dispute_statuses(session: Session, *, payment_id: str) -> Sequence[str]:
    """The processor's statuses of a payment's disputes."""
    session.flush()
    return session.scalars(select(DisputeRow.status).where(DisputeRow.payment_id == payment_id)).all()


def taken_back(session: Session, *, payment_id: str, beside: str) -> TakenSoFar:
    """What refunds and lost disputes (except `beside`) have taken from a payment, or reserved."""
    session.flush()
    refunds = [each for each in refunds_of(session, payment_id=payment_id) if each.id != beside]
    disputes = session.scalars(
        select(DisputeRow).where(DisputeRow.payment_id == payment_id, DisputeRow.id != beside)
    ).all()
    held = [(each.amount.minor_units, each.cover) for each in refunds if each.is_held]
    reserved = [(each.amount.minor_units, each.reserved_cover) for each in refunds if each.is_reserved]
    lost = [(row.lost_minor_units, row.lost_cover_minor_units) for row in disputes]
    parts = [*held, *reserved, *lost]
    return TakenSoFar(minor_units=sum(amount for amount, _ in parts), cover=sum(cover for _, cover in parts))


def lost_to_disputes(session: Session, *, payment_id: str) -> int:
    """Minor units of a payment lost in disputes."""
    session.flush()
    lost = select(func.coalesce(func.sum(DisputeRow.lost_minor_units), 0))
    return int(session.scalars(lost.where(DisputeRow.payment_id == payment_id)).one())


def lost_of_donations(session: Session, *, donation_ids: Sequence[str]) -> dict[str, int]:
    """Minor units of these donations lost in disputes; those without are left out."""
    lost = func.sum(DisputeRow.lost_minor_units)
    rows = session.execute(
        select(PaymentRow.donation_id, lost.label("lost"))
        .join(DisputeRow, DisputeRow.payment_id == PaymentRow.id)
        .where(PaymentRow.donation_id.in_(donation_ids))
        .group_by(PaymentRow.donation_id)
        .having(lost > 0)
    )
    return {row.donation_id: int(row.lost) for row in rows}


def note_warning(session: Session, *, payment: Payment, told: RemoteWarning, now: datetime) -> str | None:
    """Store an early fraud warning and return our id; None if it is stored already."""
    names = (told.remote_id, erased_reference(told.remote_id))
    known = select(FraudWarningRow.id).where(FraudWarningRow.remote_id.in_(names))
    if session.scalar(known) is not None:
        return None
    return session.scalar(
        insert(FraudWarningRow)
        .values(
            id=ids.new_id("frw"),
            payment_id=payment.id,
            organization_id=payment.organization_id,
            remote_id=remote_name(payment, told.remote_id),
            fraud_type=told.fraud_type,
            warned_at=told.warned_at,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(FraudWarningRow.id)
    )


def list_disputes(session: Session, *, is_open: bool, limit: int) -> list[ListedDispute]:
    """Disputes, earliest evidence deadline first; with `is_open` undecided ones only."""
    listed = (
        select(DisputeRow)
        .options(
            load_only(
                DisputeRow.id,
                DisputeRow.organization_id,
                DisputeRow.remote_id,
                DisputeRow.minor_units,
                DisputeRow.currency,
                DisputeRow.reason,
                DisputeRow.status,
                DisputeRow.evidence_due_at,
                DisputeRow.created_at,
                DisputeRow.updated_at,
                raiseload=True,
            )
        )
        .order_by(DisputeRow.evidence_due_at.nulls_last(), DisputeRow.id)
        .limit(min(limit, LISTED_MAX))
    )
    if is_open:
        listed = listed.where(DisputeRow.status.not_in(("won", "lost", "prevented", "warning_closed")))
    return [_listed(row) for row in session.scalars(listed)]


def list_warnings(session: Session, *, limit: int) -> list[ListedWarning]:
    """Early fraud warnings, newest first."""
    columns = FraudWarningRow
    rows = session.execute(
        select(columns.id, columns.organization_id, columns.remote_id, columns.fraud_type, columns.warned_at)
        .order_by(columns.warned_at.desc(), columns.id)
        .limit(min(limit, LISTED_MAX))
    )
    return [
        ListedWarning(
            id=row.id,
            organization_id=row.organization_id,
            remote_id=row.remote_id,
            fraud_type=row.fraud_type,
            warned_at=row.warned_at,
        )
        for row in rows
    ]


def disputed_payment(session: Session, *, dispute_id: str) -> tuple[ListedDispute, str]:
    """A dispute, and its payment's id.

    Raises:
        DisputeNotFound: There is none of this id.
    """
    row = session.get(DisputeRow, dispute_id)
    if row is None:
        raise DisputeNotFound(
            f"There is no dispute {dispute_id}; `admin disputes list` shows those there are."
        )
    return _listed(row), row.payment_id


def _listed(row: DisputeRow) -> ListedDispute:
    return ListedDispute(
        id=row.id,
        organization_id=row.organization_id,
        remote_id=row.remote_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        reason=row.reason,
        status=row.status,
        evidence_due_at=row.evidence_due_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _dispute(row: DisputeRow) -> Dispute:
    return Dispute(
        id=row.id,
        payment_id=row.payment_id,
        status=row.status,
        evidence_due_at=row.evidence_due_at,
        books=DisputeBooks(
            booked=tuple(row.booked),
            opened_entry_id=row.opened_entry_id,
            held=row.held_minor_units,
            lost=row.lost_minor_units,
            lost_cover=row.lost_cover_minor_units,
        ),
    )
