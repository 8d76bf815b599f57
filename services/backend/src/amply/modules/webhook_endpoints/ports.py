"""Port of deliveries: sending HTTP requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from amply.modules.webhook_endpoints.domain import Failure


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one request: a status, a failure, or a status that is one. `retry_after`: when it asks to be asked again."""

    status: int | None
    failure: Failure | None
    milliseconds: int
    retry_after: timedelta | None = None


class Sender(Protocol):
    """Sends one request to an address that strangers named."""

    def post(self, *, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it. Whatever happens is in the answer; of the response nothing is read but its status and `Retry-After`."""
