"""Lists and replays provider events that wait for a handler or an operator.

Every handler tolerates a repeat, so starting one too often changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, literal_column, or_, select
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.modules.webhooks.domain import (
    ACCOUNT_OUT_OF_REACH,
    ATTEMPTS_MAX,
    AWAITED_TYPES,
    HANDLED_TYPES,
    SETUP_TYPES,
    EventNotStored,
    EventTypeNotHandled,
    Outcome,
)
from amply.modules.webhooks.models import ProviderEventRow
from amply.modules.webhooks.service import FIRST_SWEEP_AFTER, TOPIC_RECEIVED

REPLAYED_MAX: Final = 1_000
"""Events listed or replayed at once: each causes a message and a request to the processor."""

_IS_UNSUPPORTED: Final = ProviderEventRow.outcome == Outcome.UNSUPPORTED
_IS_EXHAUSTED: Final = and_(ProviderEventRow.handled_at.is_(None), ProviderEventRow.attempts >= ATTEMPTS_MAX)
_IS_FAILING: Final = and_(
    ProviderEventRow.handled_at.is_(None),
    ProviderEventRow.attempts < ATTEMPTS_MAX,
    ProviderEventRow.last_failure.is_not(None),
)


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An unhandled event. `state`: `unsupported` (no handler for its type) or `exhausted` (ten attempts)."""

    id: str
    type: str
    account_id: str | None
    occurred_at: datetime
    received_at: datetime
    state: str
    can_be_replayed: bool


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """How many events were replayed, and how many matching ones are left."""

    started: int
    left: int


@dataclass(frozen=True, kw_only=True)
class UnhandledGroup:
    """Unhandled events of one type, for one reason.

    Attributes:
        state: `unsupported`: nobody handles the type. `exhausted`: ten attempts have failed. `failing`: the last attempt has
            failed, and another follows. `waiting`: they wait for their organisation, whose account we are shut out of.
        reason: The name of the error of the last attempt; None where there was none.
    """

    type: str
    state: str
    reason: str | None
    events: int
    oldest_at: datetime
    newest_at: datetime
    can_be_replayed: bool


def summary(session: Session) -> list[UnhandledGroup]:
    """Unhandled events by type and reason, most first, without those in their first attempt."""
    state = _state()
    found = session.execute(
        select(
            ProviderEventRow.type,
            state.label("state"),
            ProviderEventRow.last_failure.label("reason"),
            func.count().label("events"),
            func.min(ProviderEventRow.occurred_at).label("oldest_at"),
            func.max(ProviderEventRow.occurred_at).label("newest_at"),
        )
        .where(or_(_IS_UNSUPPORTED, _IS_EXHAUSTED, _IS_FAILING))
        .group_by(ProviderEventRow.type, state, ProviderEventRow.last_failure)
        .order_by(func.count().desc(), ProviderEventRow.type)
        .limit(REPLAYED_MAX)
    )
    return [
        UnhandledGroup(**row._mapping, can_be_replayed=row.type in HANDLED_TYPES)  # noqa: SLF001 -- SQLAlchemy's own name
        for row in found
    ]


def count_failing(session: Session) -> int:
    """Count events whose last attempt failed and that are retried."""
    return session.scalars(select(func.count()).where(_IS_FAILING)).one()


def _state() -> ColumnElement[str]:
    return case(
        (_IS_UNSUPPORTED, literal_column("'unsupported'")),
        (_IS_EXHAUSTED, literal_column("'exhausted'")),
        (ProviderEventRow.last_failure == ACCOUNT_OUT_OF_REACH, literal_column("'waiting'")),
        else_=literal_column("'failing'"),
    )


def unhandled(session: Session, *, event_type: str | None, limit: int) -> list[StoredEvent]:
    """Events that wait for a handler or a person, oldest first."""
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
    """Announce waiting events again, oldest first, as if they had just arrived.

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
    """Announce one event again in any state; a handled one changes nothing.

    One about a SetupIntent that was handled stays as it is: what it was about was forgotten with its handling.

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
    if row.type in SETUP_TYPES and row.handled_at is not None and not row.payload:
        return Replayed(started=0, left=0)
    _start(session, [row], now=now)
    return Replayed(started=1, left=0)


def count_awaited(session: Session) -> int:
    """Count stored events that moved money outside the ledger because their type has no handler."""
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
            topic=TOPIC_RECEIVED,
            payload={"event_id": row.id},
            now=now,
            traceparent=row.traceparent,
        )
