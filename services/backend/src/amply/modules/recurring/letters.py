"""Letters about plans, in the donor's language, each with its own signed link, retried until sent."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.infra.letter_templates import letter_templates, letter_texts
from amply.kernel.money import Money
from amply.modules import mail, organizations, receipts
from amply.modules.mail import Mail
from amply.modules.receipts import Language, Wording, harmless
from amply.modules.recurring.domain import Reason
from amply.modules.recurring.links import LinkKey
from amply.modules.recurring.models import PlanLetterRow, PlanRow
from amply.modules.recurring.plan_transitions import LetterKind

ATTEMPTS_MAX: Final = 20
_BATCH_MAX: Final = 50
_PACKAGE: Final = "amply.modules.recurring"
_TEMPLATES: Final = letter_templates(_PACKAGE)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class PlanLetterDependencies:
    """Dependencies of plan letters. `page` is the donor page's address."""

    database: Database
    mailer: mail.Mailer
    key: LinkKey
    page: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Contents of a plan letter. `amount` is the total charge, `fee_cover` its part for the fee."""

    kind: LetterKind
    to: str
    donor_name: str
    organization: str
    country: str
    language: Language
    amount: Money
    fee_cover: Money
    every: str
    method_kind: str
    last4: str
    day: date
    link: str
    colour: str = ""
    reason: Reason | None = None


def plan_mail(letter: Letter) -> Mail:
    """Render a letter as text and HTML."""
    wording = Wording.of(letter.language, country=letter.country)
    texts = letter_texts(_PACKAGE, letter.language)
    filled = {
        "donor": harmless(letter.donor_name),
        "organization": harmless(letter.organization),
        "amount": wording.amount(letter.amount),
        "fee_cover": wording.amount(letter.fee_cover),
        "every": texts["every"][letter.every],
        "day": wording.day(letter.day),
        "method": texts["method"][_method_known(letter)].format_map({"last4": letter.last4}),
    }
    own = {name: text.format_map(filled) for name, text in texts[_section(letter)].items()}
    shared = {name: text.format_map(filled) for name, text in texts["letter"].items()}
    cover = [shared["fee_cover"]] if letter.fee_cover.minor_units else []
    said = {**shared, "subject": own["subject"], "paragraphs": [own["first"], *cover, own["second"]]}
    facts = {"said": said, "link": letter.link, "language": letter.language.value, "colour": letter.colour}
    return Mail(
        to=letter.to,
        subject=own["subject"],
        text=_TEMPLATES.get_template("plan.txt").render(facts),
        html=_TEMPLATES.get_template("plan.html").render(facts),
    )


def send_due(parts: PlanLetterDependencies, *, now: datetime) -> int:
    """Send due letters about plans; return how many were handed over.

    Killed between the mail service and its note, a letter is sent twice: better than never.
    """
    return work_off(
        parts.database,
        PlanLetterRow,
        PlanLetterRow.sent_at.is_(None),
        PlanLetterRow.withheld.is_(None),
        PlanLetterRow.attempts < ATTEMPTS_MAX,
        do=partial(_send, parts, now=now),
        most=_BATCH_MAX,
        now=now,
    )


def _section(letter: Letter) -> str:
    """A plan that rests since its organisation has left says so: another card would not help."""
    rests = letter.kind is LetterKind.PAUSED and letter.reason is Reason.ORGANIZATION
    return "organization_left" if rests else letter.kind


def _method_known(letter: Letter) -> str:
    known = letter_texts(_PACKAGE, letter.language)["method"]
    return letter.method_kind if letter.method_kind in known and letter.last4 else "other"


def _send(parts: PlanLetterDependencies, owed: PlanLetterRow, *, now: datetime) -> int:
    """Send one; whatever stops this one must not stop the others."""
    try:
        with parts.database.transaction() as session:
            letter = _letter(session, owed, parts=parts, now=now)
            if letter is None:
                return 0
        message_id = parts.mailer.send(mail=plan_mail(letter))
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("plan_letter_not_sent", plan_id=owed.plan_id, kind=owed.kind)
        return 0
    with parts.database.transaction() as session:
        row = session.get(PlanLetterRow, (owed.plan_id, owed.key), with_for_update=True)
        if row is not None:
            row.sent_at, row.message_id = now, message_id
    return 1


def _letter(
    session: Session, owed: PlanLetterRow, *, parts: PlanLetterDependencies, now: datetime
) -> Letter | None:
    """What is to be sent; None where the address takes nothing any more, which is recorded."""
    plan = session.get_one(PlanRow, owed.plan_id)
    if plan.donor_email is None:
        return None
    reason = mail.suppressed_because(session, address=plan.donor_email)
    if reason is not None:
        row = session.get_one(PlanLetterRow, (owed.plan_id, owed.key), with_for_update=True)
        row.withheld = reason
        _log.warning("plan_letter_withheld", plan_id=plan.id, kind=owed.kind)
        return None
    return _about(session, plan, kind=LetterKind(owed.kind), owed=owed, parts=parts, now=now)


def _about(
    session: Session,
    plan: PlanRow,
    *,
    kind: LetterKind,
    owed: PlanLetterRow | None,
    parts: PlanLetterDependencies,
    now: datetime,
) -> Letter:
    """A letter says what was so when it was owed: the amount and the card may be others by now."""
    organization = organizations.get(session, organization_id=plan.organization_id)
    settings = receipts.settings_of(session, organization_id=plan.organization_id)
    address = plan.donor_email or ""
    told = owed.minor_units if owed is not None else None
    cover = owed.fee_cover_minor_units if owed is not None else 0
    method_kind, last4 = _method_of(plan, owed)
    token = parts.key.sign(email_sha256=mail.address_digest(address), now=now)
    return Letter(
        kind=kind,
        to=address,
        donor_name=plan.donor_name or "",
        organization=organization.name,
        country=organization.country,
        language=Language(plan.language) if plan.language else Language.EN,
        amount=Money(minor_units=plan.minor_units if told is None else told, currency=plan.currency),
        fee_cover=Money(minor_units=cover, currency=plan.currency),
        every=plan.every,
        method_kind=method_kind or "",
        last4=last4 or "",
        day=(owed.due_on if owed is not None else None) or now.date(),
        link=f"{parts.page}#{token}",
        colour=settings.brand_colour if settings is not None else "",
        reason=Reason(plan.reason) if plan.reason else None,
    )


def _method_of(plan: PlanRow, owed: PlanLetterRow | None) -> tuple[str | None, str | None]:
    """What was tried; of what will be charged: what the plan has now."""
    if owed is not None and owed.method_kind is not None:
        return owed.method_kind, owed.method_last4
    return plan.method_kind, plan.method_last4
