"""What webhooks need from outside."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from amply.modules.webhooks.domain import ProviderEvent

KeepsEvent = Callable[[Session, ProviderEvent], bool]
"""Whether an event that nobody handles yet is kept: it is of an account we know, and about nobody who was erased."""


class EventVerifier(Protocol):
    """Knows the provider's signature."""

    def verify(self, *, payload: bytes, signature: str, now: datetime) -> ProviderEvent:
        """Return the event that `payload` carries.

        Raises:
            SignatureNotValid: The signature does not match or its time is more than 5 minutes from `now`.
            EventMalformed: The payload is not an event.
        """
