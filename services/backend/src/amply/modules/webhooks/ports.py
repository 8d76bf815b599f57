"""What webhooks need from outside."""

from datetime import datetime
from typing import Protocol

from amply.modules.webhooks.domain import ProviderEvent


class EventVerifier(Protocol):
    """Knows the provider's signature."""

    def verify(self, *, payload: bytes, signature: str, now: datetime) -> ProviderEvent:
        """Return the event that `payload` carries.

        Raises:
            SignatureNotValid: The signature does not match or its time is more than 5 minutes from `now`.
            EventMalformed: The payload is not an event.
        """
