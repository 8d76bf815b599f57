"""Tells an organisation that its donation form was closed because of card testing, and until when."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from amply.infra.letter_templates import letter_templates, letter_texts
from amply.modules import defence, mail, organizations, receipts
from amply.modules.mail import Mail
from amply.modules.onboarding.tasks import OnboardingTaskDependencies
from amply.modules.receipts import Language, Wording, harmless

_PACKAGE: Final = "amply.modules.onboarding"
_TEMPLATES: Final = letter_templates(_PACKAGE)
_NOBODY: Final = "no_contact"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class ClosingLetter:
    """Contents of the letter. `latest`: the form reopens by then at the latest."""

    to: str
    language: Language
    organization: str
    country: str
    time_zone: str
    began_at: datetime
    until: datetime
    latest: datetime
    declines: int
    cards: int


def tell_of_closings(parts: OnboardingTaskDependencies, *, now: datetime) -> int:
    """Send one letter about each closed form; return how many were handed over."""
    return defence.tell_closings(parts.database, tell=partial(_tell, parts), now=now)


def closing_mail(letter: ClosingLetter) -> Mail:
    """Render the letter as text and HTML."""
    wording = Wording.of(letter.language, country=letter.country, time_zone=letter.time_zone)
    filled = {
        "organization": harmless(letter.organization),
        "began": _moment(wording, letter.began_at),
        "until": _moment(wording, letter.until),
        "latest": _moment(wording, letter.latest),
        "declines": str(letter.declines),
        "cards": str(letter.cards),
    }
    texts = letter_texts(_PACKAGE, letter.language)["closing"]
    said = {name: text.format_map(filled) for name, text in texts.items()}
    facts = {"said": said, "language": letter.language.value}
    return Mail(
        to=letter.to,
        subject=said["subject"],
        text=_TEMPLATES.get_template("closing.txt").render(facts),
        html=_TEMPLATES.get_template("closing.html").render(facts),
    )


def _tell(parts: OnboardingTaskDependencies, closing: defence.Closing) -> str | None:
    """Why nobody can be told; None once the letter is handed over."""
    with parts.database.transaction() as session:
        contact = organizations.contact_of(session, organization_id=closing.organization_id)
        withheld = _NOBODY if contact is None else mail.suppressed_because(session, address=contact.email)
        organization = organizations.get(session, organization_id=closing.organization_id)
        settings = receipts.settings_of(session, organization_id=closing.organization_id)
    if contact is None or withheld is not None:
        _log.warning("closing_letter_withheld", organization_id=closing.organization_id, reason=withheld)
        return withheld
    letter = ClosingLetter(
        to=contact.email,
        language=Language(contact.language),
        organization=organization.name,
        country=organization.country,
        time_zone=settings.time_zone if settings is not None else "UTC",
        began_at=closing.began_at,
        until=closing.until,
        latest=closing.began_at + defence.CLOSED_AT_MOST,
        declines=closing.declines,
        cards=closing.cards,
    )
    parts.mailer.send(mail=closing_mail(letter))
    return None


def _moment(wording: Wording, moment: datetime) -> str:
    """`21 November 2026, 10:00 (Europe/Berlin)`."""
    there = moment.astimezone(wording.zone)
    return f"{wording.day(there)}, {there:%H:%M} ({wording.zone.key})"
