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
    """Another clock, put forward by `ahead`, so that what takes days is there in a moment."""

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
