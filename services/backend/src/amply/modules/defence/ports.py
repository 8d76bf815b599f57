"""Port of the defence: a provider of challenges. Counters are in `amply.infra.counters`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class About:
    """What a challenge is bound to: one gift to one organisation."""

    organization_id: str
    idempotency_key: str


class Challenge(Protocol):
    """A challenge that is expensive for attackers and quick for a donor.

    A solution is used once, because the gift it is for is made once: it is bound to the request's Idempotency-Key.
    """

    def pose(self, about: About, *, bits: int, now: datetime) -> Mapping[str, Any]:
        """Create a challenge, as JSON for the client; its `kind` says how it is solved."""

    def is_solved(self, about: About, *, solution: str, now: datetime) -> bool:
        """Whether this solves an unexpired challenge that was posed for this."""
