"""ASGI middleware that reads request bodies up front, bounded in size and time, and refuses JSON that parsers disagree about.

JSON is taken as I-JSON (RFC 7493): UTF-8, no name twice in an object, no lone surrogates, no NaN. Parsers differ in what
they make of the rest, and a gift must not be one amount for us and another for whoever checked the request before. No
null characters either: the database has no place for them.
"""

import asyncio
import json
import math
from email.message import Message as Header
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amply.entrypoints import problems
from amply.kernel.errors import InvalidRequest
from amply.modules import scim

BYTES_MAX: Final = 1_048_576
SECONDS_MAX: Final = 10.0
DEPTH_MAX: Final = 32
"""Nesting of objects and lists; our own requests have four levels."""

_TOO_SLOW: Final = 408
_TOO_LARGE: Final = 413
_WITHOUT_BODY: Final = ("GET", "HEAD", "OPTIONS")
_SIGNED: Final = "/v1/webhooks/"
"""Bodies below this prefix are signed: their exact bytes count, and the signer is trusted."""


class Bodies:
    """Reads each request body, and responds itself where the body is refused."""

    def __init__(self, app: ASGIApp, *, seconds_max: float = SECONDS_MAX) -> None:
        self._app = app
        self._seconds_max = seconds_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            body = await self._read(headers, receive)
            if body and _is_json(headers) and not scope["path"].startswith(_SIGNED):
                check(body)
        except _Gone:
            return
        except (HTTPException, InvalidRequest) as error:
            await _refused(scope, error)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        declared = headers.get("content-length", "0")
        if not declared.isascii() or not declared.isdigit() or int(declared[:12]) > BYTES_MAX:
            raise HTTPException(_TOO_LARGE)
        try:
            async with asyncio.timeout(self._seconds_max):
                return await _all_of(receive)
        except TimeoutError:
            raise HTTPException(_TOO_SLOW) from None


class _Gone(Exception):
    """The client disconnected."""


async def _all_of(receive: Receive) -> bytes:
    """A body without a declared length is refused when it grows too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > BYTES_MAX:
            raise HTTPException(_TOO_LARGE)
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body as one message; whatever comes then is the client's."""
    is_told = False

    async def again() -> Message:
        nonlocal is_told
        if is_told:
            return await receive()
        is_told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _refused(scope: Scope, error: HTTPException | InvalidRequest) -> Response:
    if scope["path"].startswith(scim.PREFIX):
        status = error.status if isinstance(error, InvalidRequest) else error.status_code
        return scim.refusal(status, str(error.detail))
    answer = problems.known if isinstance(error, InvalidRequest) else problems.of_http
    return answer(Request(scope), error)


def _is_json(headers: Headers) -> bool:
    header = Header()
    header["content-type"] = headers.get("content-type", "")
    return header.get_content_type() == "application/json" or header.get_content_subtype().endswith("+json")


def check(body: bytes) -> None:
    """Refuse JSON that parsers read differently. Invalid JSON is left to the route's own error.

    Raises:
        InvalidRequest: It says what to change.
    """
    try:
        found = json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise _wrong("send it as UTF-8") from None
    except json.JSONDecodeError:
        return
    except RecursionError:
        raise _wrong(f"nest at most {DEPTH_MAX} objects and lists") from None
    except ValueError:
        # Python reads no integer of more than 4,300 digits.
        raise _wrong("send shorter numbers") from None
    _look_through(found)


def _wrong(advice: str, *, param: str = "body") -> InvalidRequest:
    return InvalidRequest(f"Correct '{param}': {advice}.", param=param)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _wrong("send each name once in an object")
    for name in made:
        _check_text(name)
    return made


def _constant(_name: str) -> float:
    raise _wrong("send numbers only: NaN and Infinity are none")


def _check_text(text: str, *, param: str = "body") -> None:
    if "\x00" in text:
        raise _wrong("send no null characters", param=param)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _wrong("send whole characters: a surrogate stands alone", param=param) from None


def _look_through(found: Any) -> None:
    """Every value, level by level: how deep they may be is bounded, and what is wrong is named."""
    level: list[tuple[tuple[str, ...], Any]] = [((), found)]
    for _ in range(DEPTH_MAX + 1):
        below: list[tuple[tuple[str, ...], Any]] = []
        for path, each in level:
            match each:
                case dict():
                    below += (((*path, name), value) for name, value in each.items())
                case list():
                    below += (((*path, str(place)), value) for place, value in enumerate(each))
                case str():
                    _check_text(each, param=problems.field_named(path))
                case float() if math.isinf(each):
                    raise _wrong("send smaller numbers", param=problems.field_named(path))
        if not below:
            return
        level = below
    raise _wrong(f"nest at most {DEPTH_MAX} objects and lists")
