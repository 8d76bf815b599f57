"""Lists an endpoint's deliveries, and sends events again on request."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.keyset import Order
from amply.kernel import ids
from amply.kernel.pagination import Page
from amply.modules import audit, public_events
from amply.modules.access import Access
from amply.modules.audit import Action
from amply.modules.public_events import PublicEventRow
from amply.modules.webhook_endpoints.domain import (
    REPLAYED_MAX,
    TEST_TYPE,
    Attempt,
    Delivery,
    DeliveryNotFound,
    DeliveryState,
    Endpoint,
    EndpointDisabled,
    EndpointState,
    EndpointTest,
    ReplayNotAcceptable,
    to_replay,
)
from amply.modules.webhook_endpoints.fan_out import new_delivery
from amply.modules.webhook_endpoints.models import AttemptRow, DeliveryRow, EndpointRow
from amply.modules.webhook_endpoints.service import find as find_endpoint

TOPIC_DELIVERY_REQUESTED: Final = "webhook_endpoints.asked"
_ATTEMPTS_SHOWN: Final = 100
_NEWEST: Final = Order(
    name="webhook-deliveries", columns=(DeliveryRow.created_at, DeliveryRow.id), descending=True
)


def listed(
    session: Session,
    access: Access,
    *,
    endpoint_id: str,
    state: DeliveryState | None,
    cursor: str | None,
    limit: int,
) -> Page[Delivery]:
    """An endpoint's deliveries, newest first.

    Raises:
        EndpointNotFound: The organisation has no such endpoint.
        CursorNotAcceptable: The cursor is none of this list.
    """
    find_endpoint(session, access, endpoint_id=endpoint_id)
    chosen = select(DeliveryRow).where(
        DeliveryRow.endpoint_id == endpoint_id, access.covers(DeliveryRow.organization_id)
    )
    if state is not None:
        chosen = chosen.where(DeliveryRow.state == state)
    rows = session.scalars(_NEWEST.page(chosen, cursor=cursor, limit=limit)).all()
    return Page(items=_deliveries(session, rows[:limit]), next_cursor=_NEWEST.next_cursor(rows, limit=limit))


def find(
    session: Session, access: Access, *, endpoint_id: str, delivery_id: str
) -> tuple[Delivery, Sequence[Attempt]]:
    """One delivery, with its newest attempts in chronological order.

    Raises:
        DeliveryNotFound: The endpoint has no such delivery, or not any more.
    """
    rows = session.scalars(
        select(DeliveryRow).where(
            DeliveryRow.id == delivery_id,
            DeliveryRow.endpoint_id == endpoint_id,
            access.covers(DeliveryRow.organization_id),
        )
    ).all()
    found = _deliveries(session, rows)
    if not found:
        raise DeliveryNotFound("This endpoint has no such delivery, or not any more: ask for the list.")
    attempts = session.scalars(
        select(AttemptRow)
        .where(AttemptRow.delivery_id == delivery_id, access.covers(AttemptRow.organization_id))
        .order_by(AttemptRow.id.desc())
        .limit(_ATTEMPTS_SHOWN)
    ).all()
    return found[0], [
        Attempt(at=each.at, status=each.status, error=each.error, milliseconds=each.milliseconds)
        for each in reversed(attempts)
    ]


def send_test(session: Session, access: Access, *, endpoint_id: str) -> Delivery:
    """Send a test event to this endpoint alone, whatever types it subscribes to.

    Raises:
        EndpointNotFound: The organisation has no such endpoint.
        EndpointDisabled: Nothing is sent to it until it is enabled.
    """
    _enabled(session, access, endpoint_id=endpoint_id)
    event_id, now = ids.new_id("event"), access.now
    session.execute(
        insert(PublicEventRow).values(
            id=event_id,
            organization_id=access.organization_id,
            type=TEST_TYPE,
            subject_id=endpoint_id,
            data=EndpointTest(endpoint_id=endpoint_id).model_dump(mode="json"),
            occurred_at=now,
            created_at=now,
            fanned_out_at=now,
            published_at=now,
            next_attempt_at=now,
        )
    )
    made = new_delivery(event_id, endpoint_id=endpoint_id, organization_id=access.organization_id, now=now)
    session.execute(insert(DeliveryRow).values(**made))
    _ask_for_delivery(session, access, endpoint_id=endpoint_id)
    audit.record_by(session, access, Action.WEBHOOK_TEST_SENT, endpoint_id)
    return find(session, access, endpoint_id=endpoint_id, delivery_id=str(made["id"]))[0]


def replay(
    session: Session,
    access: Access,
    *,
    endpoint_id: str,
    event_id: str | None,
    since: datetime | None,
    before: datetime | None,
    includes_delivered: bool,
) -> int:
    """Send events again under their ids, including those older than the endpoint; return how many.

    Of a range those of the endpoint's types; without `includes_delivered` what has arrived is left out. An event that is named is
    sent whatever became of it. What is on its way already goes on as it is.

    Raises:
        EndpointNotFound: The organisation has no such endpoint.
        EndpointDisabled: Nothing is sent to it until it is enabled.
        ReplayNotAcceptable: It does not say which events, names none, or says too many.
    """
    chosen = to_replay(event_id=event_id, since=since, before=before)
    endpoint = _enabled(session, access, endpoint_id=endpoint_id)
    events = select(PublicEventRow.id).where(access.covers(PublicEventRow.organization_id))
    if event_id is not None:
        events = events.where(PublicEventRow.id == event_id)
    else:
        events = events.where(
            PublicEventRow.created_at >= chosen["since"],
            PublicEventRow.created_at < chosen.get("before", access.now),
            PublicEventRow.type.in_(endpoint.event_types),
            ~_left_out(endpoint_id, includes_delivered=includes_delivered),
        )
    found = session.scalars(events.order_by(PublicEventRow.created_at).limit(REPLAYED_MAX + 1)).all()
    if event_id is not None and not found:
        raise ReplayNotAcceptable("There is no such event, or not any more.", param="event_id")
    if len(found) > REPLAYED_MAX:
        raise ReplayNotAcceptable(
            f"More than {REPLAYED_MAX} events are in this range: ask for shorter ones.", param="before"
        )
    again = event_id is not None or includes_delivered
    sent = sum(_due_again(session, access, each, endpoint_id=endpoint_id, again=again) for each in found)
    _ask_for_delivery(session, access, endpoint_id=endpoint_id)
    audit.record_by(session, access, Action.WEBHOOK_EVENTS_REPLAYED, endpoint_id)
    return sent


def _left_out(endpoint_id: str, *, includes_delivered: bool) -> ColumnElement[bool]:
    """That an event is on its way to this endpoint, or has arrived there: of those no range asks, and none counts for its limit."""
    states = [DeliveryState.PENDING, *([] if includes_delivered else [DeliveryState.DELIVERED])]
    return exists().where(
        DeliveryRow.event_id == PublicEventRow.id,
        DeliveryRow.endpoint_id == endpoint_id,
        DeliveryRow.state.in_(states),
    )


def _ask_for_delivery(session: Session, access: Access, *, endpoint_id: str) -> None:
    """Somebody waits for it: an endpoint that rests is asked all the same, and the worker is told at once.

    A worker that is noting an attempt says itself how long the endpoint rests, and is not waited for.
    """
    resting = (
        select(EndpointRow.id)
        .where(EndpointRow.id == endpoint_id)
        .with_for_update(skip_locked=True, key_share=True)
    )
    session.execute(
        update(EndpointRow)
        .where(EndpointRow.id.in_(resting))
        .values(next_attempt_at=None)
        .execution_options(synchronize_session=False)
    )
    outbox.put(session, topic=TOPIC_DELIVERY_REQUESTED, payload={"endpoint_id": endpoint_id}, now=access.now)


def _due_again(session: Session, access: Access, event_id: str, *, endpoint_id: str, again: bool) -> int:
    """Whether a delivery of this event is due now that was not on its way. `again`: also where it has arrived."""
    fresh = new_delivery(
        event_id, endpoint_id=endpoint_id, organization_id=access.organization_id, now=access.now
    )
    ended = [DeliveryState.FAILED, *([DeliveryState.DELIVERED] if again else [])]
    changed = session.scalars(
        insert_or(DeliveryRow)
        .values(**fresh)
        .on_conflict_do_update(
            index_elements=["event_id", "endpoint_id"],
            set_={
                "state": DeliveryState.PENDING,
                "attempts": 0,
                "next_attempt_at": access.now,
                "finished_at": None,
            },
            where=DeliveryRow.state.in_(ended),
        )
        .returning(DeliveryRow.id)
    ).one_or_none()
    return int(changed is not None)


def _enabled(session: Session, access: Access, *, endpoint_id: str) -> Endpoint:
    endpoint = find_endpoint(session, access, endpoint_id=endpoint_id)
    if endpoint.state is not EndpointState.ENABLED:
        raise EndpointDisabled("Nothing is sent to this endpoint: enable it first.")
    return endpoint


def _deliveries(session: Session, rows: Sequence[DeliveryRow]) -> list[Delivery]:
    """Without those whose event was forgotten since they were read."""
    events = {
        event.id: public_events.event_of(event)
        for event in session.scalars(
            select(PublicEventRow).where(PublicEventRow.id.in_([row.event_id for row in rows]))
        )
    }
    return [
        Delivery(
            id=row.id,
            endpoint_id=row.endpoint_id,
            event=events[row.event_id],
            state=DeliveryState(row.state),
            attempts=row.attempts,
            next_attempt_at=row.next_attempt_at if row.state == DeliveryState.PENDING else None,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )
        for row in rows
        if row.event_id in events
    ]
