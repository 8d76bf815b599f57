"""What surrounds every request: an id, a body limit, headers. Plain ASGI: it costs microseconds."""

import time
from typing import Final

import structlog
import uuid_utils
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BODY_BYTES_MAX: Final = 1_048_576
_TOO_LARGE: Final = 413
ASKED_ALL_THE_TIME: Final = "/health/"
"""Neither logged nor traced."""

_log = structlog.get_logger()


class RequestFrame:
    """Gives each request an id, bounds its body, stamps the answer and writes down that it was given."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{uuid_utils.uuid7().hex}"
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()

        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                _write_down(scope, status=message["status"], began=began)
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            if _declared_length(scope) > _BODY_BYTES_MAX:
                await _refuse(request_id)(scope, receive, send_stamped)
                return
            await self._app(scope, _bounded(receive), send_stamped)


def _write_down(scope: Scope, *, status: int, began: float) -> None:
    """One line an answer, without the query and the client: what the request's other lines belong to."""
    if scope["path"].startswith(ASKED_ALL_THE_TIME):
        return
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    _log.info(
        "answered", method=scope["method"], path=scope["path"], status=status, milliseconds=milliseconds
    )


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _bounded(receive: Receive) -> Receive:
    """A body without a declared length is refused when it grows too large."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > _BODY_BYTES_MAX:
            raise HTTPException(_TOO_LARGE, "Request too large")
        return message

    return bounded


def _refuse(request_id: str) -> JSONResponse:
    problem = {
        "type": "https://docs.amply.example/problems/request_too_large",
        "title": "Request too large",
        "status": _TOO_LARGE,
        "detail": "Send at most 1 MiB.",
        "code": "request_too_large",
        "request_id": request_id,
    }
    return JSONResponse(problem, status_code=_TOO_LARGE, media_type="application/problem+json")
