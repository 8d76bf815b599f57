"""Offline gifts (cash, cheques, bank transfers, in kind), recorded by the organisation's staff.

Each is an ordinary donation with a receipt of the same kind, and an entry of a kind of its own: whoever reads the books sees that
nobody but the organisation says so. It may be for a fund, for somebody, from a company, and public, like any other (ADR
0099). What was recorded wrongly is reversed, with a reason, and recorded anew.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from amply.infra.database import Database, begins_again
from amply.kernel import human_text, ids
from amply.kernel.errors import Conflict, InvalidRequest
from amply.kernel.money import Money
from amply.modules import ledger, organizations, receipts
from amply.modules.donations.domain import DonationNotFound, DonationStatus, OfflineMethod
from amply.modules.donations.integrator_events import Arrived, record_reversal, record_success
from amply.modules.donations.models import DonationRow, OfflineGiftRow, ReceiptRow
from amply.modules.donations.offline_references import OfflineGiftDetails, keep_reference
from amply.modules.donations.openings import gift_of, of_gift
from amply.modules.donations.options import (
    Anonymity,
    GiftOptions,
    GiftOptionsNotAcceptable,
    check_company,
    keep_dedication,
)
from amply.modules.donations.receipting import void_receipt
from amply.modules.donations.typed_text import LongText, NameInLetter, ShortText, TaxId

_REFERENCE_MAX: Final = 60
_DESCRIPTION_MAX: Final = 300
_LONG: Final = TypeAdapter[str](LongText)
_SHORT: Final = TypeAdapter[str](ShortText)
_TAX_ID: Final = TypeAdapter[str](TaxId)
_NAME: Final = TypeAdapter[str](NameInLetter)
_AGE_MAX: Final = timedelta(days=3 * 366)
_NOON: Final = time(12)
_ROUNDS_MAX: Final = 5


class OfflineGiftNotAcceptable(InvalidRequest):
    """What was said of an offline gift cannot be recorded."""

    code = "offline_gift_not_acceptable"


class DonationNotReversible(Conflict):
    """Only what was recorded by hand is reversed by hand."""

    code = "donation_not_reversible"


class ReversalReason(StrEnum):
    """Why an offline gift is taken back out of the books; public with the entry."""

    BOUNCED = "bounced"
    DUPLICATE = "duplicate"
    GIVEN_BACK = "given_back"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_DONOR = "wrong_donor"
    WRONG_FUND = "wrong_fund"
    WRONG_ORGANIZATION = "wrong_organization"


@dataclass(frozen=True, kw_only=True)
class OfflineGift:
    """An offline gift as recorded by staff.

    Attributes:
        amount: What was given; of a thing, what the organisation books it at.
        received_on: The day, in the organisation's time zone.
        reference: What tells it from others of its method: the cheque's number, the bank's reference, the slip's number.
        donor_email: None where the donor has none: the receipt is printed.
        description: Of a thing, and only of one.
        appraiser: Who valued it, with address (Canada).
        message: What the donor wrote with it, for the organisation alone.
        options: As donors say it of other gifts. Not anonymous to the organisation: it took the gift itself.
    """

    organization_id: str
    method: OfflineMethod
    amount: Money
    received_on: date
    reference: str
    donor_name: str
    donor_email: str | None = None
    description: str | None = None
    appraiser: str | None = None
    message: str | None = None
    options: GiftOptions = field(default_factory=GiftOptions)
    for_receipt: receipts.DonorFacts = field(default_factory=receipts.DonorFacts)


def record_offline(
    database: Database, secrets: ledger.CommitmentSecrets, *, gift: OfflineGift, now: datetime
) -> str:
    """Record and book a gift and schedule its receipt, in one transaction; return the donation's id.

    Raises:
        OrganizationNotFound: No organisation has this id.
        OfflineGiftNotAcceptable, GiftOptionsNotAcceptable: Something about it cannot be.
        FundNotAcceptable: The fund is not the organisation's, or was closed before the gift was received.
        OfflineGiftKnown: It is recorded already.
        BookingsPaused: Nothing is booked just now.
    """
    reference = _checked(gift)
    donation_id = ids.new_id("don")
    with database.transaction() as session:
        organizations.get(session, organization_id=gift.organization_id)
        received_at = _received_at(session, gift, now=now)
        _check_fund(session, gift)
        entry = _entry(gift, donation_id=donation_id, reference=reference, received_at=received_at)
        said = _said(session, gift, donation_id)
        posted = ledger.post(
            session, entry=entry, now=now, secrets=secrets, gift=of_gift(donation_id, said["sealed"])
        )
        session.execute(
            insert(DonationRow).values(**said, **_row(gift, donation_id, entry_id=posted.id, now=now))
        )
        keep_reference(
            session,
            donation_id=donation_id,
            organization_id=gift.organization_id,
            method=gift.method,
            said=OfflineGiftDetails(
                reference=reference, description=gift.description, appraiser=gift.appraiser
            ),
        )
        receipts.keep(session, donation_id=donation_id, donor=gift.for_receipt)
        record_success(session, _arrived(gift, donation_id), occurred_at=received_at, now=now)
        keep_dedication(session, donation_id=donation_id, dedication=gift.options.dedication)
        session.add(
            ReceiptRow(
                donation_id=donation_id,
                entry_id=posted.id,
                attempts=0,
                next_attempt_at=now,
                received_at=received_at,
            )
        )
    return donation_id


def reverse_offline(
    database: Database,
    secrets: ledger.CommitmentSecrets,
    *,
    donation_id: str,
    reason: ReversalReason,
    now: datetime,
) -> bool:
    """Reverse an offline gift in the ledger, and void its receipt. False if it was reversed before.

    Raises:
        DonationNotFound: There is no such gift.
        DonationNotReversible: It came through the processor.
        BookingsPaused: Nothing is booked just now.
    """
    for left in reversed(range(_ROUNDS_MAX)):
        try:
            with database.transaction() as session:
                return _reverse(session, secrets, donation_id=donation_id, reason=reason, now=now)
        except OperationalError as error:
            if left == 0 or not begins_again(error):
                raise
    raise AssertionError("the last round returns or raises")


def _reverse(
    session: Session,
    secrets: ledger.CommitmentSecrets,
    *,
    donation_id: str,
    reason: ReversalReason,
    now: datetime,
) -> bool:
    row = session.get(DonationRow, donation_id, with_for_update=True)
    if row is None:
        raise DonationNotFound("No donation has this id; check it and try again.", param="donation_id")
    if row.method is None:
        raise DonationNotReversible("This gift came through the processor: refund it with 'donation refund'.")
    if row.reversed_at is not None:
        return False
    amount = Money(minor_units=row.minor_units, currency=row.currency)
    entry = ledger.NewEntry(
        kind=ledger.Kind.DONATION_REVERSED,
        organization_id=row.organization_id,
        idempotency_key=f"offline:{row.entry_id}:{ledger.Kind.DONATION_REVERSED}",
        transfers=ledger.postings.reverse(
            _lines(row.organization_id, OfflineMethod(row.method), amount, row.fund_id)
        ),
        event_at=now,
        reference=None,
        reverses=row.entry_id,
        reason=reason,
    )
    ledger.post(
        session,
        entry=entry,
        now=now,
        secrets=secrets,
        gift=gift_of(row),
        keeps_openings=row.erased_at is None,
    )
    row.reversed_at = row.updated_at = now
    record_reversal(session, row, now=now)
    if (kept := session.get(OfflineGiftRow, donation_id)) is not None:
        kept.is_reversed = True
    void_receipt(
        session,
        donation_id=donation_id,
        remaining=Money(minor_units=0, currency=row.currency),
        reason=receipts.VoidReason.CORRECTED,
        now=now,
    )
    return True


def _entry(gift: OfflineGift, *, donation_id: str, reference: str, received_at: datetime) -> ledger.NewEntry:
    is_thing = gift.method is OfflineMethod.IN_KIND
    kind = ledger.Kind.DONATION_IN_KIND if is_thing else ledger.Kind.DONATION_OFFLINE
    company = gift.for_receipt.company
    personal = {
        "donor_name": human_text.name_as_kept(gift.donor_name),
        "donor_email": gift.donor_email,
        "donation_id": donation_id,
        "company_name": company.name if company is not None else None,
        "reference": f"offline:{gift.method}:{reference}",
    }
    return ledger.NewEntry(
        kind=kind,
        organization_id=gift.organization_id,
        idempotency_key=f"offline:{donation_id}:{kind}",
        transfers=_lines(gift.organization_id, gift.method, gift.amount, gift.options.fund_id),
        event_at=received_at,
        reference=None,
        personal={name: value for name, value in personal.items() if value},
    )


def _lines(
    organization_id: str, method: OfflineMethod, amount: Money, fund_id: str | None
) -> tuple[ledger.NewTransfer, ...]:
    if method is OfflineMethod.IN_KIND:
        return ledger.postings.donation_in_kind(
            organization_id=organization_id, value=amount, fund_id=fund_id
        )
    return ledger.postings.donation_offline(organization_id=organization_id, amount=amount, fund_id=fund_id)


def _said(session: Session, gift: OfflineGift, donation_id: str) -> dict[str, Any]:
    said = {
        "donor_name": human_text.name_as_kept(gift.donor_name),
        "donor_email": gift.donor_email,
        "message": human_text.prose_as_kept(gift.message or "") or None,
    }
    return DonationRow.fields.at_rest(session, row_id=donation_id, fields=said)


def _row(gift: OfflineGift, donation_id: str, *, entry_id: str, now: datetime) -> dict[str, object]:
    return {
        "id": donation_id,
        "organization_id": gift.organization_id,
        "minor_units": gift.amount.minor_units,
        "currency": gift.amount.currency,
        "status": DonationStatus.SUCCEEDED,
        "fund_id": gift.options.fund_id,
        "anonymity": gift.options.anonymity,
        "entry_id": entry_id,
        "method": gift.method,
        "created_at": now,
        "updated_at": now,
    }


def _arrived(gift: OfflineGift, donation_id: str) -> Arrived:
    return Arrived(
        id=donation_id,
        organization_id=gift.organization_id,
        amount=gift.amount,
        fund_id=gift.options.fund_id,
        method=gift.method,
    )


def _received_at(session: Session, gift: OfflineGift, *, now: datetime) -> datetime:
    """Noon of the day, where the organisation is: the same day on its receipt and in its tax year."""
    zone = _zone(session, gift)
    moment = datetime.combine(gift.received_on, _NOON, tzinfo=zone).astimezone(UTC)
    today = now.astimezone(zone).date()
    if not today - _AGE_MAX <= gift.received_on <= today:
        raise OfflineGiftNotAcceptable(
            "Give the day the gift was received, at most three years back and not in the future.",
            param="received_on",
        )
    return min(moment, now)


def _zone(session: Session, gift: OfflineGift) -> tzinfo:
    settings = receipts.settings_of(session, organization_id=gift.organization_id)
    return ZoneInfo(settings.time_zone) if settings is not None else UTC


def _check_fund(session: Session, gift: OfflineGift) -> None:
    """A fund takes what was received while it was open, however late that is recorded."""
    if gift.options.fund_id is None:
        return
    day_began = datetime.combine(gift.received_on, time.min, tzinfo=_zone(session, gift))
    organizations.open_fund(
        session,
        organization_id=gift.organization_id,
        fund_id=gift.options.fund_id,
        given_from=day_began,
    )


def _checked(gift: OfflineGift) -> str:
    """The reference as it is compared: without spaces, in capitals."""
    _check_said(gift)
    reference = "".join(gift.reference.split()).upper()
    described = bool(gift.description and gift.description.strip())
    faults = {
        "reference": not 0 < len(reference) <= _REFERENCE_MAX or not reference.isprintable(),
        "donor_name": not _fits(_SHORT, gift.donor_name),
        "amount": gift.amount.minor_units <= 0,
        "description": described != (gift.method is OfflineMethod.IN_KIND)
        or len(gift.description or "") > _DESCRIPTION_MAX,
        "appraiser": gift.appraiser is not None and gift.method is not OfflineMethod.IN_KIND,
    }
    for name, is_wrong in faults.items():
        if is_wrong:
            raise OfflineGiftNotAcceptable(_WANTED[name], param=name)
    return reference


def _check_said(gift: OfflineGift) -> None:
    """Refuse what donors cannot say either, and names that a letter to somebody else must not hold."""
    check_company(gift.for_receipt)
    if gift.options.anonymity is Anonymity.ORGANIZATION:
        raise GiftOptionsNotAcceptable(
            "The organisation received this gift itself, and knows who gave; record it as 'public' instead.",
            param="anonymity",
        )
    dedication, company = gift.options.dedication, gift.for_receipt.company
    notify = dedication.notify if dedication is not None else None
    said: dict[str, tuple[TypeAdapter[str], str | None]] = {
        "message": (_LONG, gift.message),
        "honouree": (_NAME, dedication.honouree if dedication is not None else None),
        "notify": (_NAME, notify.name if notify is not None else None),
        "company": (_SHORT, company.name if company is not None else None),
        "company_tax_id": (_TAX_ID, (company.tax_id or None) if company is not None else None),
    }
    for name, (rule, text) in said.items():
        if text is not None and not _fits(rule, text):
            raise OfflineGiftNotAcceptable(_WANTED[name], param=name)


def _fits(rule: TypeAdapter[str], text: str) -> bool:
    try:
        rule.validate_python(text)
    except ValidationError:
        return False
    return True


_WANTED: Final = {
    "reference": "Give a reference of 1 to 60 characters: the cheque's number, the bank's reference, the slip's number.",
    "donor_name": "Give the donor's name in 1 to 200 characters.",
    "amount": "Give an amount above zero; of a thing, what it is booked at.",
    "description": "Describe a gift in kind in at most 300 characters, and no other gift.",
    "appraiser": "Name an appraiser for a gift in kind only.",
    "message": "Write the message in at most 2000 characters, without characters that control anything.",
    "honouree": "Name who the gift is for in 1 to 100 characters, without addresses or links.",
    "notify": "Name who is told in 1 to 100 characters, without addresses or links.",
    "company": "Name the company in 1 to 200 characters.",
    "company_tax_id": "Write the company's tax number in at most 40 characters.",
}
