"""The sandbox's clock, which tests can set."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The present, UTC."""
    return datetime.now(UTC)


@dataclass
class ForwardClock:
    """A clock that runs `ahead` of another, so that days pass at once."""

    base: Clock
    ahead: timedelta = field(default=timedelta(0))

    def __call__(self) -> datetime:
        return self.base() + self.ahead


def unix(moment: datetime) -> int:
    """v1 objects carry whole seconds since the epoch."""
    return int(moment.timestamp())


def rfc3339(moment: datetime) -> str:
    """v2 objects carry RFC 3339 with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
