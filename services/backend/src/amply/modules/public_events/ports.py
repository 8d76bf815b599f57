"""Port of public events: the event bus."""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from amply.modules.public_events.domain import PublicEvent

EVENTS_AT_ONCE: Final = 10
"""What `PutEvents` takes (docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html)."""


class EventBus(Protocol):
    """Where everybody else who wants events gets them."""

    def put(self, events: Sequence[PublicEvent]) -> Collection[str]:
        """Put these on the bus, ten at most; return the ids of those that it took."""
