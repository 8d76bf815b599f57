"""Sliding-window counters with the time passed in: in the cache for all processes, or in memory for one.

A window slides by weighing the bucket before the present one with what of it the window still covers (as `limits` does;
that library reads the clock itself, and neither a replayed attack nor a test can tell it what time it is).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, Protocol

import redis

from amply.infra.cache import cache_client, log_unavailable
from amply.infra.settings import CacheSettings

_KEYS_MAX: Final = 100_000
"""Keys counted in one process while the cache is unavailable: about 20 MB."""
_PREFIX: Final = "amply:counted"

_COUNT: Final = """
local numbers = {}
for at = 1, #ARGV do
  local present, before = KEYS[2 * at - 1], KEYS[2 * at]
  numbers[2 * at - 1] = redis.call('INCR', present)
  if numbers[2 * at - 1] == 1 then
    redis.call('EXPIRE', present, ARGV[at])
  end
  numbers[2 * at] = redis.call('GET', before) or '0'
end
return numbers
"""
"""Of each hit the present bucket and the one before, and for how long one is kept from its first hit on: the two windows in
which it is asked for. One command, where the client would spend more on saying three for each hit than the cache on doing them.
"""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One occurrence to count: its kind, key and window."""

    name: str
    key: str
    window: timedelta


@dataclass(frozen=True, kw_only=True)
class HitCount:
    """Counts of each hit in its window, itself included. `is_shared`: over all processes."""

    numbers: tuple[float, ...]
    is_shared: bool


class Counters(Protocol):
    """Counts hits."""

    def count(self, hits: Sequence[Hit], *, now: datetime) -> HitCount:
        """Count each hit once and say how many there have been in its window."""


class CacheCounters:
    """Counters in the cache, by one command for all hits.

    Raises:
        redis.RedisError: The cache does not answer.
    """

    def __init__(self, settings: CacheSettings) -> None:
        self._run = cache_client(settings).register_script(_COUNT)

    def count(self, hits: Sequence[Hit], *, now: datetime) -> HitCount:
        buckets = [_buckets(hit, now) for hit in hits]
        found: list[Any] = self._run(
            keys=[key for present, before, _ in buckets for key in (present, before)],
            args=[2 * int(hit.window.total_seconds()) for hit in hits],
        )
        numbers = (
            int(found[2 * at]) + int(found[2 * at + 1]) * weight for at, (_, _, weight) in enumerate(buckets)
        )
        return HitCount(numbers=tuple(numbers), is_shared=True)


class ProcessCounters:
    """Counters in this process, bounded in memory: the oldest keys are evicted.

    `sees_all`: there is no other process whose hits would count.
    """

    def __init__(self, *, sees_all: bool = False) -> None:
        self._sees_all = sees_all
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def count(self, hits: Sequence[Hit], *, now: datetime) -> HitCount:
        with self._lock:
            return HitCount(numbers=tuple(self._count(hit, now) for hit in hits), is_shared=self._sees_all)

    def _count(self, hit: Hit, now: datetime) -> float:
        present, before, weight = _buckets(hit, now)
        number = self._counts.pop(present, 0) + 1
        self._counts[present] = number
        while len(self._counts) > _KEYS_MAX:
            del self._counts[next(iter(self._counts))]
        return number + self._counts.get(before, 0) * weight


class FallingBack:
    """The cache's counters, or this process's own while the cache is unavailable."""

    def __init__(self, cache: Counters) -> None:
        self._cache = cache
        self._own = ProcessCounters()

    def count(self, hits: Sequence[Hit], *, now: datetime) -> HitCount:
        try:
            return self._cache.count(hits, now=now)
        except (redis.RedisError, OSError) as error:
            log_unavailable(error, without="counting gifts for all processes")
            return self._own.count(hits, now=now)


def _buckets(hit: Hit, now: datetime) -> tuple[str, str, float]:
    """The present bucket's key, the one before it, and the share of that one which the window still covers."""
    seconds = hit.window.total_seconds()
    number, passed = divmod(now.timestamp(), seconds)
    stem = f"{_PREFIX}:{hit.name}:{hit.key}"
    return f"{stem}:{int(number)}", f"{stem}:{int(number) - 1}", 1 - passed / seconds
