"""`/health/deep`: checks each dependency of this process and its latency. For people and monitors, not for the load balancer.

Everything is asked at once and waited for two seconds at most; what is found is told for ten seconds, however many ask.
An answer names parts and times, never hosts or what an error said.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from pydantic import BaseModel, Field

SECONDS_MAX: Final = 2.0
CACHED_SECONDS: Final = 10.0

_log = structlog.get_logger()

Ask = Callable[[], object]
"""Checks a part; any exception means that it is unhealthy."""


class PartStatus(StrEnum):
    """How a part is."""

    OK = "ok"
    AWAY = "does not answer"
    NOT_ASKED = "not asked from here"


class HealthStatus(StrEnum):
    """How the whole is: `degraded` while something is away that gifts can do without."""

    OK = "ok"
    DEGRADED = "degraded"
    UNAVAILABLE = "unavailable"


class PartHealth(BaseModel):
    """One part that the platform needs."""

    name: str
    status: PartStatus = Field(
        description="`not asked from here`: this process does not use it, and may not; others watch it"
    )
    milliseconds: float | None = Field(description="How long the answer took; null where none came")


class DeepHealthOut(BaseModel):
    """What was found, at most ten seconds ago."""

    status: HealthStatus
    seconds_ago: float
    parts: list[PartHealth]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A dependency to check; `ask` is None where this process may not. `is_needed`: without it no gift is taken."""

    name: str
    ask: Ask | None
    is_needed: bool = False


class DeepHealth:
    """Checks the parts, with one check of each in progress at a time."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        seconds_max: float = SECONDS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._seconds_max = seconds_max
        self._clock = clock
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(parts)), thread_name_prefix="health")
        self._running: dict[str, Future[float]] = {}
        self._found: tuple[float, DeepHealthOut] | None = None

    def look(self) -> DeepHealthOut:
        """The latest results, refreshed when older than ten seconds."""
        with self._lock:
            if self._found is None or self._clock() - self._found[0] >= CACHED_SECONDS:
                self._found = (self._clock(), self._ask_all())
            at, found = self._found
            return found.model_copy(update={"seconds_ago": round(self._clock() - at, 1)})

    def _ask_all(self) -> DeepHealthOut:
        asked = {part.name: self._asked(part.name, part.ask) for part in self._parts if part.ask is not None}
        wait(asked.values(), timeout=self._seconds_max)
        found = [_health(part, asked) for part in self._parts]
        return DeepHealthOut(status=_whole(self._parts, found), seconds_ago=0.0, parts=found)

    def _asked(self, name: str, ask: Ask) -> "Future[float]":
        """What still waits for an answer is not asked again: threads are bounded, whatever hangs."""
        running = self._running.get(name)
        if running is None or running.done():
            running = self._running[name] = self._pool.submit(_timed, ask)
        return running


def _timed(ask: Ask) -> float:
    began = time.perf_counter()
    ask()
    return round((time.perf_counter() - began) * 1000, 1)


def _health(part: Part, asked: Mapping[str, "Future[float]"]) -> PartHealth:
    if part.name not in asked:
        return PartHealth(name=part.name, status=PartStatus.NOT_ASKED, milliseconds=None)
    answer = asked[part.name]
    error = answer.exception() if answer.done() else None
    if error is None and answer.done():
        return PartHealth(name=part.name, status=PartStatus.OK, milliseconds=answer.result())
    _log.warning("part_does_not_answer", part=part.name, error=type(error).__name__ if error else "slow")
    return PartHealth(name=part.name, status=PartStatus.AWAY, milliseconds=None)


def _whole(parts: Sequence[Part], found: Sequence[PartHealth]) -> HealthStatus:
    away = {each.name for each in found if each.status is PartStatus.AWAY}
    if any(part.is_needed and part.name in away for part in parts):
        return HealthStatus.UNAVAILABLE
    return HealthStatus.DEGRADED if away else HealthStatus.OK
