"""Exception handlers: every error a client sees is an `application/problem+json` document (RFC 9457)."""

import re
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, Final

import sqlalchemy.exc
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from amply.entrypoints.problem_catalogue import OF_HTTP
from amply.infra import credentials
from amply.infra.web import PROBLEM_MEDIA_TYPE, Problem
from amply.kernel.errors import AmplyError, Unavailable

_log = structlog.get_logger()

_ADVICE: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "send a well-formed request"),
    404: ("not_found", "check the path"),
    405: ("method_not_allowed", "check the method"),
    408: ("request_timeout", "send the body without pauses"),
    413: ("request_too_large", "send at most 1 MiB"),
}
"""For errors of HTTP itself: the stable code, and what to do next."""

_TITLES: Final = {each.code: each.title for each in OF_HTTP}
"""A code has one title, whatever words the framework has for an error (RFC 9457 §3.1.3)."""

_UNKNOWN: Final = 401

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}|[0-9]{1,3}")
"""Of a field, or the place in a list."""


def problem_type(app: FastAPI, code: str) -> str:
    """The URL that explains a problem's code, on the site of the same environment."""
    return f"{app.state.site_url}/problems/#{code}"


def install(app: FastAPI) -> None:
    """Install exception handlers for all errors."""
    app.add_exception_handler(AmplyError, known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, of_http)
    for away in (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, sqlalchemy.exc.TimeoutError):
        app.add_exception_handler(away, _database_away)
    app.add_exception_handler(Exception, _unexpected)


def known(request: Request, error: Exception) -> JSONResponse:
    """The response to an `AmplyError`."""
    if not isinstance(error, AmplyError):
        return _unexpected(request, error)
    answer = _answer(
        request,
        status=error.status,
        title=error.title,
        detail=error.detail,
        code=error.code,
        param=error.param,
        **error.members,
    )
    if error.retry_after_seconds is not None:
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    if error.status == _UNKNOWN:
        answer.headers["WWW-Authenticate"] = _challenge(request)
    return answer


def _challenge(request: Request) -> str:
    """What to ask with, by what the route takes."""
    route = request.scope.get("route")
    taken = credentials.taken_by(route.dependant) if isinstance(route, APIRoute) else ()
    return credentials.challenge(taken, was_sent="authorization" in request.headers)


def _database_away(request: Request, error: Exception) -> JSONResponse:
    """Expected now and then (a failover, a restart): counted in the log, nobody is paged for one."""
    _log.warning("database unavailable", path=request.url.path, error=type(error).__name__)
    return known(
        request,
        Unavailable("The database does not answer; repeat the request with the same Idempotency-Key."),
    )


def field_named(path: Iterable[str]) -> str:
    """A field's path as problems name it, outermost first.

    An unknown field has whatever name it was sent with: what is no name is not repeated.
    """
    return ".".join(takewhile(_NAME.fullmatch, path)) or "body"


def _malformed(request: Request, error: Exception) -> JSONResponse:
    """Name the first field that is wrong. What was sent is not repeated: it may be personal."""
    first: Mapping[str, Any] = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    loc = (str(part) for part in first.get("loc", ()) if part not in ("body", "query", "path", "header"))
    field = "body" if first.get("type") == "json_invalid" else field_named(loc)
    advice = first.get("msg", "it is not valid")
    if first.get("type") == "model_attributes_type" and isinstance(first.get("input"), bytes):
        advice = "send a JSON object, with Content-Type: application/json"
    return _answer(
        request,
        status=422,
        title="The request is not valid",
        detail=f"Correct '{field}': {advice}.",
        code="invalid_request",
        param=field,
    )


def of_http(request: Request, error: Exception) -> JSONResponse:
    """The response to an HTTP exception."""
    if not isinstance(error, HTTPException):
        return _unexpected(request, error)
    code, advice = _ADVICE.get(error.status_code, _ADVICE[400])
    title = _TITLES[code]
    answer = _answer(request, status=error.status_code, title=title, detail=f"{title}: {advice}.", code=code)
    answer.headers.update(error.headers or {})
    return answer


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected error", path=request.url.path, exc_info=error)
    return _answer(
        request,
        status=500,
        title="Something went wrong on our side",
        detail="Repeat the request with the same Idempotency-Key; if it fails again, write to us with the request_id.",
        code="server_error",
    )


def _answer(
    request: Request,
    *,
    status: int,
    title: str,
    detail: str,
    code: str,
    param: str | None = None,
    **members: Any,
) -> JSONResponse:
    request_id = getattr(request.state, "request_id", "")
    problem = Problem(
        type=problem_type(request.app, code),
        title=title,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id,
        param=param,
        **members,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=status,
        media_type=PROBLEM_MEDIA_TYPE,
        # Said here too: an unforeseen error is answered outside the middleware that stamps the others.
        headers={"X-Request-Id": request_id},
    )
