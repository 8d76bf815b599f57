"""Events that wait for a person or for a handler: what there is, and starting them again.

Every handler tolerates a repeat, so starting one too often changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.modules.webhooks.domain import (
    ATTEMPTS_MAX,
    AWAITED_TYPES,
    HANDLED_TYPES,
    EventNotStored,
    EventTypeNotHandled,
    Outcome,
)
from amply.modules.webhooks.models import ProviderEventRow
from amply.modules.webhooks.service import FACT_RECEIVED, FIRST_SWEEP_AFTER

REPLAYED_MAX: Final = 1_000
"""How many are listed or started at once: each becomes a message, and a question to the processor."""

_IS_UNSUPPORTED: Final = ProviderEventRow.outcome == Outcome.UNSUPPORTED
_IS_EXHAUSTED: Final = and_(ProviderEventRow.handled_at.is_(None), ProviderEventRow.attempts >= ATTEMPTS_MAX)


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event that nothing happens to. `state`: `unsupported` (nobody handles its type) or `exhausted` (ten attempts)."""

    id: str
    type: str
    account_id: str | None
    occurred_at: datetime
    received_at: datetime
    state: str
    can_be_replayed: bool


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """How many were started, and how many of the same choice are left."""

    started: int
    left: int


def unhandled(session: Session, *, event_type: str | None, limit: int) -> list[StoredEvent]:
    """Events that wait for a handler or for a person, the oldest first."""
    rows = session.scalars(
        select(ProviderEventRow)
        .where(_waiting(event_type))
        .order_by(ProviderEventRow.occurred_at, ProviderEventRow.id)
        .limit(min(limit, REPLAYED_MAX))
    )
    return [
        StoredEvent(
            id=row.id,
            type=row.type,
            account_id=row.account_id,
            occurred_at=row.occurred_at,
            received_at=row.received_at,
            state="exhausted" if row.outcome is None else Outcome.UNSUPPORTED,
            can_be_replayed=row.type in HANDLED_TYPES,
        )
        for row in rows
    ]


def replay(session: Session, *, event_type: str | None, limit: int, now: datetime) -> Replayed:
    """Announce waiting events again, the oldest first, as if they had just arrived.

    Without a type, all that can be handled.

    Raises:
        EventTypeNotHandled: Nobody handles events of this type yet.
    """
    if event_type is not None and event_type not in HANDLED_TYPES:
        raise EventTypeNotHandled(event_type)
    chosen = and_(_waiting(event_type), ProviderEventRow.type.in_(HANDLED_TYPES))
    rows = session.scalars(
        select(ProviderEventRow)
        .where(chosen)
        .order_by(ProviderEventRow.occurred_at, ProviderEventRow.id)
        .limit(min(limit, REPLAYED_MAX))
        .with_for_update(skip_locked=True)
    ).all()
    _start(session, rows, now=now)
    session.flush()
    left = session.scalars(select(func.count()).select_from(ProviderEventRow).where(chosen)).one()
    return Replayed(started=len(rows), left=left)


def replay_one(session: Session, *, event_id: str, now: datetime) -> Replayed:
    """Announce one event again, whatever became of it: one that was handled changes nothing.

    Raises:
        EventNotStored: There is none of this id.
        EventTypeNotHandled: Nobody handles events of its type yet.
    """
    row = session.scalars(
        select(ProviderEventRow).where(ProviderEventRow.id == event_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise EventNotStored(event_id)
    if row.type not in HANDLED_TYPES:
        raise EventTypeNotHandled(row.type)
    _start(session, [row], now=now)
    return Replayed(started=1, left=0)


def count_awaited(session: Session) -> int:
    """How many stored events have moved money that the books do not show, since nobody handles their type."""
    awaited = select(func.count()).where(_IS_UNSUPPORTED, ProviderEventRow.type.in_(AWAITED_TYPES))
    return session.scalars(awaited).one()


def _waiting(event_type: str | None) -> ColumnElement[bool]:
    waiting = or_(_IS_UNSUPPORTED, _IS_EXHAUSTED)
    return waiting if event_type is None else and_(waiting, ProviderEventRow.type == event_type)


def _start(session: Session, rows: Sequence[ProviderEventRow], *, now: datetime) -> None:
    for row in rows:
        row.handled_at = row.outcome = None
        row.attempts = 0
        row.next_attempt_at = now + FIRST_SWEEP_AFTER
        outbox.put(
            session,
            topic=FACT_RECEIVED,
            payload={"event_id": row.id},
            now=now,
            traceparent=row.traceparent,
        )
