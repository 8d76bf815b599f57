"""GCRA rate limiting (generic cell rate algorithm): one timestamp for each caller and limit, in the cache and by its clock.

The timestamp is when nothing of what a caller used will count any more. Each request moves it on by the limit's interval; one
that would move it further than the limit's window ahead is refused, and moves nothing. All is counted in whole
microseconds, so that exactly as many requests pass as an answer says are left (ADR 0109).
"""

import math
from dataclasses import dataclass
from typing import Final

import redis

from amply.kernel.errors import invariant

_SECOND: Final = 1_000_000
"""One second in microseconds."""

CLOCK: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
"""
"""Reads the cache's clock, since the processes' clocks differ."""

RULE: Final = """
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])

local function keep(moment)
  redis.call('SET', KEYS[1], string.format('%.0f', moment), 'PX', math.ceil((moment - now) / 1000))
end

local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
if free > now + window then
  -- Another clock wrote it, or the limit was wider then: nobody waits for longer than a window.
  free = now + window
  keep(free)
end
local early = free + interval - window - now
if early > 0 then
  return {0, free - now, early}
end
keep(free + interval)
return {1, free + interval - now, 0}
"""
"""Given `now`: whether the request passes, when the limit is fully restored, and how long to wait (microseconds)."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """`requests` in `seconds`, evenly spread; up to `burst` at once (by default all of them).

    Whoever has waited long enough has the burst, and one more request after each interval: within t seconds never more
    than the burst and t divided by the interval.
    """

    requests: int
    seconds: int
    burst: int = 0

    def __post_init__(self) -> None:
        invariant(self.requests > 0 and self.seconds > 0 and self.burst >= 0, "A limit lets something pass.")

    @property
    def at_once(self) -> int:
        """The burst size."""
        return self.burst or self.requests

    @property
    def interval(self) -> int:
        """Microseconds between evenly spaced requests, rounded up, so that the limit is never exceeded."""
        return -(-self.seconds * _SECOND // self.requests)

    @property
    def window(self) -> int:
        """Microseconds after which a burst no longer counts."""
        return self.at_once * self.interval

    @property
    def window_seconds(self) -> int:
        return math.ceil(self.window / _SECOND)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A caller's remaining allowance after a request.

    Attributes:
        name: Of the limit, in the table of limits.
        remaining: Requests that would pass at once.
        whole_in_seconds: After which the whole burst is there again; rounded up.
        retry_after_seconds: After which the next one passes; rounded up, 0 where this one did.
    """

    name: str
    limit: Limit
    is_allowed: bool
    remaining: int
    whole_in_seconds: int
    retry_after_seconds: int

    @classmethod
    def of(cls, name: str, limit: Limit, *, is_allowed: bool, used: int, early: int) -> "Standing":
        """From the algorithm's result: how far ahead the stored time is, and by how much the request was early."""
        return cls(
            name=name,
            limit=limit,
            is_allowed=is_allowed,
            remaining=(limit.window - used) // limit.interval,
            whole_in_seconds=math.ceil(used / _SECOND),
            retry_after_seconds=math.ceil(early / _SECOND),
        )


class Gcra:
    """The algorithm, as one atomic call in the cache.

    Raises:
        redis.RedisError: The cache does not answer.
    """

    def __init__(self, cache: redis.Redis, *, clock: str = CLOCK) -> None:
        self._run = cache.register_script(clock + RULE)

    def take(self, key: str, limit: Limit, *more: int) -> tuple[bool, int, int]:
        """Count one request.

        Returns:
            Whether it passes; microseconds until nothing counts any more; microseconds that it came too early.
        """
        is_allowed, used, early = self._run(keys=[key], args=[limit.interval, limit.window, *more])
        return bool(is_allowed), int(used), int(early)
