"""The letter about a disabled endpoint, as text and HTML with the same content."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.letter_templates import letter_templates, letter_texts
from amply.modules import mail, organizations
from amply.modules.mail import Mail
from amply.modules.receipts import Language, harmless
from amply.modules.webhook_endpoints.models import EndpointRow

_PACKAGE: Final = "amply.modules.webhook_endpoints"
_TEMPLATES: Final = letter_templates(_PACKAGE)
_LETTERS_MAX: Final = 10
_AGAIN_AFTER: Final = timedelta(minutes=10)
_TRIED_FOR: Final = timedelta(days=1)

_log = structlog.get_logger()


def disabled_mail(
    *, to: str, organization: str, language: Language, endpoint_id: str, url: str, reason: str
) -> Mail:
    """The letter about a disabled endpoint. Only the host of its URL is shown: the rest may hold a secret."""
    texts = letter_texts(_PACKAGE, language)
    filled = {
        "organization": harmless(organization),
        "host": harmless(urlsplit(url).hostname or ""),
        "endpoint": endpoint_id,
        "reason": texts["reasons"][reason],
    }
    said = {name: text.format_map(filled) for name, text in texts["disabled"].items()}
    facts = {"said": said, "language": language.value}
    return Mail(
        to=to,
        subject=said["subject"],
        text=_TEMPLATES.get_template("disabled.txt").render(facts),
        html=_TEMPLATES.get_template("disabled.html").render(facts),
    )


def send_letters(database: Database, mailer: mail.Mailer, *, now: datetime) -> int:
    """Send letters about disabled endpoints; return how many were handed over.

    A letter is owed no more from before it is sent: killed in between it is lost, which the audit log and the list of endpoints are not.
    One that cannot be sent is tried for a day.
    """
    sent = 0
    for _ in range(_LETTERS_MAX):
        with database.transaction() as session:
            row = _take(session, now=now)
            letter = None if row is None else _letter(session, row)
        if row is None:
            break
        if letter is None:
            continue
        if not _send(database, mailer, letter, endpoint_id=row.id, now=now):
            break  # the others would fare no better now
        sent += 1
    return sent


def _take(session: Session, *, now: datetime) -> EndpointRow | None:
    row = session.scalars(
        select(EndpointRow)
        .where(EndpointRow.letter_owed_at <= now)
        .order_by(EndpointRow.letter_owed_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is not None:
        row.letter_owed_at = None
    return row


def _letter(session: Session, row: EndpointRow) -> Mail | None:
    """None where it is enabled again, or nobody can be written to."""
    contact = organizations.contact_of(session, organization_id=row.organization_id)
    if (
        row.disabled_reason is None
        or contact is None
        or mail.suppressed_because(session, address=contact.email) is not None
    ):
        _log.info("webhook_letter_withheld", endpoint_id=row.id)
        return None
    organization = organizations.get(session, organization_id=row.organization_id)
    return disabled_mail(
        to=contact.email,
        organization=organization.name,
        language=Language(contact.language),
        endpoint_id=row.id,
        url=row.url,
        reason=row.disabled_reason,
    )


def _send(database: Database, mailer: mail.Mailer, letter: Mail, *, endpoint_id: str, now: datetime) -> bool:
    try:
        mailer.send(mail=letter)
    except Exception:  # noqa: BLE001 -- owed again: it holds back no delivery
        _log.warning("webhook_letter_not_sent", endpoint_id=endpoint_id, exc_info=True)
        with database.transaction() as session:
            row = session.get(EndpointRow, endpoint_id, with_for_update=True)
            if row is not None and now < row.changed_at + _TRIED_FOR:
                row.letter_owed_at = now + _AGAIN_AFTER
        return False
    _log.info("webhook_letter_sent", endpoint_id=endpoint_id)
    return True
