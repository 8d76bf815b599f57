"""Time limits for receiving a request's head and body (protection against slow-request attacks).

Uvicorn waits without an end for what a client has begun, since each byte ends its only timer. Here the time runs from the first
byte to the last one of the head, and from there to the last one of the body.
"""

import asyncio
from enum import Enum
from http import HTTPStatus
from typing import Any, ClassVar, Final, Self

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from amply.entrypoints import bodies
from amply.entrypoints.middleware import new_request_id
from amply.entrypoints.problems import http_problem
from amply.infra.web import PROBLEM_MEDIA_TYPE

_log = structlog.get_logger()

_MALFORMED: Final = 400
_TOO_SLOW: Final = 408


class _Owed(Enum):
    """What the client has still to send."""

    ANYTHING = "anything"
    HEAD = "head"
    BODY = "body"


class SlowRequestLimits(H11Protocol):
    """Protocol of one connection. Exceeded time limits close it; no time counts while we respond.

    A connection on which nothing has come is closed when one would be that had a request and has no next one. A body is the
    middleware's to refuse, with an answer; this closes what nobody reads any more.
    """

    head_seconds: ClassVar[float] = 10.0
    body_seconds: ClassVar[float] = bodies.SECONDS_MAX + 5.0
    site_url: ClassVar[str] = ""

    @classmethod
    def of_site(cls, url: str) -> type[Self]:
        """As it is where problems are explained at this site."""
        return type(cls.__name__, (cls,), {"site_url": url})

    def __init__(self, *settings: Any, **more: Any) -> None:
        super().__init__(*settings, **more)
        self._waits_for: tuple[_Owed, object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn narrows it
        super().connection_made(transport)
        self._wait_for(_Owed.ANYTHING)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._wait_for(None)

    def handle_events(self) -> None:
        super().handle_events()
        self._wait_for(self._owed())

    def _owed(self) -> _Owed | None:
        if self.conn.their_state is h11.SEND_BODY:
            return _Owed.BODY
        is_begun = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        return _Owed.HEAD if is_begun else None

    def _wait_for(self, owed: _Owed | None) -> None:
        """Let the time run for it; it runs on where it does already, for the same request."""
        awaited = None if owed is None else (owed, self.cycle)
        if awaited == self._waits_for:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._waits_for = awaited
        self._timer = None if owed is None else self.loop.call_later(self._seconds(owed), self._give_up, owed)

    def _seconds(self, owed: _Owed) -> float:
        return {
            _Owed.ANYTHING: float(self.timeout_keep_alive),
            _Owed.HEAD: self.head_seconds,
            _Owed.BODY: self.body_seconds,
        }[owed]

    def _give_up(self, owed: _Owed) -> None:
        if self.transport.is_closing():
            return
        request_id = new_request_id()
        _log.info("request_too_slow", owed=owed.value, request_id=request_id)
        if owed is _Owed.HEAD and self.conn.our_state is h11.IDLE:
            self._refuse(_TOO_SLOW, request_id)
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP at all."""
        request_id = new_request_id()
        _log.info("request_malformed", reason=msg, request_id=request_id)
        self._refuse(_MALFORMED, request_id)
        self.transport.close()

    def _refuse(self, status: int, request_id: str) -> None:
        headers = [
            (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        problem = http_problem(status, site_url=self.site_url, request_id=request_id)
        for event in (
            h11.Response(status_code=status, reason=HTTPStatus(status).phrase.encode(), headers=headers),
            h11.Data(data=problem),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
