"""Fake receivers of webhooks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from amply.infra.database import Database, forbid_transaction
from amply.modules import public_events, webhook_endpoints
from amply.modules.public_events import EVENTS_AT_ONCE, PublicEvent
from tests.backend.world import FakeClock, FakeMailer


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class FakeSender:
    """Answers 204, or by address what a test says; keeps what it was given.

    `takes`: how long an address takes to answer, by `clock`. `meanwhile`: what happens before the answer.
    """

    sent: list[Sent] = field(default_factory=list)
    answers: dict[str, webhook_endpoints.Answer] = field(default_factory=dict)
    takes: dict[str, timedelta] = field(default_factory=dict)
    clock: FakeClock | None = None
    meanwhile: Callable[[], object] | None = None

    def post(self, *, url: str, headers: Mapping[str, str], body: bytes) -> webhook_endpoints.Answer:
        forbid_transaction("webhook: deliver")
        self.sent.append(Sent(url=url, headers=headers, body=body))
        if self.clock is not None:
            self.clock.now += self.takes.get(url, timedelta())
        if self.meanwhile is not None:
            self.meanwhile()
        return self.answers.get(url) or webhook_endpoints.Answer(status=204, failure=None, milliseconds=3)


@dataclass
class FakeBus:
    """Takes what it is given but for what a test says; keeps what it took."""

    taken: list[PublicEvent] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def put(self, events: Sequence[PublicEvent]) -> list[str]:
        forbid_transaction("EventBridge: put events")
        assert len(events) <= EVENTS_AT_ONCE
        taken = [event for event in events if event.id not in self.refused]
        self.taken += taken
        return [event.id for event in taken]


def told(database: Database, *, now: datetime) -> list[dict[str, Any]]:
    """The bodies of what listeners, and endpoints, are told now and were not before."""
    bus = FakeBus()
    while public_events.publish(database, bus, now=now):
        pass
    return [json.loads(event.body()) for event in sorted(bus.taken, key=lambda event: event.id)]


def delivery_dependencies(database: Database) -> webhook_endpoints.DeliveryDependencies:
    """What the worker's deliveries need."""
    return webhook_endpoints.DeliveryDependencies(database=database, sender=FakeSender(), mailer=FakeMailer())
