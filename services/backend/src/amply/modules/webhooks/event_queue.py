"""Stores provider events from an SQS queue, the alternative to webhook requests.

Nothing is signed there. Who may put something on it is held by the queue's own policy (`stacks/events.py`).
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from amply.infra.database import Database
from amply.modules.webhooks.domain import WrongLivemode
from amply.modules.webhooks.ports import EventQueue, KeepsEvent
from amply.modules.webhooks.service import ingest

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class EventQueueDependencies:
    """Dependencies of reading the event queue. `livemode` and `keeps` as for `ingest`."""

    database: Database
    queue: EventQueue
    livemode: bool
    keeps: KeepsEvent


def take(parts: EventQueueDependencies, *, now: datetime) -> int:
    """Store waiting events as if a webhook had delivered them; return how many were new.

    A message leaves the queue once its event is stored. Killed in between it comes again, and is known. One that belongs to
    the other kind of environment stays, and is set aside for a person.
    """
    stored = 0
    for message in parts.queue.receive():
        try:
            with parts.database.transaction() as session:
                stored += ingest(
                    session, event=message.event, livemode=parts.livemode, keeps=parts.keeps, now=now
                )
        except WrongLivemode:
            _log.error(
                "event_of_other_environment",
                event_id=message.event.id,
                runbook="docs/runbooks/alarms/stripe-events-set-aside.md",
            )
            continue
        parts.queue.done(receipt=message.receipt)
    return stored
