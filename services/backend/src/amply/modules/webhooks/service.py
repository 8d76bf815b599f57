"""The inbox of provider events: each is stored once, however often it is delivered, until it is handled."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra import outbox, tracing
from amply.infra.database import Database
from amply.infra.due_rows import again
from amply.modules.webhooks.domain import (
    ATTEMPTS_MAX,
    HANDLED_TYPES,
    RETRY_DELAY_MAX,
    Outcome,
    ProviderEvent,
    WrongLivemode,
)
from amply.modules.webhooks.models import ProviderEventRow
from amply.modules.webhooks.ports import EventSource, KeepsEvent

TOPIC_RECEIVED: Final = "provider_event.received"
_KEPT: Final = ("id", "object", "payment_intent")
"""Fields that handlers read, beside our metadata. Names, addresses and card digits are not stored."""

_KEPT_FOR_LATER: Final = (
    *_KEPT,
    *(
        "charge",
        "balance_transaction",
        "amount",
        "amount_refunded",
        "currency",
        "status",
        "reason",
        "arrival_date",
    ),
)
"""Fields stored for future handlers: ids and amounts, never text."""

_FETCH: Final = "fetch"
"""Key of a stored thin event under which its object's URL stands until it was fetched."""

_SWEEP_BATCH_MAX: Final = 100
FIRST_SWEEP_AFTER: Final = timedelta(seconds=15)

_again: Final = partial(again, first=FIRST_SWEEP_AFTER, most=RETRY_DELAY_MAX)


def ingest(
    session: Session, *, event: ProviderEvent, livemode: bool, keeps: KeepsEvent, now: datetime
) -> bool:
    """Store a verified event with its outbox message; return whether it is new.

    One of a type that nobody handles is announced to nobody. It is stored where `keeps` says so, to be replayed.

    Raises:
        WrongLivemode: The event belongs to the other kind of environment.
    """
    if event.livemode != livemode:
        raise WrongLivemode(
            f"This endpoint takes {'live' if livemode else 'test'} events only; check the endpoint."
        )
    is_handled = event.type in HANDLED_TYPES
    if not is_handled and not keeps(session, event):
        return False
    created = session.execute(
        insert(ProviderEventRow)
        .values(
            id=event.id,
            type=event.type,
            account_id=event.account_id,
            livemode=event.livemode,
            payload=_payload(event, is_handled=is_handled),
            occurred_at=event.occurred_at,
            received_at=now,
            attempts=0,
            next_attempt_at=now + FIRST_SWEEP_AFTER,
            handled_at=None if is_handled else now,
            outcome=None if is_handled else Outcome.UNSUPPORTED,
            traceparent=tracing.traceparent(),
        )
        .on_conflict_do_nothing()
        .returning(ProviderEventRow.id)
    ).one_or_none()
    if created is not None and is_handled:
        outbox.put(session, topic=TOPIC_RECEIVED, payload={"event_id": event.id}, now=now)
    return created is not None


def _payload(event: ProviderEvent, *, is_handled: bool) -> dict[str, Any]:
    kept = _kept(event.object, _KEPT if is_handled else _KEPT_FOR_LATER)
    return kept if event.fetch is None else {**kept, _FETCH: event.fetch}


def _kept(snapshot: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The part of a snapshot that is stored: single values under these names, and what we wrote into it ourselves."""
    found = {name: snapshot[name] for name in names if isinstance(snapshot.get(name), str | int)}
    metadata = snapshot.get("metadata")
    if isinstance(metadata, dict):
        found["metadata"] = {name: value for name, value in metadata.items() if name.startswith("amply_")}
    return found


def type_of(session: Session, *, event_id: str) -> str | None:
    """A stored event's type, or None."""
    return session.scalar(select(ProviderEventRow.type).where(ProviderEventRow.id == event_id))


def claim(session: Session, *, event_id: str, now: datetime) -> ProviderEvent | None:
    """Count an attempt at an event and return it; None if it is handled already."""
    row = _locked(session, event_id)
    if row is None or row.handled_at is not None:
        return None
    row.attempts += 1
    row.next_attempt_at = now + _again(row.attempts)
    return _event(row)


def complete(database: Database, source: EventSource, *, event_id: str, now: datetime) -> None:
    """Fetch a stored thin event's object once, before it is handled. Does nothing for other events.

    Raises:
        Whatever the source raises: that counts as an attempt at the event.
    """
    with database.transaction() as session:
        row = session.get(ProviderEventRow, event_id)
        if row is None or row.handled_at is not None or _FETCH not in row.payload:
            return
        event = _event(row)
    try:
        found = source.about(event)
    except Exception:
        with database.transaction() as session:
            claim(session, event_id=event_id, now=now)
        raise
    with database.transaction() as session:
        row = _locked(session, event_id)
        if row is not None and _FETCH in row.payload:
            row.payload = _kept(found, _KEPT)


def put_off(session: Session, *, event_id: str, now: datetime, delay: timedelta = FIRST_SWEEP_AFTER) -> None:
    """Undo an attempt that failed for a reason outside the event; it is retried after `delay`."""
    row = _locked(session, event_id)
    if row is not None and row.handled_at is None and row.attempts > 0:
        row.attempts -= 1
        row.next_attempt_at = now + delay


def note_failure(session: Session, *, event_id: str, reason: str) -> None:
    """Record the last attempt's error by its class name, never its message."""
    row = _locked(session, event_id)
    if row is not None and row.handled_at is None:
        row.last_failure = reason


def lock_unhandled(session: Session, *, event_id: str) -> bool:
    """Lock the event until the end of the transaction; False if it was handled meanwhile."""
    row = _locked(session, event_id)
    return row is not None and row.handled_at is None


def mark_handled(session: Session, *, event_id: str, outcome: Outcome, now: datetime) -> None:
    """Mark the event as handled, in the transaction of its effects."""
    row = _locked(session, event_id)
    if row is not None:
        row.handled_at = now
        row.outcome = outcome
        row.last_failure = None


def due_again(session: Session, *, now: datetime) -> int:
    """Announce stored events again that were not handled in time; return how many.

    After ten attempts an event waits for a person; it is never dropped.
    """
    due = session.scalars(
        select(ProviderEventRow)
        .where(
            ProviderEventRow.handled_at.is_(None),
            ProviderEventRow.next_attempt_at <= now,
            ProviderEventRow.attempts < ATTEMPTS_MAX,
        )
        .order_by(ProviderEventRow.next_attempt_at)
        .limit(_SWEEP_BATCH_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    for row in due:
        # The age counts too: while no worker counts attempts, announcements still grow rare.
        row.next_attempt_at = now + max(_again(row.attempts + 1), min(now - row.received_at, RETRY_DELAY_MAX))
        outbox.put(
            session,
            topic=TOPIC_RECEIVED,
            payload={"event_id": row.id},
            now=now,
            traceparent=row.traceparent,
        )
    return len(due)


@dataclass(frozen=True, kw_only=True)
class EventTraces:
    """Events about one payment: handled ones, the number of unhandled ones, and all ids in them."""

    handled_ids: frozenset[str]
    unhandled: int
    object_ids: frozenset[str]


def lock_events_about(
    session: Session, *, remote_ids: Collection[str], payment_ids: Collection[str]
) -> EventTraces:
    """Lock stored events about these intents (the processor's ids), payments (ours), or their charges."""
    payload = ProviderEventRow.payload
    about = or_(
        payload["id"].as_string().in_(remote_ids),
        payload["payment_intent"].as_string().in_(remote_ids),
        payload["metadata"]["amply_payment_id"].as_string().in_(payment_ids),
    )
    charges = select(payload["id"].as_string()).where(about, payload["object"].as_string() == "charge")
    rows = session.scalars(
        select(ProviderEventRow)
        .where(or_(about, payload["charge"].as_string().in_(charges)))
        .order_by(ProviderEventRow.id)
        .with_for_update()
    ).all()
    return EventTraces(
        handled_ids=frozenset(row.id for row in rows if row.handled_at is not None),
        unhandled=sum(row.handled_at is None for row in rows),
        object_ids=frozenset(str(row.payload["id"]) for row in rows if "id" in row.payload),
    )


def forget(session: Session, *, event_ids: Collection[str]) -> None:
    """Delete handled events with their outbox messages. A redelivered one is handled again without effect."""
    session.execute(
        delete(ProviderEventRow).where(
            ProviderEventRow.id.in_(event_ids), ProviderEventRow.handled_at.is_not(None)
        )
    )
    outbox.forget_about(session, ids=event_ids)


def forget_object(session: Session, *, event_id: str) -> None:
    """Reduce an event to the fact that it existed."""
    row = _locked(session, event_id)
    if row is not None:
        row.payload = {}


def count_exhausted(session: Session) -> int:
    """Count events that used up their attempts."""
    exhausted = select(func.count()).where(
        ProviderEventRow.handled_at.is_(None), ProviderEventRow.attempts >= ATTEMPTS_MAX
    )
    return session.scalars(exhausted).one()


def _event(row: ProviderEventRow) -> ProviderEvent:
    return ProviderEvent(
        id=row.id,
        type=row.type,
        account_id=row.account_id,
        livemode=row.livemode,
        occurred_at=row.occurred_at,
        object=row.payload,
        fetch=row.payload.get(_FETCH),
    )


def _locked(session: Session, event_id: str) -> ProviderEventRow | None:
    return session.scalars(
        select(ProviderEventRow).where(ProviderEventRow.id == event_id).with_for_update()
    ).one_or_none()
