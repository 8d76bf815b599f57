"""Every error a client sees, as `application/problem+json` (RFC 9457)."""

import re
from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Final

import sqlalchemy.exc
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from amply.infra.web import PROBLEM_MEDIA_TYPE, Problem
from amply.kernel.errors import AmplyError, Unavailable

_log = structlog.get_logger()

_ADVICE: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not_found", "check the path"),
    405: ("method_not_allowed", "check the method"),
    413: ("request_too_large", "send less"),
}
"""For errors of HTTP itself: the stable code, and what to do next."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}|[0-9]{1,3}")
"""Of a field, or the place in a list."""


def install(app: FastAPI) -> None:
    """Answer every error of `app` in one shape."""
    app.add_exception_handler(AmplyError, _known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    for away in (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, sqlalchemy.exc.TimeoutError):
        app.add_exception_handler(away, _database_away)
    app.add_exception_handler(Exception, _unexpected)


def _known(request: Request, error: Exception) -> JSONResponse:
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
    return answer


def _database_away(request: Request, error: Exception) -> JSONResponse:
    """Expected now and then (a failover, a restart): counted in the log, nobody is paged for one."""
    _log.warning("database unavailable", path=request.url.path, error=type(error).__name__)
    return _known(
        request,
        Unavailable("The database does not answer; repeat the request with the same Idempotency-Key."),
    )


def _malformed(request: Request, error: Exception) -> JSONResponse:
    """Name the first field that is wrong. What was sent is not repeated: it may be personal."""
    first: Mapping[str, Any] = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    loc = (str(part) for part in first.get("loc", ()) if part not in ("body", "query", "path", "header"))
    # An unknown field has whatever name it was sent with: what is no name is not repeated either.
    where = list(takewhile(_NAME.fullmatch, loc))
    field = "body" if first.get("type") == "json_invalid" else ".".join(where) or "body"
    return _answer(
        request,
        status=422,
        title="The request is not valid",
        detail=f"Correct '{field}': {first.get('msg', 'it is not valid')}.",
        code="invalid_request",
        param=field,
    )


def _http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = str(error.detail) if isinstance(error, HTTPException) else "Error"
    code, advice = _ADVICE.get(status, ("invalid_request", "send a well-formed HTTP request"))
    return _answer(request, status=status, title=title, detail=f"{title}: {advice}.", code=code)


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
        type=f"https://docs.amply.example/problems/{code}",
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
