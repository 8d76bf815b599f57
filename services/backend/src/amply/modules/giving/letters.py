"""Sends the link to the donor page, to addresses that have something to see there and to no other."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.due_rows import work_off
from amply.infra.letter_templates import letter_templates, letter_texts
from amply.infra.vault.reencryption import SealedRows, of_records
from amply.kernel import ids
from amply.modules import donations, mail, receipts, recurring
from amply.modules.giving.models import LinkRequestRow
from amply.modules.mail import Mail
from amply.modules.receipts import Language

TOPIC_LINK_ASKED: Final = "giving.link_asked"
"""A donor link was requested for an address, with or without gifts."""

_ATTEMPTS_MAX: Final = 5
_BATCH_MAX: Final = 50
_OURS: Final = "#05668d"
_PACKAGE: Final = "amply.modules.giving"
_TEMPLATES: Final = letter_templates(_PACKAGE)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class LinkLetter:
    """Contents of the letter. `issuer` and `colour` are set if the donor gave to one organisation only."""

    to: str
    link: str
    language: Language
    issuer: str = ""
    colour: str = ""


def ask_for_link(session: Session, *, email: str, language: Language | None, now: datetime) -> None:
    """Request a link by e-mail. The response never depends on whether the address has gifts."""
    request_id = ids.new_id("lnk")
    session.execute(
        insert(LinkRequestRow).values(
            id=request_id,
            language=language,
            attempts=0,
            next_attempt_at=now,
            **LinkRequestRow.fields.at_rest(session, row_id=request_id, fields={"email": email}),
        )
    )
    outbox.put(session, topic=TOPIC_LINK_ASKED, payload={"request_id": request_id}, now=now)


def sealed_rows() -> SealedRows:
    """Rows that key rotation re-encrypts."""
    return of_records(LinkRequestRow)


def send_links(parts: recurring.PlanLetterDependencies, *, now: datetime) -> int:
    """Send requested links; return how many letters were handed over.

    Killed between the mail service and its note, a letter is sent twice: better than never.
    """
    return work_off(
        parts.database, LinkRequestRow, do=partial(_send, parts, now=now), most=_BATCH_MAX, now=now
    )


def link_mail(letter: LinkLetter) -> Mail:
    """Render the letter as text and HTML."""
    said = letter_texts(_PACKAGE, letter.language)["link"]
    facts = {
        "said": said,
        "issuer": receipts.harmless(letter.issuer),
        "colour": letter.colour or _OURS,
        "link": letter.link,
        "language": letter.language.value,
    }
    return Mail(
        to=letter.to,
        subject=said["subject"],
        text=_TEMPLATES.get_template("link.txt").render(facts),
        html=_TEMPLATES.get_template("link.html").render(facts),
    )


def _send(parts: recurring.PlanLetterDependencies, asked: LinkRequestRow, *, now: datetime) -> int:
    """Send a link to the address that gifts or plans have, and forget the request; where there are none, only that."""
    is_done, sent = asked.attempts >= _ATTEMPTS_MAX, 0
    try:
        with parts.database.transaction() as session:
            letter = _letter(session, asked, parts=parts, now=now)
        if letter is not None:
            parts.mailer.send(mail=link_mail(letter))
            sent = 1
        is_done = True
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("donor_link_not_sent", request_id=asked.id)
    if is_done:
        with parts.database.transaction() as session:
            session.execute(delete(LinkRequestRow).where(LinkRequestRow.id == asked.id))
    return sent


def _letter(
    session: Session, asked: LinkRequestRow, *, parts: recurring.PlanLetterDependencies, now: datetime
) -> LinkLetter | None:
    digest = mail.address_digest(asked.email or "")
    if mail.suppressed_because(session, address=asked.email or "") is not None:
        return None
    address = donations.newest_address(session, email_sha256=digest) or recurring.newest_address(
        session, email_sha256=digest
    )
    if address is None:
        return None
    settings = _only_issuer(session, email_sha256=digest)
    language = asked.language or (settings.language if settings is not None else None)
    return LinkLetter(
        to=address,
        link=f"{parts.page}#{parts.key.sign(email_sha256=digest, now=now)}",
        language=Language(language) if language else Language.EN,
        issuer=settings.legal_name if settings is not None else "",
        colour=settings.brand_colour if settings is not None else "",
    )


def _only_issuer(session: Session, *, email_sha256: str) -> receipts.ReceiptSettings | None:
    """Whose letter it looks like: the organisation's, where all that is to be seen is with one."""
    given_to = {each.id for each in donations.recipients_of(session, email_sha256=email_sha256)}
    given_to |= {seen.plan.organization_id for seen in recurring.plans_of(session, email_sha256=email_sha256)}
    if len(given_to) != 1:
        return None
    return receipts.settings_of(session, organization_id=given_to.pop())
