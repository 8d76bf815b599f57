"""Publishes events on the bus (run by the scheduler): at least once, unordered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import again
from amply.modules.public_events.domain import PublicEvent
from amply.modules.public_events.models import PublicEventRow
from amply.modules.public_events.ports import EVENTS_AT_ONCE, EventBus
from amply.modules.public_events.service import event_of

_BATCHES_MAX: Final = 3
"""The outbox's relay waits for them."""
_AGAIN_MAX: Final = timedelta(hours=1)
_LATE_AFTER: Final = timedelta(minutes=15)


def publish(database: Database, bus: EventBus, *, now: datetime) -> int:
    """Publish waiting events, ten at a time; return how many the bus accepted.

    What it did not take is tried again after a minute, doubling to an hour, for as long as the event is kept. Killed between the bus
    and the row, the event is put there once more, under the same id.
    """
    taken = 0
    for _ in range(_BATCHES_MAX):
        with database.transaction() as session:
            events = _claim(session, now=now)
        if not events:
            break
        accepted = bus.put(events)
        with database.transaction() as session:
            session.execute(
                update(PublicEventRow).where(PublicEventRow.id.in_(accepted)).values(published_at=now)
            )
        taken += len(accepted)
    return taken


def count_unpublished(session: Session, *, now: datetime) -> int:
    """Count events that should have been published a quarter of an hour ago."""
    waiting = select(func.count()).where(
        PublicEventRow.published_at.is_(None), PublicEventRow.created_at < now - _LATE_AFTER
    )
    return session.scalars(waiting).one()


def _claim(session: Session, *, now: datetime) -> Sequence[PublicEvent]:
    rows = session.scalars(
        select(PublicEventRow)
        .where(PublicEventRow.published_at.is_(None), PublicEventRow.next_attempt_at <= now)
        .order_by(PublicEventRow.next_attempt_at)
        .limit(EVENTS_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.attempts += 1
        row.next_attempt_at = now + again(row.attempts, most=_AGAIN_MAX)
    return [event_of(row) for row in rows]
