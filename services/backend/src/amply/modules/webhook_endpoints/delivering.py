"""Delivering events: the worker's part. At least once, in no particular order, under an id that stays the same.

An attempt is counted before it is made. Killed in between, the delivery comes again when its turn does, and the endpoint knows the
event by its id.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel import ids
from amply.kernel.clock import Clock
from amply.modules import audit, mail, public_events
from amply.modules.audit import Action, Actor, ActorKind, AuditedAction
from amply.modules.public_events import PublicEvent, PublicEventRow
from amply.modules.webhook_endpoints.domain import (
    ATTEMPTS_MAX,
    EXHAUSTED_MAX,
    FIRST_RETRY_AFTER,
    RETRY_AFTER_MAX,
    DeliveryState,
    DisabledReason,
    EndpointState,
)
from amply.modules.webhook_endpoints.letters import send_letters
from amply.modules.webhook_endpoints.models import AttemptRow, DeliveryRow, EndpointRow, SigningKeyRow
from amply.modules.webhook_endpoints.ports import Answer, Sender
from amply.modules.webhook_endpoints.signatures import signed_headers

_EVENTS_AT_ONCE: Final = 200
_DELIVERIES_IN_A_TURN: Final = 200
_GONE: Final = 410
_ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="webhook-delivery")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class DeliveryDependencies:
    """What deliveries work with. `turn`: one thread of a process delivers at a time, so that slow endpoints hold no others up."""

    database: Database
    sender: Sender
    mailer: mail.Mailer
    turn: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, kw_only=True)
class _Message:
    event: PublicEvent
    url: str
    private_keys: tuple[str, ...]


def deliver(parts: DeliveryDependencies, *, clock: Clock) -> int:
    """Make deliveries of new events, and attempt those that are due; return how many attempts were made.

    After a failure the same endpoint is left alone for the rest of the turn: one that never answers costs a turn one timeout.
    """
    if not parts.turn.acquire(blocking=False):
        return 0
    try:
        while fan_out(parts.database, now=clock()) == _EVENTS_AT_ONCE:
            pass
        attempts = _attempt_those_due(parts, clock)
        send_letters(parts.database, parts.mailer, now=clock())
        with parts.database.transaction() as session:
            public_events.forget_old(session, now=clock())
        return attempts
    finally:
        parts.turn.release()


def fan_out(database: Database, *, now: datetime) -> int:
    """Make a delivery of each new event for each endpoint that wants its type; return how many events were new."""
    with database.transaction() as session:
        events = session.scalars(
            select(PublicEventRow)
            .where(PublicEventRow.fanned_out_at.is_(None))
            .order_by(PublicEventRow.created_at)
            .limit(_EVENTS_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        if not events:
            return 0
        event_ids = [event.id for event in events]
        wanted = session.execute(
            select(PublicEventRow.id, EndpointRow.id, EndpointRow.organization_id)
            .join(EndpointRow, EndpointRow.organization_id == PublicEventRow.organization_id)
            .where(
                PublicEventRow.id.in_(event_ids),
                EndpointRow.state == EndpointState.ENABLED,
                PublicEventRow.type == func.any(EndpointRow.event_types),
            )
        ).all()
        for event_id, endpoint_id, organization_id in wanted:
            session.execute(
                insert_or(DeliveryRow)
                .values(
                    **new_delivery(
                        event_id, endpoint_id=endpoint_id, organization_id=organization_id, now=now
                    )
                )
                .on_conflict_do_nothing()
            )
        for event in events:
            event.fanned_out_at = now
    return len(events)


def new_delivery(
    event_id: str, *, endpoint_id: str, organization_id: str, now: datetime
) -> dict[str, str | datetime]:
    """The values of a delivery that is due at once."""
    return {
        "id": ids.new_id("whd"),
        "event_id": event_id,
        "endpoint_id": endpoint_id,
        "organization_id": organization_id,
        "next_attempt_at": now,
        "created_at": now,
    }


def _attempt_those_due(parts: DeliveryDependencies, clock: Clock) -> int:
    attempts = 0
    failed: set[str] = set()
    enabled = select(EndpointRow.id).where(EndpointRow.state == EndpointState.ENABLED)

    def attempt(row: DeliveryRow) -> int:
        if not _attempt(parts, row, clock):
            failed.add(row.endpoint_id)
        return 1

    for _ in range(_DELIVERIES_IN_A_TURN):
        made = work_off(
            parts.database,
            DeliveryRow,
            DeliveryRow.state == DeliveryState.PENDING,
            DeliveryRow.endpoint_id.in_(enabled),
            DeliveryRow.endpoint_id.not_in(failed),
            do=attempt,
            most=1,
            now=clock(),
            first_again=FIRST_RETRY_AFTER,
            again_max=RETRY_AFTER_MAX,
        )
        if not made:
            break
        attempts += made
    return attempts


def _attempt(parts: DeliveryDependencies, row: DeliveryRow, clock: Clock) -> bool:
    """Make one attempt and note what came of it; whether the endpoint is well."""
    at = clock()
    with parts.database.transaction() as session:
        message = _message(session, row, now=at)
    if message is None:
        return True
    body = message.event.body()
    headers = signed_headers(body, message_id=message.event.id, private_keys=message.private_keys, now=at)
    answer = parts.sender.post(url=message.url, headers=headers, body=body)
    with parts.database.transaction() as session:
        _note(session, row, answer, at=at, now=clock())
    return answer.failure is None


def _message(session: Session, row: DeliveryRow, *, now: datetime) -> _Message | None:
    """What is sent, and where to; None where the event was forgotten, or the endpoint removed, since the delivery was taken."""
    event = session.get(PublicEventRow, row.event_id)
    endpoint = session.get(EndpointRow, row.endpoint_id)
    if event is None or endpoint is None:
        return None
    keys = session.scalars(
        select(SigningKeyRow)
        .where(
            SigningKeyRow.endpoint_id == endpoint.id,
            or_(SigningKeyRow.expires_at.is_(None), SigningKeyRow.expires_at > now),
        )
        .order_by(SigningKeyRow.id.desc())
    ).all()
    private_keys = tuple(key.private_key for key in keys if key.private_key is not None)
    return _Message(event=public_events.event_of(event), url=endpoint.url, private_keys=private_keys)


def _note(session: Session, row: DeliveryRow, answer: Answer, *, at: datetime, now: datetime) -> None:
    endpoint = session.get(EndpointRow, row.endpoint_id, with_for_update=True)
    delivery = session.get(DeliveryRow, row.id, with_for_update=True)
    if endpoint is None or delivery is None:
        return
    session.execute(
        insert(AttemptRow).values(
            delivery_id=row.id,
            organization_id=row.organization_id,
            at=at,
            status=answer.status,
            error=answer.failure,
            milliseconds=answer.milliseconds,
        )
    )
    if answer.failure is None:
        delivery.state, delivery.finished_at = DeliveryState.DELIVERED, now
        endpoint.failing_since, endpoint.exhausted = None, 0
        return
    endpoint.failing_since = endpoint.failing_since or at
    is_gone = answer.status == _GONE
    if is_gone or row.attempts >= ATTEMPTS_MAX:
        delivery.state, delivery.finished_at = DeliveryState.FAILED, now
        endpoint.exhausted += 1
    if is_gone or endpoint.exhausted >= EXHAUSTED_MAX:
        _disable(session, endpoint, DisabledReason.GONE if is_gone else DisabledReason.FAILING, now=now)


def _disable(session: Session, endpoint: EndpointRow, reason: DisabledReason, *, now: datetime) -> None:
    if endpoint.state == EndpointState.DISABLED:
        return
    endpoint.state, endpoint.disabled_reason = EndpointState.DISABLED, reason
    endpoint.changed_at = endpoint.letter_owed_at = now
    deed = AuditedAction(
        actor=_ACTOR,
        action=Action.WEBHOOK_ENDPOINT_DISABLED,
        targets=(endpoint.id,),
        organization_id=endpoint.organization_id,
        reason=reason,
    )
    audit.record(session, deed, now=now)
    _log.warning("webhook_endpoint_disabled", endpoint_id=endpoint.id, reason=reason)
