"""Port of deliveries: sending HTTP requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from amply.modules.webhook_endpoints.domain import Failure


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of one request: a status, a failure, or both. `retry_after`: the requested time of the next attempt."""

    status: int | None
    failure: Failure | None
    milliseconds: int
    retry_after: timedelta | None = None


class Sender(Protocol):
    """Sends requests to untrusted addresses."""

    def post(self, *, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a request. All outcomes are in the answer; only status and `Retry-After` of the response are read."""
