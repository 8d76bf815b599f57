"""Reading donations."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules.donations.domain import (
    RECEIPT_ATTEMPTS_MAX,
    Donation,
    DonationNotFound,
    DonationStatus,
    Method,
)
from amply.modules.donations.models import DonationRow, ReceiptRow
from amply.modules.payments import DisputeState


def get(session: Session, *, donation_id: str) -> Donation:
    """One donation.

    Raises:
        DonationNotFound: No donation has this id.
    """
    row = session.get(DonationRow, donation_id)
    if row is None:
        raise DonationNotFound("No donation has this id; check it and try again.", param="donation_id")
    return donation_of(row)


def count_exhausted_receipts(session: Session) -> int:
    """How many receipts used up their attempts and wait for a person."""
    exhausted = select(func.count()).where(
        ReceiptRow.sent_at.is_(None), ReceiptRow.attempts >= RECEIPT_ATTEMPTS_MAX
    )
    return session.scalars(exhausted).one()


def donation_of(row: DonationRow) -> Donation:
    """The donation a row holds."""
    return Donation(
        id=row.id,
        organization_id=row.organization_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        status=DonationStatus(row.status),
        entry_id=row.entry_id,
        created_at=row.created_at,
        refunded=Money(minor_units=row.refunded_minor_units, currency=row.currency),
        method=None if row.method is None else Method(row.method),
        is_reversed=row.reversed_at is not None,
        dispute=None if row.dispute_state is None else DisputeState(row.dispute_state),
    )
