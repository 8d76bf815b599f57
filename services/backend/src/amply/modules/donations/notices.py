"""Sends letters to donors whose delayed debit (such as SEPA) was refused days later.

The task tolerates being repeated, reordered and killed: what it did not finish is done by the next run.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import exists
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel.money import Money
from amply.modules import mail, organizations, receipts
from amply.modules.donations.domain import RECEIPT_ATTEMPTS_MAX, DonationStatus, Withheld
from amply.modules.donations.models import DonationRow, NoticeRow
from amply.modules.donations.receipting import ReceiptDependencies

_FIRST_AFTER: Final = timedelta(hours=1)
"""A donor still at the page may pay otherwise, and then needs no letter."""
_RUN_MAX: Final = 1000
"""Letters of one run; the next one follows in half a minute."""

_log = structlog.get_logger()


def owe_notice(session: Session, *, gift: DonationRow, now: datetime) -> None:
    """Schedule a letter in an hour that the gift's payment failed, unless it is retried by then."""
    if gift.erased_at is not None:
        return
    due = {"attempts": 0, "next_attempt_at": now + _FIRST_AFTER, "sent_at": None, "withheld": None}
    session.execute(
        insert(NoticeRow)
        .values(donation_id=gift.id, **due)
        .on_conflict_do_update(index_elements=["donation_id"], set_=due)
    )


def send_due_notices(parts: ReceiptDependencies, *, now: datetime) -> int:
    """Send due letters; return how many. Attempts are counted before sending: at least once."""
    has_not_arrived = exists().where(
        DonationRow.id == NoticeRow.donation_id, DonationRow.status == DonationStatus.FAILED
    )
    return work_off(
        parts.database,
        NoticeRow,
        NoticeRow.sent_at.is_(None),
        NoticeRow.withheld.is_(None),
        NoticeRow.attempts < RECEIPT_ATTEMPTS_MAX,
        has_not_arrived,
        do=lambda due: _send(parts, donation_id=due.donation_id, now=now),
        most=_RUN_MAX,
        now=now,
    )


def _send(parts: ReceiptDependencies, *, donation_id: str, now: datetime) -> bool:
    """Send one; whatever stops this one must not stop the others."""
    try:
        letter = _letter(parts.database, donation_id=donation_id)
        if letter is None:
            return False
        parts.mailer.send(mail=letter)
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("notice_not_sent", donation_id=donation_id)
        return False
    with parts.database.transaction() as session:
        notice = session.get(NoticeRow, donation_id, with_for_update=True)
        if notice is not None and notice.attempts > 0:
            notice.sent_at = now
    return True


def _letter(database: Database, *, donation_id: str) -> mail.Mail | None:
    """The letter; None where it has nobody to go to, which is recorded, or the donor was erased meanwhile."""
    with database.transaction() as session:
        notice = session.get(NoticeRow, donation_id, with_for_update=True)
        gift = session.get(DonationRow, donation_id)
        if notice is None or gift is None or gift.donor_email is None or gift.donor_name is None:
            return None
        if mail.suppressed_because(session, address=gift.donor_email) is not None:
            notice.withheld = Withheld.SUPPRESSED
            return None
        organization = organizations.get(session, organization_id=gift.organization_id)
        donor, _ = receipts.told_of(session, donation_id=donation_id)
        settings = receipts.settings_of(session, organization_id=gift.organization_id)
        return receipts.not_paid_mail(
            receipts.NotPaid(
                language=donor.language or (settings.language if settings else receipts.Language.EN),
                country=organization.country,
                organization=organization.name,
                donor_name=gift.donor_name,
                donor_email=gift.donor_email,
                amount=Money(minor_units=gift.minor_units, currency=gift.currency),
            )
        )
