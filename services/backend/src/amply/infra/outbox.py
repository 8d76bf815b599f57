"""Transactional outbox: messages are written in the transaction that makes them true, and relayed afterwards.

A row is claimed (lease), published outside any transaction, then marked. A crash in between publishes it again:
consumers tolerate repeats. Nothing is ever selected by `id > last seen`: commits are not ordered by id.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, literal, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from amply.infra import tracing
from amply.infra.database import Database
from amply.infra.orm import Record

_LEASE: Final = timedelta(seconds=30)
_BATCH_MAX: Final = 100
_KEPT_AFTER_PUBLISHING: Final = timedelta(days=7)
_ATTEMPTS_MAX: Final = 10


_FORGET_ABOUT: Final = text("""
    DELETE FROM outbox
    WHERE EXISTS (SELECT FROM jsonb_each_text(payload) AS said WHERE said.value = ANY(CAST(:ids AS text[])))
""")


class OutboxRow(Record):
    """One outbox message. Columns as in migrations 0001 and 0005."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    attempts: Mapped[int]
    published_at: Mapped[datetime | None]
    traceparent: Mapped[str | None]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A message as the relay hands it to a publisher. `traceparent`: the trace it was written in, if recorded."""

    id: int
    topic: str
    payload: Mapping[str, Any]
    traceparent: str | None = None


def put(
    session: Session,
    *,
    topic: str,
    payload: Mapping[str, str],
    now: datetime,
    traceparent: str | None = None,
) -> None:
    """Write a message, to be published after the surrounding transaction commits.

    Whoever takes it up continues the present trace, or the one named by `traceparent` where none is recorded.
    """
    session.add(
        OutboxRow(
            topic=topic,
            payload=dict(payload),
            created_at=now,
            available_at=now,
            attempts=0,
            published_at=None,
            traceparent=tracing.traceparent() or traceparent,
        )
    )


def forget_published(session: Session, *, now: datetime) -> None:
    """Delete messages published long ago."""
    session.execute(delete(OutboxRow).where(OutboxRow.published_at < now - _KEPT_AFTER_PUBLISHING))


def forget_about(session: Session, *, ids: Collection[str]) -> None:
    """Delete messages whose payload names one of these ids, when nothing waits for them any more."""
    session.execute(_FORGET_ABOUT, {"ids": list(ids)})


def relay_batch(database: Database, *, publish: Callable[[Fact], None], now: datetime) -> int:
    """Publish due messages; return how many.

    A fact whose publishing raises stays, and is tried again with a doubling delay. After ten attempts it stays
    unpublished for a person to look at (`attempts` tells), and is never lost.
    """
    with database.transaction() as session:
        claimed = _claim(session, now=now)
    published = 0
    failure: Exception | None = None
    for fact in claimed:
        try:
            publish(fact)
        except Exception as error:  # noqa: BLE001 -- one fact that cannot leave must not hold back the others
            failure = error
            continue
        with database.transaction() as session:
            session.execute(update(OutboxRow).where(OutboxRow.id == fact.id).values(published_at=now))
        published += 1
    if failure is not None:
        raise failure
    return published


def count_exhausted(session: Session) -> int:
    """Count messages that used up their attempts and wait for a person."""
    exhausted = select(func.count()).where(
        OutboxRow.published_at.is_(None), OutboxRow.attempts >= _ATTEMPTS_MAX
    )
    return session.scalars(exhausted).one()


def _claim(session: Session, *, now: datetime) -> list[Fact]:
    due = (
        select(OutboxRow.id)
        .where(
            OutboxRow.published_at.is_(None),
            # The first attempt ignores the time, since the writer's clock may be ahead of this one.
            or_(OutboxRow.attempts == 0, OutboxRow.available_at <= now),
            OutboxRow.attempts < _ATTEMPTS_MAX,
        )
        .order_by(OutboxRow.available_at)
        .limit(_BATCH_MAX)
        .with_for_update(skip_locked=True)
    )
    doubling = func.power(2, OutboxRow.attempts) * _LEASE.total_seconds()
    rows = session.execute(
        update(OutboxRow)
        .where(OutboxRow.id.in_(due))
        .values(
            attempts=OutboxRow.attempts + 1,
            available_at=literal(now) + func.make_interval(0, 0, 0, 0, 0, 0, doubling),
        )
        .returning(OutboxRow.id, OutboxRow.topic, OutboxRow.payload, OutboxRow.traceparent)
    )
    return [
        Fact(id=row.id, topic=row.topic, payload=row.payload, traceparent=row.traceparent) for row in rows
    ]
