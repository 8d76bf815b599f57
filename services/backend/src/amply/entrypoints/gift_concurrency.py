"""ASGI middleware that limits how many gifts a process handles at once: others wait for seconds, or are told when to retry.

Threads answer requests, and a gift holds one while the processor is asked. Without places a crowd would hold them all: whoever
came last would wait for everybody before, and so would all who only read. Nothing is recorded of a gift that finds no place, and
the same request may come again: donation pages do that by themselves.
"""

import asyncio
import math
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from amply.entrypoints import problems
from amply.kernel.errors import Unavailable

OPENING: Final = frozenset({"/v1/donations", "/v1/split-gifts", "/v1/recurring"})
"""Routes that open gifts, by POST."""
CONCURRENT_GIFTS_MAX: Final = 32
"""The framework has forty threads: the others remain for reads."""
WAIT_SECONDS_MAX: Final = 2.0
"""Maximum expected wait, by the measured pace."""
_CALLED_AFTER_SECONDS_MAX: Final = 10
"""Maximum `Retry-After`: a donation page waits no longer (`services/widgets/src/donate/sending.ts`)."""
_PACE_AT_FIRST: Final = 0.02
_WEIGHT: Final = 0.1
"""Weight of the newest gift in the moving average of the pace."""


class Busy(Unavailable):
    """More people give at this moment than can be served: nothing was recorded, and there is room in some seconds."""

    def __init__(self, *, retry_after_seconds: int) -> None:
        super().__init__(
            "Many people are giving at this moment: repeat the request with the same Idempotency-Key in some seconds."
        )
        self.retry_after_seconds = retry_after_seconds


class GiftConcurrencyLimit:
    """A first-come, first-served limit of concurrent gifts. It belongs to one event loop."""

    def __init__(
        self, app: ASGIApp, *, places: int = CONCURRENT_GIFTS_MAX, wait_seconds_max: float = WAIT_SECONDS_MAX
    ) -> None:
        self._app = app
        self._places = asyncio.Semaphore(places)
        self._wait_seconds_max = wait_seconds_max
        self._waiting = 0
        self._pace = _PACE_AT_FIRST
        self._left_at: float | None = None
        self._called_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in OPENING:
            await self._app(scope, receive, send)
            return
        try:
            await self._come_in()
        except Busy as busy:
            await problems.known(Request(scope), busy)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._leave()

    async def _come_in(self) -> None:
        """Raises Busy where it would take too long, or has: what holds the places now may be slower than what did before."""
        if self._waiting * self._pace > self._wait_seconds_max:
            raise self._busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(2 * self._wait_seconds_max):
                await self._places.acquire()
        except TimeoutError:
            raise self._busy() from None
        finally:
            self._waiting -= 1

    def _leave(self) -> None:
        """The pace is what passes between two that leave while others wait: otherwise it would be how seldom people give."""
        now = asyncio.get_running_loop().time()
        if self._left_at is not None:
            self._pace += _WEIGHT * (now - self._left_at - self._pace)
        self._left_at = now if self._waiting else None
        self._places.release()

    def _busy(self) -> Busy:
        """Called one after the other at the pace they can be served at, so that they do not all come again at once."""
        now = asyncio.get_running_loop().time()
        called_at = max(self._called_at, now + self._waiting * self._pace) + self._pace
        # No `Retry-After` exceeds this, so the backlog of a flood is forgotten once it is over.
        self._called_at = min(called_at, now + _CALLED_AFTER_SECONDS_MAX)
        return Busy(retry_after_seconds=math.ceil(self._called_at - now))
