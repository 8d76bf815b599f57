"""Ports of provider events: signature verification, event list, event queue."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from amply.modules.webhooks.domain import ProviderEvent

KeepsEvent = Callable[[Session, ProviderEvent], bool]
"""Whether to store an event without handler: of a known account, and of no erased donor."""


class EventVerifier(Protocol):
    """Verifies the provider's signature."""

    def verify(self, *, payload: bytes, signature: str, now: datetime) -> ProviderEvent:
        """Verify and parse `payload`.

        Raises:
            SignatureNotValid: The signature does not match or its time is more than 5 minutes from `now`.
            EventMalformed: The payload is not an event.
        """


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Events, newest first. `older_than` requests the next page; None on the last one."""

    items: Sequence[ProviderEvent]
    older_than: str | None


class EventSource(Protocol):
    """The provider's event list, and the objects of thin events. May not be called inside a transaction."""

    def events_between(
        self, *, account_id: str | None, since: datetime, until: datetime, older_than: str | None
    ) -> EventPage:
        """A page of an account's events (None: the platform's own) from `since` (inclusive) to `until`."""

    def about(self, event: ProviderEvent) -> Mapping[str, Any]:
        """The current state of a thin event's object. The event has a `fetch`."""


@dataclass(frozen=True, kw_only=True)
class EventReceived:
    """One message of the queue."""

    receipt: str
    event: ProviderEvent


class EventQueue(Protocol):
    """The queue of provider events. May not be called inside a transaction."""

    def receive(self) -> Sequence[EventReceived]:
        """Receive at most ten messages (long polling). Unacknowledged ones come back."""

    def done(self, *, receipt: str) -> None:
        """Acknowledge a message."""
