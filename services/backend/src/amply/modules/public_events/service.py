"""Records public events, and deletes old ones."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.database import Database
from amply.kernel import ids
from amply.modules.public_events.domain import EventType, PublicEvent
from amply.modules.public_events.models import PublicEventRow
from amply.modules.public_events.payloads import Payload

TOPIC_RECORDED: Final = "public_events.recorded"
KEPT: Final = timedelta(days=30)
"""How long an event can be replayed."""
_FORGOTTEN_AT_ONCE: Final = 1_000
_BATCHES_MAX: Final = 10


def record(
    session: Session,
    *,
    type: EventType,  # noqa: A002 -- what events call it
    organization_id: str,
    subject_id: str,
    data: Payload,
    occurred_at: datetime,
    now: datetime,
) -> None:
    """Record an event in the transaction of the change.

    `subject_id`: the donation, payout or plan it is about. `data`: what `PAYLOADS` has for the type.
    """
    event_id = ids.new_id("event")
    # What is pending in the session may be half-way to a state that the database allows.
    with session.no_autoflush:
        session.execute(
            insert(PublicEventRow).values(
                id=event_id,
                organization_id=organization_id,
                type=type,
                subject_id=subject_id,
                data=data.model_dump(mode="json"),
                occurred_at=occurred_at,
                created_at=now,
                next_attempt_at=now,
            )
        )
    outbox.put(session, topic=TOPIC_RECORDED, payload={"event_id": event_id}, now=now)


def forget_about(session: Session, *, subject_ids: Collection[str]) -> None:
    """Delete the events about these ids with their deliveries, because a donor is being erased."""
    session.execute(delete(PublicEventRow).where(PublicEventRow.subject_id.in_(subject_ids)))


def forget_old(database: Database, *, now: datetime) -> None:
    """Delete events too old to be replayed, with their deliveries: oldest first, ten thousand at most."""
    old = (
        select(PublicEventRow.id)
        .where(PublicEventRow.created_at < now - KEPT)
        .order_by(PublicEventRow.created_at)
        .limit(_FORGOTTEN_AT_ONCE)
    )
    for _ in range(_BATCHES_MAX):
        with database.transaction() as session:
            gone = session.scalars(
                delete(PublicEventRow)
                .where(PublicEventRow.id.in_(old))
                .returning(PublicEventRow.id)
                .execution_options(synchronize_session=False)
            ).all()
        if len(gone) < _FORGOTTEN_AT_ONCE:
            break


def event_of(row: PublicEventRow) -> PublicEvent:
    """The event a row tells of."""
    return PublicEvent(
        id=row.id,
        type=row.type,
        organization_id=row.organization_id,
        data=row.data,
        occurred_at=row.occurred_at,
    )
