"""Port of public events: the event bus."""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from amply.modules.public_events.domain import PublicEvent

EVENTS_AT_ONCE: Final = 10
"""Limit of `PutEvents` (docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html)."""


class EventBus(Protocol):
    """The event bus for other consumers."""

    def put(self, events: Sequence[PublicEvent]) -> Collection[str]:
        """Put at most ten events on the bus; return the ids of the accepted ones."""
