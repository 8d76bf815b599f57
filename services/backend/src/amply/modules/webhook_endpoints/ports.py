"""What deliveries need from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from amply.modules.webhook_endpoints.domain import Failure


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one request: a status, a failure, or a status that is one."""

    status: int | None
    failure: Failure | None
    milliseconds: int


class Sender(Protocol):
    """Sends one request to an address that strangers named."""

    def post(self, *, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it. Whatever happens is in the answer; of the response nothing but its status is read."""
