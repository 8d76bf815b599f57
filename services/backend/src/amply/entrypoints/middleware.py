"""Outermost ASGI middleware: request id, response headers, access log."""

import time
from typing import Final

import structlog
import uuid_utils
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amply.entrypoints import deprecation
from amply.infra.rate_limit_fields import fields_of

ASKED_ALL_THE_TIME: Final = "/health/"
"""Paths that are neither logged nor traced."""

_log = structlog.get_logger()


def new_request_id() -> str:
    """What one request is found by."""
    return f"req_{uuid_utils.uuid7().hex}"


class RequestFrame:
    """Assigns a request id, adds response headers, and logs each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_request_id()
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()

        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                _write_down(scope, status=message["status"], began=began)
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
                headers.update(fields_of(scope["state"].get("standings", ())))
                _say_what_ends(scope, headers)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_stamped)


def _write_down(scope: Scope, *, status: int, began: float) -> None:
    """One line an answer, without the query and the client: what the request's other lines belong to."""
    if scope["path"].startswith(ASKED_ALL_THE_TIME):
        return
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    _log.info(
        "answered", method=scope["method"], path=scope["path"], status=status, milliseconds=milliseconds
    )


def _say_what_ends(scope: Scope, headers: MutableHeaders) -> None:
    ends = deprecation.DEPRECATED.get(getattr(scope.get("route"), "name", ""))
    if ends is not None:
        for name, value in ends.fields(site_url=scope["app"].state.site_url).items():
            headers.append(name, value)
