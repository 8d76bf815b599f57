"""What an organisation sees of its gifts: donor, purpose, dedication and message, as far as the donor allows."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.spreadsheet_cells import as_cell
from amply.kernel.money import Money
from amply.modules import organizations, payments, receipts
from amply.modules.donations.domain import Channel, DonationStatus
from amply.modules.donations.models import DedicationRow, DonationRow, ReceiptRow
from amply.modules.donations.options import Anonymity
from amply.modules.donations.queries import donation_of

_ROWS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class ListedGift:
    """A succeeded gift. Without the donor's identity where it is anonymous or erased.

    `fee_cover` is a part of `amount`: what its donor added for the processor's fee, which no fund is credited with.
    `given_back` is what of `amount` went back to the donor, by refunds and by disputes that were lost; `standing` says
    which it was. `method` is `online`, or how an offline gift came: what was given `in_kind` is no money, and `amount` then
    what the organisation put its value at.
    """

    donation_id: str
    received_on: str
    amount: str
    fee_cover: str
    given_back: str
    currency: str
    standing: str
    method: str
    fund: str
    donor_name: str
    donor_email: str
    company: str
    may_be_named: str
    dedication: str
    honouree: str
    message: str


def gifts_of(database: Database, *, organization_id: str, first: date, last: date) -> list[ListedGift]:
    """Gifts of a period in the organisation's time zone, oldest first. Personal: for the organisation alone.

    Raises:
        OrganizationNotFound: No organisation has this id.
    """
    with database.transaction() as session:
        organizations.get(session, organization_id=organization_id)
        settings = receipts.settings_of(session, organization_id=organization_id)
        span = receipts.FiscalYear.of_days(settings, first=first, last=last)
        funds = {
            fund.id: fund.name for fund in organizations.funds_of(session, organization_id=organization_id)
        }
        return list(_listed(session, organization_id, span, funds))


def as_csv(gifts: list[ListedGift]) -> str:
    """CSV (RFC 4180) with a header; texts are escaped against formulas."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([field.name for field in fields(ListedGift)])
    writer.writerows([as_cell(cell) for cell in asdict(gift).values()] for gift in gifts)
    return written.getvalue()


def _listed(
    session: Session, organization_id: str, span: receipts.FiscalYear, funds: dict[str, str]
) -> Iterator[ListedGift]:
    given_at = func.coalesce(ReceiptRow.received_at, DonationRow.created_at)
    rows = session.execute(
        select(DonationRow, DedicationRow, given_at)
        .outerjoin(ReceiptRow, ReceiptRow.donation_id == DonationRow.id)
        .outerjoin(DedicationRow, DedicationRow.donation_id == DonationRow.id)
        .where(
            DonationRow.organization_id == organization_id,
            DonationRow.status == DonationStatus.SUCCEEDED,
            DonationRow.reversed_at.is_(None),
            given_at >= span.begins_at,
            given_at < span.ends_before,
        )
        .order_by(given_at, DonationRow.id)
        .execution_options(yield_per=_ROWS)
    )
    for batch in rows.partitions():
        donation_ids = [row.id for row, _, _ in batch]
        told = receipts.told_of_many(session, donation_ids=donation_ids)
        lost = payments.lost_of_donations(session, donation_ids=donation_ids)
        for row, dedication, moment in batch:
            yield _gift(
                row,
                dedication,
                told[row.id][0] if row.id in told else receipts.DonorFacts(),
                day=moment.astimezone(span.zone).date().isoformat(),
                fund=funds.get(row.fund_id or "", ""),
                lost=lost.get(row.id, 0),
            )


def _gift(
    row: DonationRow,
    dedication: DedicationRow | None,
    donor: receipts.DonorFacts,
    *,
    day: str,
    fund: str,
    lost: int,
) -> ListedGift:
    is_told = row.anonymity != Anonymity.ORGANIZATION
    return ListedGift(
        donation_id=row.id,
        received_on=day,
        amount=_number(row, row.minor_units),
        fee_cover=_number(row, row.fee_cover_minor_units),
        given_back=_number(row, row.refunded_minor_units + lost),
        currency=row.currency,
        standing=donation_of(row).standing,
        method=row.method or Channel.ONLINE,
        fund=fund,
        donor_name=(row.donor_name or "") if is_told else "",
        donor_email=(row.donor_email or "") if is_told else "",
        company=donor.company.name if is_told and donor.company is not None else "",
        may_be_named="yes" if row.anonymity == Anonymity.NONE and row.donor_name is not None else "no",
        dedication=dedication.kind if dedication is not None else "",
        honouree=(dedication.honouree or "") if dedication is not None else "",
        message=row.message or "",
    )


def _number(row: DonationRow, minor_units: int) -> str:
    """An amount of the gift's currency as spreadsheets read it."""
    return str(Money(minor_units=minor_units, currency=row.currency)).partition(" ")[0]
