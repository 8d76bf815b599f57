"""Creates a delivery of each new event for each endpoint that subscribes to its type."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel import ids
from amply.kernel.clock import Clock
from amply.modules.public_events import PublicEventRow
from amply.modules.webhook_endpoints.models import DeliveryRow, EndpointRow

_EVENTS_AT_ONCE: Final = 200
_BATCHES_MAX: Final = 50


def fan_out_all(database: Database, *, clock: Clock) -> None:
    """Create deliveries of all new events, ten thousand at most; the next task continues."""
    for _ in range(_BATCHES_MAX):
        if fan_out(database, now=clock()) < _EVENTS_AT_ONCE:
            break


def fan_out(database: Database, *, now: datetime) -> int:
    """Create the deliveries of one batch; return how many events were new.

    Endpoints that are disabled get theirs too: they are sent once the endpoint is enabled, as long as the events are kept.
    """
    with database.transaction() as session:
        events = session.scalars(
            select(PublicEventRow)
            .where(PublicEventRow.fanned_out_at.is_(None))
            .order_by(PublicEventRow.created_at)
            .limit(_EVENTS_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        _make_deliveries(session, [event.id for event in events], now=now)
        for event in events:
            event.fanned_out_at = now
    return len(events)


def _make_deliveries(session: Session, event_ids: list[str], *, now: datetime) -> None:
    wanted = session.execute(
        select(PublicEventRow.id, EndpointRow.id, EndpointRow.organization_id)
        .join(EndpointRow, EndpointRow.organization_id == PublicEventRow.organization_id)
        .where(PublicEventRow.id.in_(event_ids), PublicEventRow.type == func.any(EndpointRow.event_types))
        # None of them is removed before its deliveries are there.
        .with_for_update(of=EndpointRow, read=True, key_share=True)
    ).all()
    made = [
        new_delivery(event_id, endpoint_id=endpoint_id, organization_id=organization_id, now=now)
        for event_id, endpoint_id, organization_id in wanted
    ]
    if made:
        session.execute(insert(DeliveryRow).values(made).on_conflict_do_nothing())


def new_delivery(
    event_id: str, *, endpoint_id: str, organization_id: str, now: datetime
) -> dict[str, str | datetime]:
    """Column values of a delivery that is due at once."""
    return {
        "id": ids.new_id("whd"),
        "event_id": event_id,
        "endpoint_id": endpoint_id,
        "organization_id": organization_id,
        "next_attempt_at": now,
        "created_at": now,
    }
