"""A donor's own gifts. Every statement is limited to that donor."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Text,
    and_,
    column,
    extract,
    func,
    or_,
    select,
    type_coerce,
    values,
)
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.keyset import Order
from amply.infra.vault import indexes, keyring_of
from amply.kernel.errors import Conflict
from amply.kernel.pagination import Page
from amply.modules import mail, organizations, receipts
from amply.modules.donations.domain import Donation, DonationNotFound, DonationStatus, OfflineMethod
from amply.modules.donations.models import DonationRow, NoticeRow, OfflineGiftRow, ReceiptRow, SplitPartRow
from amply.modules.donations.options import Anonymity
from amply.modules.donations.queries import donation_of

TOPIC_HIDDEN: Final = "donations.gift_hidden"
"""A donor made a gift anonymous to its organisation."""
_ORGANIZATIONS_MAX: Final = 200
_NEWEST: Final = Order(name="donor's gifts", columns=(DonationRow.id,), descending=True)
_GIVEN_AT: Final = func.coalesce(ReceiptRow.received_at, DonationRow.created_at)


class AnonymityNotChangeable(Conflict):
    """The organisation knows who gave, or has to."""

    code = "anonymity_not_changeable"


@dataclass(frozen=True, kw_only=True)
class OwnGift:
    """One gift as its donor sees it.

    Attributes:
        given_at: When the money arrived; of one that has not, when it was asked for.
        given_on: That day, where the organisation is.
        description: Of a thing; None of money.
        fund: The name of what it is restricted to; empty for nothing.
        split_id: The gift to several organisations that it is a part of.
        receipts: The newest first, void ones among them.
    """

    donation: Donation
    given_at: datetime
    given_on: date
    anonymity: Anonymity
    description: str | None
    fund: str
    split_id: str | None
    receipts: Sequence[receipts.ListedReceipt]


@dataclass(frozen=True, kw_only=True)
class GivenYear:
    """A fiscal year in which gifts arrived, named by the calendar year it begins in, with its first and last day."""

    year: int
    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class GivenTo:
    """An organisation that the donor gave to, and the fiscal years with their gifts, newest first."""

    id: str
    name: str
    takes_anonymous_gifts: bool
    logo: organizations.Picture | None
    gifts: int
    years: Sequence[GivenYear]


def _shown() -> ColumnElement[bool]:
    """Gifts, and debits on their way or refused; not what was begun and never paid."""
    return or_(
        DonationRow.status.in_((DonationStatus.SUCCEEDED, DonationStatus.PROCESSING)),
        and_(
            DonationRow.status == DonationStatus.FAILED,
            select(NoticeRow.donation_id).where(NoticeRow.donation_id == DonationRow.id).exists(),
        ),
    )


def owner_of(session: Session, *, donation_id: str) -> str | None:
    """The digest of a gift's address; None if the gift does not exist or has none any more."""
    row = session.get(DonationRow, donation_id)
    return None if row is None or row.donor_email is None else mail.address_digest(row.donor_email)


def index_of(session: Session, *, donation_id: str) -> bytes | None:
    """The blind index of a gift's row, readable also if the row cannot be decrypted."""
    return session.scalar(select(DonationRow.donor_index).where(DonationRow.id == donation_id))


def sealed_for(session: Session, *, donation_id: str) -> str | None:
    """The owner of the leaf that encrypts a gift (`SealedFields.whose`); None if there is no such gift."""
    row = session.get(DonationRow, donation_id)
    if row is None:
        return None
    digest = None if row.donor_email is None else mail.address_digest(row.donor_email)
    return DonationRow.fields.whose(digest, row_id=row.id)


def newest_address(session: Session, *, email_sha256: str) -> str | None:
    """The address in the donor's newest gift; None if there are no gifts."""
    row = session.scalar(
        select(DonationRow)
        .where(DonationRow.is_of(session, email_sha256), _shown())
        .order_by(DonationRow.id.desc())
        .limit(1)
    )
    return None if row is None else row.donor_email


def recipients_of(session: Session, *, email_sha256: str) -> list[GivenTo]:
    """Organisations that a donor gave to, most recent first."""
    rows = session.execute(
        select(DonationRow.organization_id, func.count().label("gifts"))
        .where(DonationRow.is_of(session, email_sha256), _shown())
        .group_by(DonationRow.organization_id)
        .order_by(func.max(DonationRow.id).desc())
        .limit(_ORGANIZATIONS_MAX)
    ).all()
    given_to = [row.organization_id for row in rows]
    known = organizations.get_many(session, organization_ids=given_to)
    years = _years(session, email_sha256=email_sha256, organization_ids=given_to)
    return [
        GivenTo(
            id=row.organization_id,
            name=known[row.organization_id].name,
            takes_anonymous_gifts=known[row.organization_id].takes_anonymous_gifts,
            logo=known[row.organization_id].pictures.get(organizations.PictureKind.LOGO),
            gifts=row.gifts,
            years=years.get(row.organization_id, ()),
        )
        for row in rows
    ]


def own_gifts(
    session: Session, *, email_sha256: str, organization_id: str | None, cursor: str | None, limit: int
) -> Page[OwnGift]:
    """A page of a donor's gifts to one or all organisations, newest first.

    Raises:
        CursorNotAcceptable: The cursor is none of this list.
    """
    asked = _gifts(session, email_sha256)
    if organization_id is not None:
        asked = asked.where(DonationRow.organization_id == organization_id)
    rows = session.execute(_NEWEST.page(asked, cursor=cursor, limit=limit)).all()
    return Page(
        items=_seen(session, rows[:limit]),
        next_cursor=_NEWEST.next_cursor([row[0] for row in rows], limit=limit),
    )


def own_gift(session: Session, *, donation_id: str, email_sha256: str, locks: bool = False) -> OwnGift:
    """One of a donor's gifts. `locks`: until the end of the transaction.

    Raises:
        DonationNotFound: There is none, or it is somebody else's: who asks is not told which.
    """
    asked = _gifts(session, email_sha256).where(DonationRow.id == donation_id)
    if locks:
        asked = asked.with_for_update(of=DonationRow)
    row = session.execute(asked).one_or_none()
    if row is None:
        raise DonationNotFound(
            "No gift of yours has this id; open the list of your gifts again.", param="donation_id"
        )
    (seen,) = _seen(session, [row])
    return seen


def change_anonymity(
    session: Session, *, donation_id: str, email_sha256: str, anonymity: Anonymity, now: datetime
) -> OwnGift:
    """Change who sees the donor's name. Lists, dispute evidence and later receipts follow it.

    Files that name donors and were asked for before are taken back by the worker, which learns of it by `TOPIC_HIDDEN`.

    Raises:
        DonationNotFound: As `own_gift` says.
        AnonymityNotChangeable: It is to be kept from an organisation that knows, or has to know, who gave.
    """
    seen = own_gift(session, donation_id=donation_id, email_sha256=email_sha256, locks=True)
    if anonymity is seen.anonymity:
        return seen
    if anonymity is Anonymity.ORGANIZATION:
        _check_may_be_kept(session, seen)
    row = session.get_one(DonationRow, donation_id)
    row.anonymity, row.updated_at = anonymity, now
    session.flush()
    if anonymity is Anonymity.ORGANIZATION:
        outbox.put(session, topic=TOPIC_HIDDEN, payload={"organization_id": row.organization_id}, now=now)
    return own_gift(session, donation_id=donation_id, email_sha256=email_sha256)


def resend_own_receipt(session: Session, *, donation_id: str, email_sha256: str, now: datetime) -> None:
    """Schedule the receipt of a donor's gift to be sent again, unchanged, to the gift's address.

    Raises:
        ReceiptNotFound: The gift is not theirs, or has not arrived.
    """
    own = type_coerce(indexes(session, email_sha256), ARRAY(LargeBinary))
    if not session.scalars(select(func.resend_own_receipt(donation_id, email_sha256, own, now))).one():
        raise receipts.ReceiptNotFound(
            "No receipt belongs to this gift yet: it follows once the gift has arrived.", param="donation_id"
        )


def _check_may_be_kept(session: Session, seen: OwnGift) -> None:
    """Receipts are held meanwhile: an official one that is issued at the same moment is seen, or waits and is none."""
    declares_gift_aid = session.scalars(select(func.hold_receipt(seen.donation.id))).one()
    organization = organizations.get(session, organization_id=seen.donation.organization_id)
    issued = receipts.listed(session, donation_ids=[seen.donation.id]).get(seen.donation.id, ())
    if not organization.takes_anonymous_gifts:
        raise AnonymityNotChangeable(
            "This organisation has to know its donors; stay unnamed in public instead.", param="anonymity"
        )
    if seen.donation.method is not None:
        raise AnonymityNotChangeable(
            "The organisation received this gift from you itself, and knows it; stay unnamed in public instead.",
            param="anonymity",
        )
    if declares_gift_aid:
        raise AnonymityNotChangeable(
            "Your Gift Aid declaration tells the organisation who gave; stay unnamed in public instead.",
            param="anonymity",
        )
    if any(receipt.kind is receipts.ReceiptKind.OFFICIAL for receipt in issued):
        raise AnonymityNotChangeable(
            "An official receipt names you to the organisation; stay unnamed in public instead.",
            param="anonymity",
        )


def _gifts(
    session: Session, email_sha256: str
) -> Select[DonationRow, datetime, str, bytes | None, str | None]:
    """Of a thing what may be read of it here: it is not all of its row."""
    return (
        select(
            DonationRow,
            _GIVEN_AT.label("given_at"),
            SplitPartRow.split_id,
            OfflineGiftRow.sealed.label("sealed_thing"),
            OfflineGiftRow.plain_description.label("description"),
        )
        .outerjoin(ReceiptRow, ReceiptRow.donation_id == DonationRow.id)
        .outerjoin(SplitPartRow, SplitPartRow.donation_id == DonationRow.id)
        .outerjoin(OfflineGiftRow, OfflineGiftRow.donation_id == DonationRow.id)
        .where(DonationRow.is_of(session, email_sha256), _shown())
    )


def _years(
    session: Session, *, email_sha256: str, organization_ids: Collection[str]
) -> Mapping[str, Sequence[GivenYear]]:
    """By organisation, each in its own calendar: one statement, however many they are."""
    if not organization_ids:
        return {}
    calendars = receipts.calendars_of(session, organization_ids=organization_ids)
    counted = values(
        column("id", Text), column("zone", Text), column("months", Integer), name="calendar"
    ).data([(each, str(found.zone), found.fiscal_year_starts - 1) for each, found in calendars.items()])
    there = func.timezone(counted.c.zone, _GIVEN_AT)
    year = extract("year", there - func.make_interval(0, counted.c.months)).label("year")
    rows = session.execute(
        select(DonationRow.organization_id, year)
        .distinct()
        .join(ReceiptRow, ReceiptRow.donation_id == DonationRow.id)
        .join(counted, counted.c.id == DonationRow.organization_id)
        .where(
            DonationRow.is_of(session, email_sha256),
            DonationRow.status == DonationStatus.SUCCEEDED,
            DonationRow.reversed_at.is_(None),
        )
        .order_by(year.desc())
    )
    found_years: dict[str, list[GivenYear]] = {}
    for row in rows:
        first, last = calendars[row.organization_id].days_of(int(row.year))
        found_years.setdefault(row.organization_id, []).append(
            GivenYear(year=int(row.year), first=first, last=last)
        )
    return found_years


def _seen(session: Session, rows: Sequence[Any]) -> list[OwnGift]:
    donations = [row[0] for row in rows]
    issued = receipts.listed(session, donation_ids=[row.id for row in donations])
    organization_ids = {row.organization_id for row in donations}
    calendars = receipts.calendars_of(session, organization_ids=organization_ids)
    funds = organizations.fund_names(session, fund_ids={row.fund_id for row in donations if row.fund_id})
    return [
        OwnGift(
            donation=donation_of(row),
            given_at=given_at,
            given_on=given_at.astimezone(calendars[row.organization_id].zone).date(),
            anonymity=Anonymity(row.anonymity),
            description=_description(session, row, sealed=sealed, plain=plain),
            fund=funds.get(row.fund_id or "", ""),
            split_id=split_id,
            receipts=issued.get(row.id, ()),
        )
        for row, given_at, split_id, sealed, plain in rows
    ]


def _description(
    session: Session, row: DonationRow, *, sealed: bytes | None, plain: str | None
) -> str | None:
    if row.method != OfflineMethod.IN_KIND:
        return None
    if sealed is None:
        return plain
    kept = OfflineGiftRow.fields.open(keyring_of(session), row_id=row.id, sealed=sealed, plain=None)
    found: str | None = kept["description"]
    return found
