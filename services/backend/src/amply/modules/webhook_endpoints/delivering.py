"""Worker task that delivers events: at least once, unordered, with a stable id.

An attempt is counted before it is made. Killed in between, the delivery comes again when its turn does, and the endpoint knows the
event by its id.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import exists, insert, or_, select
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.kernel.clock import Clock
from amply.modules import audit, mail, public_events
from amply.modules.audit import Action, Actor, ActorKind, AuditedAction
from amply.modules.public_events import PublicEvent, PublicEventRow
from amply.modules.webhook_endpoints.domain import (
    ATTEMPTS_MAX,
    FAILING_MAX,
    FIRST_RETRY_AFTER,
    RETRY_AFTER_MAX,
    DeliveryState,
    DisabledReason,
    EndpointState,
    rest_after,
    retry_after,
)
from amply.modules.webhook_endpoints.fan_out import fan_out_all
from amply.modules.webhook_endpoints.letters import send_letters
from amply.modules.webhook_endpoints.models import AttemptRow, DeliveryRow, EndpointRow, SigningKeyRow
from amply.modules.webhook_endpoints.ports import Answer, Sender
from amply.modules.webhook_endpoints.service import delete_expired_keys
from amply.modules.webhook_endpoints.signatures import signed_headers

_TURN_MAX: Final = timedelta(seconds=60)
"""Much shorter than the queue's visibility timeout, so that no turn runs twice at once."""
_SHARE_ATTEMPTS: Final = 20
_SHARE_MAX: Final = timedelta(seconds=5)
"""After this time or number of attempts, another endpoint is served."""
_GONE: Final = 410
_NO_KEY_UPDATE: Final = {"key_share": True}
"""FOR NO KEY UPDATE: lets others insert rows that refer to the locked one, as a replay does."""
_ACTOR: Final = Actor(kind=ActorKind.SYSTEM, id="webhook-delivery")

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class DeliveryDependencies:
    """Dependencies of deliveries. `turn`: a lock that lets one thread of a process deliver at a time, so that slow
    endpoints occupy only one.
    """

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
    """Create deliveries of new events, and attempt due ones; return the number of attempts.

    New events get their deliveries whether or not another thread is sending.
    """
    fan_out_all(parts.database, clock=clock)
    if not parts.turn.acquire(blocking=False):
        return 0
    try:
        attempts = _Turn(parts, clock).run()
        send_letters(parts.database, parts.mailer, now=clock())
        with parts.database.transaction() as session:
            delete_expired_keys(session, now=clock())
        return attempts
    finally:
        parts.turn.release()


class _Turn:
    """A minute of sending, shared fairly among the endpoints with due deliveries: least recently served first.

    So an endpoint that takes seconds for each answer, or has thousands of events to come, is one of many, and comes again when the
    others were served. One that fails is left alone for the rest of the turn, and rests (`rest_after`).
    """

    def __init__(self, parts: DeliveryDependencies, clock: Clock) -> None:
        self._parts = parts
        self._clock = clock
        self._ends_at = clock() + _TURN_MAX
        self._set_aside: set[str] = set()
        self._attempts = 0

    def run(self) -> int:
        """Attempt due deliveries until none is left or the time is over; return the number of attempts."""
        while (now := self._clock()) < self._ends_at:
            endpoint_id = self._next_endpoint(now)
            if endpoint_id is None:
                break
            self._serve(endpoint_id, until=min(now + _SHARE_MAX, self._ends_at))
        return self._attempts

    def _next_endpoint(self, now: datetime) -> str | None:
        """Whose share it is. It goes to the end of the line at once, for the workers beside this one too."""
        due = exists().where(
            DeliveryRow.endpoint_id == EndpointRow.id,
            DeliveryRow.state == DeliveryState.PENDING,
            DeliveryRow.next_attempt_at <= now,
        )
        with self._parts.database.transaction() as session:
            row = session.scalars(
                select(EndpointRow)
                .where(
                    EndpointRow.state == EndpointState.ENABLED,
                    or_(EndpointRow.next_attempt_at.is_(None), EndpointRow.next_attempt_at <= now),
                    EndpointRow.id.not_in(self._set_aside),
                    due,
                )
                .order_by(EndpointRow.next_attempt_at.nulls_first())
                .limit(1)
                .with_for_update(skip_locked=True, key_share=True)
            ).one_or_none()
            if row is None:
                return None
            row.next_attempt_at = now
            return row.id

    def _serve(self, endpoint_id: str, *, until: datetime) -> None:
        before = self._attempts

        def attempt(row: DeliveryRow) -> int | None:
            self._attempts += 1
            if not _attempt(self._parts, row, self._clock):
                self._set_aside.add(endpoint_id)
                return None
            return 1 if self._clock() < until else None

        work_off(
            self._parts.database,
            DeliveryRow,
            DeliveryRow.state == DeliveryState.PENDING,
            DeliveryRow.endpoint_id == endpoint_id,
            do=attempt,
            most=_SHARE_ATTEMPTS,
            now=self._clock,
            first_again=FIRST_RETRY_AFTER,
            again_max=RETRY_AFTER_MAX,
        )
        if self._attempts == before:
            self._set_aside.add(endpoint_id)  # another worker has them in hand


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
        _note(session, row, answer, url=message.url, at=at, now=clock())
    return answer.failure is None


def _message(session: Session, row: DeliveryRow, *, now: datetime) -> _Message | None:
    """What is sent, and where to; None where the event was forgotten, or the endpoint removed, since the delivery was taken, and
    where no key signs.
    """
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
    if not private_keys:
        _log.error("webhook_endpoint_without_key", endpoint_id=endpoint.id)
        return None
    return _Message(event=public_events.event_of(event), url=endpoint.url, private_keys=private_keys)


def _note(
    session: Session, row: DeliveryRow, answer: Answer, *, url: str, at: datetime, now: datetime
) -> None:
    """`url`: where it was sent. What a former address of the endpoint answers says nothing of the present one."""
    endpoint = session.get(EndpointRow, row.endpoint_id, with_for_update=_NO_KEY_UPDATE)
    delivery = session.get(DeliveryRow, row.id, with_for_update=_NO_KEY_UPDATE)
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
    elif row.attempts >= ATTEMPTS_MAX:
        delivery.state, delivery.finished_at = DeliveryState.FAILED, now
    else:
        delivery.next_attempt_at = now + retry_after(
            row.attempts, delivery_id=row.id, asked=answer.retry_after
        )
    if endpoint.url == url:
        _note_endpoint(session, endpoint, answer, at=at, now=now)


def _note_endpoint(
    session: Session, endpoint: EndpointRow, answer: Answer, *, at: datetime, now: datetime
) -> None:
    """How the endpoint stands after an answer of its present address."""
    endpoint.next_attempt_at = now
    if answer.failure is None:
        endpoint.failing_since = None
        return
    endpoint.failing_since = endpoint.failing_since or at
    endpoint.next_attempt_at += rest_after(now - endpoint.failing_since, asked=answer.retry_after)
    if answer.status == _GONE:
        _disable(session, endpoint, DisabledReason.GONE, now=now)
    elif now - endpoint.failing_since >= FAILING_MAX:
        _disable(session, endpoint, DisabledReason.FAILING, now=now)


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
