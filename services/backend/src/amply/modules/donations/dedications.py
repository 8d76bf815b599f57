"""Sends the letter about a dedicated gift (in honour of somebody), once, after the gift has succeeded.

A gift to several organisations is told of once too, when no part of it can still arrive.

The letter is marked as handed over before it is. Whoever dies in between leaves it unsent for ever: somebody who mourns
must not get it twice. What the mail service refuses is tried again, five times at most. Whom it went to is then forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import again
from amply.modules import mail, organizations, receipts
from amply.modules.donations import split_rows
from amply.modules.donations.domain import DEDICATION_ATTEMPTS_MAX, DonationStatus
from amply.modules.donations.models import DedicationRow, DonationRow
from amply.modules.donations.options import Anonymity
from amply.modules.payments import DisputeState

_log = structlog.get_logger()

_RUN_MAX: Final = 200
"""Letters in one run; the next one follows in half a minute."""
_FIRST_AGAIN: Final = timedelta(minutes=2)
_DAY: Final = timedelta(days=1)
_A_DAY_MAX: Final = 3
"""Letters to one address in a day: the form must not be usable to flood a mailbox."""


class WithheldDedication(StrEnum):
    """Why nobody is told. `TOO_MANY`: the address had three such letters within a day."""

    SUPPRESSED = "suppressed"
    TOO_MANY = "too_many"
    GIVEN_BACK = "given_back"


@dataclass(frozen=True, kw_only=True)
class DedicationDependencies:
    """Dependencies of sending dedication letters."""

    database: Database
    mailer: mail.Mailer


def send_due_dedications(parts: DedicationDependencies, *, now: datetime) -> int:
    """Send dedication letters of succeeded gifts; return how many were handed over."""
    _forget_told(parts, now=now)
    sent = 0
    for _ in range(_RUN_MAX):
        donation_id = _next(parts, now=now)
        if donation_id is None:
            break
        sent += _send(parts, donation_id=donation_id, now=now)
    return sent


def _next(parts: DedicationDependencies, *, now: datetime) -> str | None:
    with parts.database.transaction() as session:
        return session.scalars(
            select(DedicationRow.donation_id)
            .join(DonationRow, DonationRow.id == DedicationRow.donation_id)
            .where(
                split_rows.has_arrived(now=now),
                or_(
                    DedicationRow.recipient_index.is_not(None),
                    DedicationRow.plain_recipient_email.is_not(None),
                ),
                DedicationRow.handed_over_at.is_(None),
                DedicationRow.withheld.is_(None),
                DedicationRow.attempts < DEDICATION_ATTEMPTS_MAX,
                or_(DedicationRow.next_attempt_at.is_(None), DedicationRow.next_attempt_at <= now),
            )
            .order_by(DedicationRow.next_attempt_at.nulls_first(), DedicationRow.donation_id)
            .limit(1)
            .with_for_update(of=DedicationRow, skip_locked=True)
        ).one_or_none()


def _send(parts: DedicationDependencies, *, donation_id: str, now: datetime) -> bool:
    """Hand one letter over; whatever stops this one must not stop the others."""
    letter = _claim(parts, donation_id=donation_id, now=now)
    if letter is None:
        return False
    try:
        message_id = parts.mailer.send(mail=receipts.dedication_mail(letter))
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("dedication_not_told", donation_id=donation_id)
        with parts.database.transaction() as session:
            _give_back(session, donation_id=donation_id, now=now)
        return False
    with parts.database.transaction() as session:
        _forget(session, donation_id=donation_id, message_id=message_id)
    return True


def _claim(
    parts: DedicationDependencies, *, donation_id: str, now: datetime
) -> receipts.DedicationLetter | None:
    """The letter, marked as handed over; None where none is to be sent, which is recorded, or where others were faster."""
    with parts.database.transaction() as session:
        row = session.get(DedicationRow, donation_id, with_for_update=True)
        if row is None or row.handed_over_at is not None:
            return None
        if row.recipient_email is None:
            # An erased donor's row in a restored database: it cannot be decrypted, and no letter is sent.
            row.attempts = DEDICATION_ATTEMPTS_MAX
            return None
        gift = session.get_one(DonationRow, donation_id)
        standing = [part for part in split_rows.whole_of(session, gift) if _stands(part)]
        row.withheld = _withheld(session, row, standing, now=now)
        if row.withheld is not None:
            row.forget_recipient()
            _log.warning("dedication_withheld", donation_id=donation_id, reason=row.withheld)
            return None
        row.attempts += 1
        row.handed_over_at = now
        return _letter(session, row, gift, standing)


def _stands(gift: DonationRow) -> bool:
    """Whether it arrived and has not gone back."""
    return (
        gift.status == DonationStatus.SUCCEEDED
        and gift.reversed_at is None
        and gift.refunded_minor_units < gift.minor_units
        and gift.dispute_state != DisputeState.LOST
    )


def _withheld(
    session: Session, row: DedicationRow, parts: Sequence[DonationRow], *, now: datetime
) -> WithheldDedication | None:
    if not parts:
        return WithheldDedication.GIVEN_BACK
    if mail.suppressed_because(session, address=row.recipient_email or "") is not None:
        return WithheldDedication.SUPPRESSED
    told = session.scalars(
        select(func.count()).where(
            DedicationRow.told_to(session, row.recipient_sha256 or ""),
            DedicationRow.handed_over_at > now - _DAY,
        )
    ).one()
    return WithheldDedication.TOO_MANY if told >= _A_DAY_MAX else None


def _letter(
    session: Session, row: DedicationRow, gift: DonationRow, parts: Sequence[DonationRow]
) -> receipts.DedicationLetter:
    """Of the whole gift: it names every organisation whose part has arrived."""
    recipients = [
        organizations.get(session, organization_id=organization_id)
        for organization_id in dict.fromkeys(part.organization_id for part in parts)
    ]
    settings = receipts.settings_of(session, organization_id=gift.organization_id)
    donor, _ = receipts.told_of(session, donation_id=gift.id)
    name = donor.company.name if donor.company is not None else gift.donor_name
    language = donor.language or (settings.language if settings is not None else receipts.Language.EN)
    country = recipients[0].country
    return receipts.DedicationLetter(
        recipient_name=row.recipient_name or "",
        recipient_email=row.recipient_email or "",
        dedicated=receipts.Dedicated(kind=row.kind, honouree=row.honouree or ""),
        donor_name=None if gift.anonymity == Anonymity.ORGANIZATION else name,
        organization=receipts.Wording.of(language, country=country).listing(
            [each.name for each in recipients]
        ),
        country=country,
        language=language,
    )


def _give_back(session: Session, *, donation_id: str, now: datetime) -> None:
    """It did not leave: let it be tried again, ever later, and give up after five times."""
    row = session.get(DedicationRow, donation_id, with_for_update=True)
    if row is None:
        return
    row.handed_over_at = None
    row.next_attempt_at = now + again(row.attempts, first=_FIRST_AGAIN)
    if row.attempts >= DEDICATION_ATTEMPTS_MAX:
        row.forget_recipient()


def _forget(session: Session, *, donation_id: str, message_id: str) -> None:
    row = session.get(DedicationRow, donation_id, with_for_update=True)
    if row is not None:
        row.message_id = message_id
        row.forget_recipient()


def _forget_told(parts: DedicationDependencies, *, now: datetime) -> None:
    """Those whose letter was on its way when its sender died: nobody will write to them again.

    What is sealed does not tell whether they are forgotten already: one attempt more than there are says so.
    """
    with parts.database.transaction() as session:
        rows = session.scalars(
            select(DedicationRow)
            .where(
                DedicationRow.handed_over_at < now - _DAY,
                DedicationRow.message_id.is_(None),
                DedicationRow.attempts <= DEDICATION_ATTEMPTS_MAX,
            )
            .limit(_RUN_MAX)
            .with_for_update(skip_locked=True)
        )
        for row in rows:
            row.forget_recipient()
            row.attempts = DEDICATION_ATTEMPTS_MAX + 1
