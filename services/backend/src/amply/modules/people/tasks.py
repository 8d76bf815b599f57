"""Periodic worker tasks for people, in bounded batches. Safe to run twice, concurrently, or after a crash."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.infra.erasures import ErasureList
from amply.infra.vault.reencryption import SealedRows
from amply.modules import mail
from amply.modules.mail import Language, Mail
from amply.modules.people import factors
from amply.modules.people.domain import LetterKind
from amply.modules.people.letters import letter
from amply.modules.people.links import LetterLinks, StampedPerson
from amply.modules.people.models import ClaimRow, LetterRow, PersonRow
from amply.modules.people.resealing import SealedColumn, sealed_columns_of
from amply.modules.people.sealing import PeopleKey

_BATCH_MAX: Final = 50
_ATTEMPTS_MAX: Final = 6
_KEPT: Final = timedelta(days=2)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class PeopleTaskDependencies:
    """Dependencies of the people tasks. `page` is the account page's address, `listed` the erasure list."""

    database: Database
    mailer: mail.Mailer
    key: PeopleKey
    links: LetterLinks
    page: str
    listed: ErasureList


def send_letters(parts: PeopleTaskDependencies, *, now: datetime) -> int:
    """Send due letters; return how many were handed over.

    Killed between the mail service and its note, a letter is sent twice: better than never.
    """
    sent = work_off(
        parts.database,
        LetterRow,
        LetterRow.attempts < _ATTEMPTS_MAX,
        do=partial(_send, parts, now=now),
        most=_BATCH_MAX,
        now=now,
    )
    with parts.database.transaction() as session:
        session.execute(delete(ClaimRow).where(ClaimRow.expires_at <= now))
        session.execute(
            delete(LetterRow).where(LetterRow.attempts >= _ATTEMPTS_MAX, LetterRow.created_at <= now - _KEPT)
        )
    return sent


def sealed_rows(key: PeopleKey) -> SealedRows:
    """Encrypted columns of people, which key rotation re-encrypts."""
    return sealed_columns_of(
        key,
        "people",
        columns=(SealedColumn(column=PersonRow.sealed_address, of=str), factors.SEALED),
        passing=(ClaimRow.sealed_address, LetterRow.sealed_address),
    )


def count_exhausted_letters(session: Session, *, now: datetime) -> int:
    """Count letters that used up their attempts; those older than two days no longer matter."""
    return session.scalars(
        select(func.count())
        .where(LetterRow.attempts >= _ATTEMPTS_MAX)
        .where(LetterRow.next_attempt_at <= now)
        .where(LetterRow.created_at > now - _KEPT)
    ).one()


def _send(parts: PeopleTaskDependencies, asked: LetterRow, *, now: datetime) -> int:
    """Write one, and delete it; whatever stops this one must not stop the others. Then it is counted as given up."""
    sent = 0
    try:
        with parts.database.transaction() as session:
            written = _written(session, asked, parts=parts, now=now)
        if written is not None:
            parts.mailer.send(mail=written)
            sent = 1
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("person_letter_not_sent", letter_id=asked.id, kind=asked.kind)
    else:
        _finish(parts, asked)
    return sent


def _finish(parts: PeopleTaskDependencies, asked: LetterRow) -> None:
    with parts.database.transaction() as session:
        if asked.kind == LetterKind.GOODBYE:
            mail.forget(
                session, addresses=[parts.key.unseal_address(asked.sealed_address, of=asked.id).written]
            )
        session.execute(delete(LetterRow).where(LetterRow.id == asked.id))


def _written(
    session: Session, asked: LetterRow, *, parts: PeopleTaskDependencies, now: datetime
) -> Mail | None:
    """The letter that is true now; None where none is, or the address takes no letters any more."""
    to = parts.key.unseal_address(asked.sealed_address, of=asked.id).written
    if mail.suppressed_because(session, address=to) is not None:
        return None
    owner = session.scalars(
        select(PersonRow).where(PersonRow.address_index == asked.address_index)
    ).one_or_none()
    said = _said(session, asked, owner, parts=parts, now=now)
    if said is None:
        return None
    name, link = said
    return letter(name=name, to=to, language=Language(asked.language), link=link)


def _said(
    session: Session,
    asked: LetterRow,
    owner: PersonRow | None,
    *,
    parts: PeopleTaskDependencies,
    now: datetime,
) -> tuple[str, str] | None:
    """Which letter, and where its link leads. The account's owner learns what is so; whoever asked learned nothing."""
    kind = LetterKind(asked.kind)
    if kind is LetterKind.RESET:
        if owner is None:
            return "reset_unknown", f"{parts.page}?register"
        token = parts.links.resets.sign(StampedPerson(person_id=owner.id, stamp=owner.stamp), now=now)
        return "reset", f"{parts.page}?reset#{token}"
    if kind in (LetterKind.VERIFY, LetterKind.CHANGE_ADDRESS):
        if owner is not None:
            return f"{kind}_known", parts.page
        if asked.claim_id is None or session.get(ClaimRow, asked.claim_id) is None:
            return None  # used, replaced, or too old
        step = "verify" if kind is LetterKind.VERIFY else "confirm-email"
        return kind.value, f"{parts.page}?{step}#{parts.links.claims.sign(asked.claim_id, now=now)}"
    return kind.value, parts.page
