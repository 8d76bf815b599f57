"""ASGI middleware for `ETag` and `If-None-Match` on reads (RFC 9110 §13.1.2): answers 304 instead of sending the same body
again.

Plain ASGI around the routes: the answer is made all the same, since who may read it is decided by making it, and its tag is
its digest. A route that knows a cheaper tag sets it itself.
"""

import hashlib
import re
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONDITIONAL: Final = ("/v1/public/", "/v1/organisations/", "/v1/me/")
"""Public and members' reads. Donor links and accounts have their own handling."""

_JSON: Final = "application/json"
_OPEN: Final = "/v1/public/"
_KEPT: Final = ("etag", "cache-control", "vary", "link")
_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"')


class ConditionalReads:
    """Adds an ETag to JSON responses to GET below `CONDITIONAL`, and answers 304 on a match."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(CONDITIONAL):
            asked = Headers(scope=scope).get("if-none-match", "")
            send = _Tagging(send, asked=asked, is_open=scope["path"].startswith(_OPEN))
        await self._app(scope, receive, send)


class _Tagging:
    """Buffers a JSON response until it is complete; passes everything else through."""

    def __init__(self, send: Send, *, asked: str, is_open: bool) -> None:
        self._send, self._asked, self._is_open = send, asked, is_open
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_tagged(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._answer(self._start)

    async def _answer(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        headers.setdefault("ETag", f'W/"{hashlib.sha256(self._body).hexdigest()[:32]}"')
        if self._is_open:
            # Cacheable with revalidation, so that changes show at once.
            headers.setdefault("Cache-Control", "no-cache")
        body = bytes(self._body)
        if _names(self._asked, headers["ETag"]):
            kept = [pair for pair in start["headers"] if pair[0].decode("latin-1").lower() in _KEPT]
            start, body = {**start, "status": 304, "headers": kept}, b""
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_tagged(start: Message) -> bool:
    """What says itself that it is not to be stored is let pass."""
    headers = Headers(raw=start["headers"])
    return (
        start["status"] == HTTPStatus.OK
        and headers.get("content-type", "").startswith(_JSON)
        and headers.get("cache-control") != "no-store"
    )


def _names(asked: str, tag: str) -> bool:
    """Whether `If-None-Match` names this tag, by the weak comparison (RFC 9110 §8.8.3.2)."""
    return asked.strip() == "*" or _TAG.findall(tag)[0] in _TAG.findall(asked)
