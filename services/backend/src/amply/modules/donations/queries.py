"""Reading donations."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from amply.infra.vault.reencryption import SealedRows, of_records
from amply.kernel.money import Money
from amply.modules import payments, receipts
from amply.modules.donations.domain import (
    DEDICATION_ATTEMPTS_MAX,
    RECEIPT_ATTEMPTS_MAX,
    Costs,
    CoveredFees,
    Donation,
    DonationNotFound,
    DonationStatus,
    OfflineMethod,
    RequestState,
)
from amply.modules.donations.models import (
    DedicationRow,
    DonationRow,
    NoticeRow,
    OfflineGiftRow,
    ReceiptRow,
    RefundRequestRow,
)
from amply.modules.payments import DisputeState, Method

_TOLD_FOR: Final = timedelta(days=1)

GiftRow: TypeAlias = DonationRow | Row[*tuple[Any, ...]]
"""A gift's columns: of the table, or of a view that organisations read, whose types are the table's."""


def get(session: Session, *, donation_id: str) -> Donation:
    """One donation.

    Raises:
        DonationNotFound: No donation has this id.
    """
    row = session.get(DonationRow, donation_id)
    if row is None:
        raise DonationNotFound("No donation has this id; check it and try again.", param="donation_id")
    return donation_of(row)


def covered_fees(session: Session, *, organization_id: str) -> list[CoveredFees]:
    """Fee covers and actual fees, summed by currency and payment method."""
    cover, fee = DonationRow.fee_cover_minor_units, DonationRow.processor_fee_minor_units
    rows = session.execute(
        select(
            DonationRow.currency,
            DonationRow.fee_cover_method,
            func.count().label("gifts"),
            func.sum(cover).label("cover"),
            func.count(fee).label("known"),
            func.coalesce(func.sum(fee), 0).label("fee"),
            func.coalesce(func.sum(cover).filter(fee.is_not(None)), 0).label("cover_of_known"),
        )
        .where(
            DonationRow.organization_id == organization_id,
            DonationRow.status == DonationStatus.SUCCEEDED,
            cover > 0,
        )
        .group_by(DonationRow.currency, DonationRow.fee_cover_method)
        .order_by(DonationRow.currency, DonationRow.fee_cover_method)
    )
    return [
        CoveredFees(
            method=Method(row.fee_cover_method),
            gifts=row.gifts,
            fee_cover=Money(minor_units=int(row.cover), currency=row.currency),
            known=row.known,
            processor_fee=Money(minor_units=int(row.fee), currency=row.currency),
            difference=Money(minor_units=int(row.cover_of_known - row.fee), currency=row.currency),
        )
        for row in rows
    ]


def statuses(session: Session, *, donation_ids: Collection[str]) -> Mapping[str, DonationStatus]:
    """The status of each of these donations."""
    rows = session.execute(select(DonationRow.id, DonationRow.status).where(DonationRow.id.in_(donation_ids)))
    return {row.id: DonationStatus(row.status) for row in rows}


def contested(session: Session, *, donation_ids: Collection[str]) -> frozenset[str]:
    """Those of these gifts that are disputed, were lost in a dispute, or were refunded as fraud.

    What is asked for and not made yet, the worker sees, which collects; strangers' requests do not.
    """
    disputed = session.scalars(
        select(DonationRow.id).where(DonationRow.id.in_(donation_ids), DonationRow.dispute_state.is_not(None))
    )
    asked = session.scalars(
        select(RefundRequestRow.donation_id).where(
            RefundRequestRow.donation_id.in_(donation_ids),
            RefundRequestRow.state == RequestState.WAITING,
            RefundRequestRow.reason == payments.RefundReason.FRAUDULENT,
        )
    )
    refunded = payments.refunded_as_fraud(session, donation_ids=donation_ids)
    return frozenset(disputed) | frozenset(asked) | refunded


def costs(session: Session, *, donation_ids: Collection[str]) -> Mapping[str, Costs]:
    """Fee cover and actual fee of each of these donations."""
    rows = session.scalars(select(DonationRow).where(DonationRow.id.in_(donation_ids)))
    return {row.id: costs_of(row) for row in rows}


def withdraw_declarations(session: Session, *, donation_ids: Collection[str]) -> None:
    """Remove the Gift Aid declaration from those of these gifts that have not succeeded yet."""
    still_open = session.scalars(
        select(DonationRow.id).where(
            DonationRow.id.in_(donation_ids), DonationRow.status != DonationStatus.SUCCEEDED
        )
    ).all()
    receipts.withdraw_declarations(session, donation_ids=still_open)


def count_exhausted_receipts(session: Session) -> int:
    """Count receipts that used up their attempts."""
    exhausted = select(func.count()).where(
        ReceiptRow.sent_at.is_(None),
        ReceiptRow.withheld.is_(None),
        ReceiptRow.attempts >= RECEIPT_ATTEMPTS_MAX,
    )
    return session.scalars(exhausted).one()


def count_exhausted_letters(session: Session, *, now: datetime) -> int:
    """How many other letters used up their attempts: of refused debits, until a person acts; of dedications, for a day.

    Whom a dedication was to be told to is forgotten by then, and nobody can send it any more.
    """
    notices = select(func.count()).where(
        NoticeRow.sent_at.is_(None),
        NoticeRow.withheld.is_(None),
        NoticeRow.attempts >= RECEIPT_ATTEMPTS_MAX,
    )
    dedications = select(func.count()).where(
        DedicationRow.handed_over_at.is_(None),
        DedicationRow.withheld.is_(None),
        DedicationRow.attempts >= DEDICATION_ATTEMPTS_MAX,
        DedicationRow.next_attempt_at > now - _TOLD_FOR,
    )
    return session.scalars(notices).one() + session.scalars(dedications).one()


def sealed_rows() -> tuple[SealedRows, ...]:
    """Rows that key rotation re-encrypts."""
    return (of_records(DonationRow), of_records(DedicationRow), of_records(OfflineGiftRow))


def donation_of(row: GiftRow) -> Donation:
    """The donation a row holds."""
    return Donation(
        id=row.id,
        organization_id=row.organization_id,
        amount=Money(minor_units=row.minor_units, currency=row.currency),
        status=DonationStatus(row.status),
        entry_id=row.entry_id,
        created_at=row.created_at,
        refunded=Money(minor_units=row.refunded_minor_units, currency=row.currency),
        method=None if row.method is None else OfflineMethod(row.method),
        is_reversed=row.reversed_at is not None,
        dispute=None if row.dispute_state is None else DisputeState(row.dispute_state),
        fund_id=row.fund_id,
        plan_id=row.plan_id,
        costs=costs_of(row),
        is_erased=row.erased_at is not None,
    )


def costs_of(row: GiftRow) -> Costs:
    """Fee cover and actual fee in a row."""
    fee = row.processor_fee_minor_units
    return Costs(
        fee_cover=Money(minor_units=row.fee_cover_minor_units, currency=row.currency),
        method=None if row.fee_cover_method is None else Method(row.fee_cover_method),
        processor_fee=None if fee is None else Money(minor_units=fee, currency=row.currency),
    )
