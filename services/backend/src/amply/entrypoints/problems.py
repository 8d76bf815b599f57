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

from amply.entrypoints.problem_catalogue import of_status
from amply.infra import credentials
from amply.infra.web import PROBLEM_MEDIA_TYPE, Problem
from amply.kernel.errors import AmplyError, InvalidRequest, Unavailable

_log = structlog.get_logger()

_UNAUTHORIZED: Final = 401

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}|[0-9]{1,3}")
"""A field's name, or an index in a list."""


def problem_type(site_url: str, code: str) -> str:
    """The URL that explains a problem's code, on the site of the same environment."""
    return f"{site_url}/problems/#{code}"


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
    if error.status == _UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = _challenge(request)
    return answer


def _challenge(request: Request) -> str:
    """What to ask with, by what the route takes."""
    route = request.scope.get("route")
    taken = credentials.taken_by(route.dependant) if isinstance(route, APIRoute) else ()
    return credentials.challenge(taken, was_sent="authorization" in request.headers)


def _database_away(request: Request, error: Exception) -> JSONResponse:
    """Expected now and then (a failover, a restart): counted in the log, nobody is paged for one."""
    _log.warning("database_unavailable", path=request.url.path, error=type(error).__name__)
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
    return known(request, InvalidRequest(f"Correct '{field}': {advice}.", param=field))


def of_http(request: Request, error: Exception) -> JSONResponse:
    """The response to an HTTP exception."""
    if not isinstance(error, HTTPException):
        return _unexpected(request, error)
    answer = _answer_of_http(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("unexpected_error", path=request.url.path, exc_info=error)
    return _answer_of_http(request, 500)


def _answer_of_http(request: Request, status: int) -> JSONResponse:
    told = of_status(status)
    return _answer(request, status=told.status, title=told.title, detail=told.detail, code=told.code)


def http_problem(status: int, *, site_url: str, request_id: str) -> bytes:
    """The document that answers an error of HTTP where there is no application to answer it."""
    told = of_status(status)
    problem = _problem(
        site_url, request_id, status=told.status, title=told.title, detail=told.detail, code=told.code
    )
    return problem.model_dump_json(exclude_none=True).encode()


def _answer(request: Request, *, status: int, **said: Any) -> JSONResponse:
    request_id = getattr(request.state, "request_id", "")
    problem = _problem(request.app.state.site_url, request_id, status=status, **said)
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=status,
        media_type=PROBLEM_MEDIA_TYPE,
        # Set here too: responses to unexpected errors do not pass the middleware that adds the headers.
        headers={"X-Request-Id": request_id},
    )


def _problem(site_url: str, request_id: str, *, code: str, **said: Any) -> Problem:
    return Problem(type=problem_type(site_url, code), code=code, request_id=request_id, **said)
