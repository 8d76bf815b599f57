"""A donor's yearly total with one organisation, and the gifts of an organisation's Gift Aid claim."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import NotFound
from amply.kernel.money import Money
from amply.modules import organizations, receipts
from amply.modules.donations.domain import DonationStatus, OfflineMethod
from amply.modules.donations.models import DonationRow, OfflineGiftRow, ReceiptRow

_ROWS = 1_000
"""Gifts read at a time."""


class NoGiftsFound(NotFound):
    """Nobody with this address gave to the organisation in this time."""

    code = "no_gifts_found"


@dataclass(frozen=True, kw_only=True)
class _GiftInYear:
    """A gift. `amount` is net of refunds; `description` is set for gifts in kind only."""

    id: str
    donor_name: str
    amount: Money
    given_at: datetime
    description: str | None


def statement_of_donor(
    database: Database,
    *,
    organization_id: str,
    email_sha256: str,
    year: int,
    language: receipts.Language | None = None,
) -> receipts.Statement:
    """The statement of the fiscal year beginning in `year`, for the donor with this address digest.

    Raises:
        OrganizationNotFound, YearNotAcceptable: What was asked for does not exist.
        NoGiftsFound: Nobody with this address gave in that year.
    """
    with database.transaction() as session:
        organization = organizations.get(session, organization_id=organization_id)
        settings = receipts.settings_of(session, organization_id=organization_id)
        span = receipts.FiscalYear.of(settings, year=year)
        given = list(
            _given(
                session,
                DonationRow.is_of(session, email_sha256),
                organization_id=organization_id,
                since=span.begins_at,
                before=span.ends_before,
            )
        )
        if not given:
            raise NoGiftsFound(
                f"Nobody with this address gave from {span.first} to {span.last}; check digest and year."
            )
        told = receipts.told_of_many(session, donation_ids=[gift.id for gift in given])
        issued = receipts.latest_of_many(session, donation_ids=[gift.id for gift in given])
    # The language of the newest gift that names one; else the organisation's.
    languages = [told[gift.id][0].language for gift in given if gift.id in told]
    chosen = language or next((known for known in reversed(languages) if known), None)
    return receipts.Statement(
        organization=organization.name,
        country=organization.country,
        language=chosen or (settings.language if settings else receipts.Language.EN),
        year=span,
        givers=_givers(given, told, issued),
        settings=settings,
    )


def gift_aid_claim(
    database: Database, *, organization_id: str, first: date, last: date
) -> list[receipts.ClaimedGift]:
    """Gifts of a period on which Gift Aid can be claimed: with a valid receipt that says so.

    Raises:
        OrganizationNotFound: No organisation has this id.
    """
    with database.transaction() as session:
        organizations.get(session, organization_id=organization_id)
        settings = receipts.settings_of(session, organization_id=organization_id)
        span = receipts.FiscalYear.of_days(settings, first=first, last=last)
        given = list(
            _given(
                session,
                DonationRow.method.is_distinct_from(OfflineMethod.IN_KIND),
                organization_id=organization_id,
                since=span.begins_at,
                before=span.ends_before,
            )
        )
        told = receipts.told_of_many(session, donation_ids=[gift.id for gift in given])
        issued = receipts.latest_of_many(session, donation_ids=list(told))
    return [
        receipts.ClaimedGift(
            declaration=declaration,
            given_on=gift.given_at.astimezone(span.zone).date(),
            amount=issued[gift.id].eligible,
        )
        for gift in given
        if gift.id in issued
        and issued[gift.id].claims_gift_aid
        and (declaration := told[gift.id][0].gift_aid) is not None
    ]


def _given(
    session: Session,
    which: ColumnElement[bool],
    *,
    organization_id: str,
    since: datetime,
    before: datetime,
) -> Iterator[_GiftInYear]:
    """Gifts that arrived in a time and whose donor we know, the oldest first."""
    given_at = func.coalesce(ReceiptRow.received_at, DonationRow.created_at)
    # If a gift was refunded before its receipt was issued, its row still has the full amount.
    left = func.coalesce(ReceiptRow.left_minor_units, DonationRow.minor_units)
    rows = session.execute(
        select(DonationRow, given_at, left, OfflineGiftRow)
        .join(ReceiptRow, ReceiptRow.donation_id == DonationRow.id)
        .outerjoin(OfflineGiftRow, OfflineGiftRow.donation_id == DonationRow.id)
        .where(
            which,
            DonationRow.organization_id == organization_id,
            DonationRow.status == DonationStatus.SUCCEEDED,
            DonationRow.donor_index.is_not(None),
            DonationRow.reversed_at.is_(None),
            given_at >= since,
            given_at < before,
        )
        .order_by(given_at, DonationRow.id)
        .execution_options(yield_per=_ROWS)
    )
    for row, moment, minor_units, thing in rows:
        yield _GiftInYear(
            id=row.id,
            donor_name=row.donor_name or "",
            amount=Money(minor_units=minor_units, currency=row.currency),
            given_at=moment,
            description=(thing.description or "") if row.method == OfflineMethod.IN_KIND else None,
        )


def _givers(
    given: Sequence[_GiftInYear],
    told: Mapping[str, tuple[receipts.DonorFacts, receipts.Advantage | None]],
    issued: Mapping[str, receipts.IssuedReceipt],
) -> list[receipts.GiverInYear]:
    """The person, as their newest gift calls them, and each company that gave through them: whose gift it is, is not mixed."""
    of_company: dict[str, list[_GiftInYear]] = defaultdict(list)
    for gift in given:
        company = told[gift.id][0].company if gift.id in told else None
        of_company[company.name if company is not None else ""].append(gift)
    return [
        receipts.GiverInYear(
            name=company or gifts[-1].donor_name,
            gifts=[_line(gift, issued.get(gift.id)) for gift in gifts if gift.description is None],
            things=[
                _thing(gift.given_at, gift.description, issued.get(gift.id))
                for gift in gifts
                if gift.description is not None
            ],
        )
        for company, gifts in sorted(of_company.items())
    ]


def _thing(
    given_at: datetime, description: str, receipt: receipts.IssuedReceipt | None
) -> receipts.ThingInYear:
    """No amount: its receipt states one where the law wants it, and no sum of money holds it."""
    is_valid = receipt is not None and receipt.voided_at is None
    return receipts.ThingInYear(
        given_at=given_at, number=receipt.number if receipt and is_valid else None, description=description
    )


def _line(gift: _GiftInYear, receipt: receipts.IssuedReceipt | None) -> receipts.GiftInYear:
    """A receipt that is void counts nothing, for the gift went back; an acknowledgement claims nothing."""
    nothing = Money(minor_units=0, currency=gift.amount.currency)
    if receipt is None:
        return receipts.GiftInYear(given_at=gift.given_at, number=None, amount=gift.amount, eligible=nothing)
    if receipt.voided_at is not None:
        return receipts.GiftInYear(given_at=gift.given_at, number=None, amount=nothing, eligible=nothing)
    return receipts.GiftInYear(
        given_at=gift.given_at,
        number=receipt.number,
        amount=receipt.amount,
        eligible=receipt.eligible if receipt.kind is receipts.ReceiptKind.OFFICIAL else nothing,
    )
