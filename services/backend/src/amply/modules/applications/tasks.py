"""Periodic worker tasks for applications, in bounded batches. Safe to run twice, concurrently, or after a crash."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import MINUTE, work_off
from amply.infra.uploads import FORGOTTEN_AFTER
from amply.infra.vault.organization_keys import hold_key_of, of_organizations
from amply.infra.vault.reencryption import SealedRows
from amply.modules import mail, organizations
from amply.modules.access import note_gone
from amply.modules.applications.letters import step_mail
from amply.modules.applications.models import ApplicationRow, DocumentRow, LookupRow, StepRow, TierNoticeRow
from amply.modules.applications.ports import DocumentStore, Register, RegisterUnavailable
from amply.modules.organizations import Organization
from amply.modules.receipts import Language

_AT_ONCE_MAX: Final = 20
_ATTEMPTS_MAX: Final = 10
_NOBODY: Final = "no_contact"

_log = structlog.get_logger()

Told = TypeVar("Told", StepRow, TierNoticeRow)
Filling = Callable[[Organization, Language], Mapping[str, str]]
"""Returns a letter's placeholders besides the organisation's name."""


def nothing_more(_organization: Organization, _language: Language) -> Mapping[str, str]:
    """No other blank."""
    return {}


@dataclass(frozen=True, kw_only=True)
class ApplicationTaskDependencies:
    """What the tasks of applications depend on. `page` is where people see their organisation."""

    database: Database
    mailer: mail.Mailer
    register: Register
    shelf: DocumentStore
    page: str


def write_letters(parts: ApplicationTaskDependencies, *, now: datetime) -> int:
    """Send letters about applications; return how many were handed to the mail service.

    Killed between the mail service and its note, a letter is sent twice: better than never.
    """
    return write_owed(parts, StepRow, partial(_tell, parts, now=now), now=now)


def write_owed(
    parts: ApplicationTaskDependencies, table: type[Told], tell: Callable[[Told], int], *, now: datetime
) -> int:
    """Send the pending letters of a table's rows, with limited attempts; return how many were handed over."""
    return work_off(
        parts.database,
        table,
        *_owed(table),
        table.attempts < _ATTEMPTS_MAX,
        do=tell,
        most=_AT_ONCE_MAX,
        now=now,
    )


def ask_registers(parts: ApplicationTaskDependencies, *, now: datetime) -> int:
    """Look up applications' numbers in public registers; return how many were answered.

    One that does not answer is asked again, ever later; the application waits with it, and staff may decide without it.
    """
    return work_off(
        parts.database,
        LookupRow,
        LookupRow.answered_at.is_(None),
        do=partial(_ask, parts, now=now),
        most=_AT_ONCE_MAX,
        first_again=MINUTE,
        now=now,
    )


def tidy_documents(parts: ApplicationTaskDependencies, *, now: datetime) -> int:
    """Delete expired uploads and the bytes of removed documents; return how many."""
    return work_off(
        parts.database,
        DocumentRow,
        or_(
            DocumentRow.received_at.is_(None) & (DocumentRow.expires_at < now - FORGOTTEN_AFTER),
            DocumentRow.removed_at.is_not(None) & DocumentRow.gone_at.is_(None),
        ),
        do=partial(_take_away, parts, now=now),
        most=_AT_ONCE_MAX,
        first_again=MINUTE,
        now=now,
    )


def sealed_rows() -> tuple[SealedRows, ...]:
    """Rows that key rotation re-encrypts."""
    return tuple(of_organizations(kind) for kind in (ApplicationRow, LookupRow, StepRow))


def count_untold(session: Session) -> int:
    """Count letters about applications that used up their attempts."""
    total = 0
    for table in (StepRow, TierNoticeRow):
        counted = select(func.count()).where(*_owed(table), table.attempts >= _ATTEMPTS_MAX)
        total += session.scalars(counted).one()
    return total


def _owed(table: type[StepRow] | type[TierNoticeRow]) -> tuple[ColumnElement[bool], ...]:
    return table.told_at.is_(None), table.withheld.is_(None)


def _take_away(parts: ApplicationTaskDependencies, row: DocumentRow, *, now: datetime) -> int:
    """Take one away; whatever stops this one must not stop the others."""
    try:
        # Delete the bytes first: after a crash in between, the row still says what is left to do.
        parts.shelf.take_away(row.object_key)
        with parts.database.transaction() as session:
            note_gone(session, DocumentRow, row, now=now)
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("document_not_taken_away", document_id=row.id)
        return 0
    return 1


def deliver(
    parts: ApplicationTaskDependencies,
    table: type[Told],
    row: Told,
    *,
    step: str,
    now: datetime,
    said: str | None = None,
    filled: Filling = nothing_more,
) -> int:
    """Send the letter of a row, and mark it as sent; 0 if that failed."""
    told = {"letter": row.id, "organization_id": row.organization_id}
    try:
        with parts.database.transaction() as session:
            contact = organizations.contact_of(session, organization_id=row.organization_id)
            organization = organizations.get(session, organization_id=row.organization_id)
            withheld = _NOBODY if contact is None else mail.suppressed_because(session, address=contact.email)
        if contact is not None and withheld is None:
            language = Language(contact.language)
            letter = step_mail(
                to=contact.email,
                organization=organization.name,
                step=step,
                said=said,
                language=language,
                link=parts.page,
                more=filled(organization, language),
            )
            parts.mailer.send(mail=letter)
        with parts.database.transaction() as session:
            session.execute(
                update(table)
                .where(table.id == row.id)
                .values(told_at=now if withheld is None else None, withheld=withheld)
            )
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("application_letter_not_sent", **told)
        return 0
    _log.info("application_letter_sent" if withheld is None else "application_letter_withheld", **told)
    return int(withheld is None)


def _tell(parts: ApplicationTaskDependencies, step: StepRow, *, now: datetime) -> int:
    # An organisation that returns from suspension is told that, not that it was verified.
    hold_key_of(parts.database, step.organization_id)
    word = "restored" if step.from_state == organizations.OrganizationState.SUSPENDED else step.to_state
    return deliver(parts, StepRow, step, step=word, said=step.said, now=now)


def _ask(parts: ApplicationTaskDependencies, question: LookupRow, *, now: datetime) -> int:
    hold_key_of(parts.database, question.organization_id, to_seal=True)
    register = parts.register.name_for(country=question.country)
    found = None
    if register is not None:
        try:
            found = parts.register.look_up(country=question.country, tax_id=question.tax_id or "")
        except RegisterUnavailable:
            _log.warning("register_not_asked", organization_id=question.organization_id, register=register)
            return 0
    outcome = "no_register" if register is None else "found" if found else "not_found"
    with parts.database.transaction() as session:
        row = session.get_one(LookupRow, question.id, with_for_update=True)
        if row.answered_at is None:
            row.answered_at, row.outcome, row.register = now, outcome, register
            row.name, row.status = (found.name, found.status) if found else (None, None)
    return 1
