"""Appends audit records, in the same transaction as the change they record."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.logging import request_id
from amply.kernel.ids import new_id
from amply.modules.access import Access, KeyCaller, PersonAccess, PersonCaller
from amply.modules.audit.domain import Action, Actor, ActorKind, AuditedAction, content_of

_APPEND = text("INSERT INTO audit_record (content) VALUES (:content)")


def record(session: Session, deed: AuditedAction, *, now: datetime) -> str:
    """Append a record in this transaction, and return its id, aud_….

    The database chains it when the transaction commits, and others wait for no longer than that. What was tried and
    refused has no transaction left: record it in one of its own.
    """
    record_id = new_id("aud")
    session.execute(_APPEND, {"content": content_of(deed, record_id=record_id, now=now).decode("ascii")})
    return record_id


def record_by(
    session: Session,
    by: Access | PersonAccess,
    action: Action,
    *targets: str,
    organization_id: str | None = None,
    reason: str | None = None,
) -> None:
    """Append a record by an authorised caller in this transaction. `organization_id`: if they were authorised for none."""
    where = by.organization_id if isinstance(by, Access) else organization_id
    deed = AuditedAction(
        actor=_actor(by.caller),
        action=action,
        targets=targets,
        organization_id=where,
        reason=reason,
        request_id=request_id(),
    )
    record(session, deed, now=by.now)


def record_of_person(
    session: Session,
    person_id: str,
    action: Action,
    *targets: str,
    now: datetime,
    organization_id: str | None = None,
) -> None:
    """Append a record of what a person does about themselves, signed in or by a letter's link."""
    deed = AuditedAction(
        actor=Actor(kind=ActorKind.PERSON, id=person_id),
        action=action,
        targets=targets,
        organization_id=organization_id,
        request_id=request_id(),
    )
    record(session, deed, now=now)


def _actor(caller: PersonCaller | KeyCaller) -> Actor:
    if isinstance(caller, KeyCaller):
        return Actor(kind=ActorKind.KEY, id=caller.key_id)
    return Actor(kind=ActorKind.PERSON, id=caller.person_id)
