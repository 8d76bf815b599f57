"""Receipts of gifts: sent once the public log covers them, voided or replaced when a gift changes, re-sent on request.

Every task tolerates being repeated, reordered and killed: what it did not finish is done by the next run.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from opentelemetry.trace import SpanKind
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amply.infra import tracing
from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel.money import Money
from amply.modules import ledger, mail, organizations, payments, receipts
from amply.modules.donations.domain import (
    RECEIPT_ATTEMPTS_MAX,
    DonationNotFound,
    OfflineMethod,
    Withheld,
)
from amply.modules.donations.models import DedicationRow, DonationRow, OfflineGiftRow, ReceiptRow
from amply.modules.donations.options import Anonymity

_RUN_MAX: Final = 1000
"""Letters of one run; the next one follows in half a minute."""

_log = structlog.get_logger()


class ReceiptNotPossible(Exception):
    """The receipt has no recipient any more, or the gift has no proof."""


@dataclass(frozen=True, kw_only=True)
class ReceiptDependencies:
    """Dependencies of sending receipts. `ledger_page` is the public ledger's address."""

    database: Database
    mailer: mail.Mailer
    secrets: ledger.CommitmentSecrets
    ledger_page: str


def send_due_receipts(parts: ReceiptDependencies, *, now: datetime) -> int:
    """Send receipts whose entries a published checkpoint covers; return how many.

    The attempt is counted before the e-mail leaves. A crash in between sends it again later: a receipt twice is
    better than none, and it is the same receipt with the same number.
    """

    def send(due: ReceiptRow) -> int:
        with tracing.continued("send receipt", traceparent=due.traceparent, kind=SpanKind.INTERNAL):
            tracing.annotate(donation_id=due.donation_id)
            return _send_receipt(parts, donation_id=due.donation_id, now=now)

    return work_off(
        parts.database,
        ReceiptRow,
        ReceiptRow.sent_at.is_(None),
        ReceiptRow.withheld.is_(None),
        ReceiptRow.attempts < RECEIPT_ATTEMPTS_MAX,
        ledger.is_published(ReceiptRow.entry_id),
        do=send,
        most=_RUN_MAX,
        now=now,
        starts_at_once=True,
    )


def void_receipt(
    session: Session,
    *,
    donation_id: str,
    remaining: Money,
    now: datetime,
    reason: receipts.VoidReason = receipts.VoidReason.REFUNDED,
) -> receipts.IssuedReceipt | None:
    """Void a gift's receipt because only `remaining` is left, and replace it by one over that, if anything.

    In the transaction that records the refund or the correction. The donor is told by the next run of
    `send_due_receipts`. What counts is how much is left: saying it again changes nothing. Returns the receipt that stands
    now, which of an erased donor's gift is the void one; None where none was issued yet (the first one will be over what is
    left).
    """
    waiting = session.get(ReceiptRow, donation_id, with_for_update=True)
    if waiting is None:
        # No receipt was issued yet; or the donor was erased, and the issued number is void as well.
        return receipts.void(
            session, donation_id=donation_id, reason=reason, remaining=remaining, gift=None, now=now
        )
    before = receipts.latest(session, donation_id=donation_id)
    waiting.left_minor_units = remaining.minor_units
    session.flush()
    row = session.get_one(DonationRow, donation_id)
    gift = gift_facts(session, row, waiting) if row.donor_name is not None else None
    standing = receipts.void(
        session, donation_id=donation_id, reason=reason, remaining=remaining, gift=gift, now=now
    )
    arrives_again = waiting.withheld == Withheld.REFUNDED and remaining.minor_units > 0
    if standing != before or arrives_again:
        waiting.sent_at, waiting.withheld, waiting.attempts, waiting.next_attempt_at = None, None, 0, now
    return standing


def void_what_went_back(
    session: Session, *, gift: DonationRow, payment: payments.Payment, now: datetime
) -> None:
    """Adjust a gift's receipt to its amount net of refunds and lost disputes."""
    lost = payments.lost_to_disputes(session, payment_id=payment.id)
    left = max(gift.minor_units - gift.refunded_minor_units - lost, 0)
    void_receipt(
        session, donation_id=gift.id, remaining=Money(minor_units=left, currency=gift.currency), now=now
    )


def resend_receipt(session: Session, *, donation_id: str, now: datetime) -> None:
    """Schedule a gift's receipt to be sent again, unchanged, to the gift's address.

    Raises:
        ReceiptNotFound: The gift has not arrived, or its donor was erased.
    """
    if not session.scalars(select(func.resend_receipt(donation_id, now))).one():
        raise receipts.ReceiptNotFound(
            "No receipt belongs to this id; check it, and whether the gift has arrived.", param="donation_id"
        )


def state_advantage(
    session: Session, *, donation_id: str, advantage: receipts.Advantage, now: datetime
) -> receipts.IssuedReceipt | None:
    """Record a benefit that the donor received; a receipt without it is replaced.

    Raises:
        DonationNotFound: No donation has this id.
        AdvantageNotAcceptable: It has no description or a value that is none.
    """
    row = session.get(DonationRow, donation_id)
    if row is None:
        raise DonationNotFound("No donation has this id; check it and try again.", param="donation_id")
    if advantage.value is not None and advantage.value.currency != row.currency:
        raise receipts.AdvantageNotAcceptable(
            f"Give the value in {row.currency}, as the gift.", param="value"
        )
    waiting = session.get(ReceiptRow, donation_id, with_for_update=True)
    receipts.state_advantage(session, donation_id=donation_id, advantage=advantage)
    if waiting is None:
        return None
    remaining = _left(row, waiting)
    return void_receipt(
        session,
        donation_id=donation_id,
        remaining=remaining,
        reason=receipts.VoidReason.CORRECTED,
        now=now,
    )


def gift_facts(session: Session, row: DonationRow, waiting: ReceiptRow) -> receipts.GiftFacts:
    """The gift's data for its receipt, net of refunds."""
    organization = organizations.get(session, organization_id=row.organization_id)
    donor, advantage = receipts.told_of(session, donation_id=row.id)
    dedication = session.get(DedicationRow, row.id)
    return receipts.GiftFacts(
        donation_id=row.id,
        organization_id=row.organization_id,
        organization=organization.name,
        country=organization.country,
        amount=_left(row, waiting),
        asked_at=row.created_at,
        given_at=waiting.received_at or row.created_at,
        entry_id=waiting.entry_id,
        donor_name=row.donor_name or "",
        donor=donor,
        advantage=advantage,
        in_kind=_in_kind(session, row),
        fund=_fund_name(session, row),
        dedicated=receipts.Dedicated(kind=dedication.kind, honouree=dedication.honouree or "")
        if dedication is not None
        else None,
        is_anonymous=row.anonymity == Anonymity.ORGANIZATION,
    )


def _fund_name(session: Session, row: DonationRow) -> str:
    if row.fund_id is None:
        return ""
    return organizations.find_fund(session, organization_id=row.organization_id, fund_id=row.fund_id).name


def _in_kind(session: Session, row: DonationRow) -> receipts.InKind | None:
    if row.method != OfflineMethod.IN_KIND:
        return None
    kept = session.get_one(OfflineGiftRow, row.id)
    return receipts.InKind(description=kept.description or "", appraiser=kept.appraiser or "")


def _left(row: DonationRow, waiting: ReceiptRow) -> Money:
    left = row.minor_units if waiting.left_minor_units is None else waiting.left_minor_units
    return Money(minor_units=left, currency=row.currency)


def _send_receipt(parts: ReceiptDependencies, *, donation_id: str, now: datetime) -> bool:
    """Send one; whatever stops this one must not stop the others."""
    try:
        letter = _letter(parts, donation_id=donation_id, now=now)
        if letter is None:
            return False
        message_id = parts.mailer.send(mail=receipts.receipt_mail(letter))
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("receipt_not_sent", donation_id=donation_id)
        return False
    _note_sent(parts, donation_id=donation_id, message_id=message_id, now=now)
    return True


def _note_sent(parts: ReceiptDependencies, *, donation_id: str, message_id: str, now: datetime) -> None:
    """Unless the gift changed while the letter was on its way, which began the attempts anew: another one is due."""
    with parts.database.transaction() as session:
        waiting = session.get(ReceiptRow, donation_id, with_for_update=True)
        if waiting is None:
            return
        waiting.message_id = message_id
        if waiting.attempts > 0:
            waiting.sent_at = now


def printed_receipt(parts: ReceiptDependencies, *, donation_id: str, now: datetime) -> mail.Mail:
    """The letter and receipt as PDF for printing; issued as usual, and not sent.

    Raises:
        ReceiptNotFound: The gift has none: no published checkpoint covers it yet, or its donor was erased.
    """
    with parts.database.transaction() as session:
        known = session.get(ReceiptRow, donation_id) is not None
    try:
        letter = _letter(parts, donation_id=donation_id, now=now, prints=True) if known else None
    except ReceiptNotPossible:
        letter = None
    if letter is None:
        raise receipts.ReceiptNotFound(
            "This gift has no receipt: wait until the public ledger covers it, and check the id.",
            param="donation_id",
        )
    return receipts.receipt_mail(letter)


def _letter(
    parts: ReceiptDependencies, *, donation_id: str, now: datetime, prints: bool = False
) -> receipts.Letter | None:
    """The letter, its receipt issued; None where none is to be sent, which is recorded. `prints`: it is not sent anyway."""
    with parts.database.transaction() as session:
        waiting = session.get_one(ReceiptRow, donation_id, with_for_update=True)
        row = session.get_one(DonationRow, donation_id)
        proof = ledger.receipt(session, entry_id=waiting.entry_id, secrets=parts.secrets)
        if proof is None:
            raise ReceiptNotPossible(donation_id)
        if row.donor_name is None:
            # An erased donor's row in a restored database.
            waiting.withheld = Withheld.NO_ADDRESS
            return None
        gift = gift_facts(session, row, waiting)
        receipt = receipts.latest(session, donation_id=donation_id)
        if receipt is None and gift.amount.minor_units > 0:
            receipt = receipts.issue(session, gift=gift, now=now)
        waiting.withheld = _withheld(session, receipt, address=row.donor_email)
        if (waiting.withheld is not None and not prints) or receipt is None or receipt.document is None:
            _log.warning("receipt_withheld", donation_id=donation_id, reason=waiting.withheld)
            return None
        settings = receipts.settings_of(session, organization_id=row.organization_id)
    return receipts.Letter(
        receipt=receipt,
        document=receipt.document,
        donor_name=row.donor_name,
        donor_email=row.donor_email or "",
        is_offline=row.method is not None,
        is_in_kind=gift.in_kind is not None,
        organization=gift.organization,
        country=gift.country,
        entry_id=gift.entry_id,
        proof=proof,
        ledger_page=parts.ledger_page,
        logo=settings.logo if settings is not None else None,
    )


def _withheld(
    session: Session, receipt: receipts.IssuedReceipt | None, *, address: str | None
) -> Withheld | None:
    if address is None:
        return Withheld.NO_ADDRESS
    if mail.suppressed_because(session, address=address) is not None:
        return Withheld.SUPPRESSED
    return Withheld.REFUNDED if receipt is None else None
