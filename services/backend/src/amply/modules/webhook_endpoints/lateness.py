"""Counts late deliveries for which we are responsible, for the scheduler's metrics."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amply.modules.public_events import PublicEventRow
from amply.modules.webhook_endpoints.domain import DeliveryState, EndpointState
from amply.modules.webhook_endpoints.models import DeliveryRow, EndpointRow

_LATE_AFTER: Final = timedelta(minutes=15)


def count_late(session: Session, *, now: datetime) -> int:
    """Count events waiting a quarter of an hour for their deliveries, and deliveries for their attempt.

    What an endpoint delays itself does not count: one that fails rests, and one that answers slowly is served in turn.
    """
    since = now - _LATE_AFTER
    new = select(func.count()).where(
        PublicEventRow.fanned_out_at.is_(None), PublicEventRow.created_at < since
    )
    overdue = (
        select(func.count())
        .select_from(DeliveryRow)
        .join(EndpointRow, EndpointRow.id == DeliveryRow.endpoint_id)
        .where(
            DeliveryRow.state == DeliveryState.PENDING,
            DeliveryRow.next_attempt_at < since,
            EndpointRow.state == EndpointState.ENABLED,
            func.coalesce(EndpointRow.next_attempt_at, EndpointRow.changed_at) < since,
        )
    )
    return session.scalars(new).one() + session.scalars(overdue).one()
