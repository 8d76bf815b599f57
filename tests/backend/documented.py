"""Checks every problem response in any test against the API document's declared responses."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from amply.entrypoints import application
from amply.entrypoints.problem_catalogue import Code, catalogue, declared
from amply.infra.web import CODES, PROBLEM_MEDIA_TYPE

UNAUTHORIZED: Final = 401
_MEMBER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,}")
"""What a member of a problem is called (RFC 9457 §3.2)."""


@cache
def api() -> FastAPI:
    """The API with nothing behind it, made once a process: to describe it takes seconds. Nobody may change it."""
    return application.without_parts()


@cache
def operations() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Each operation of the document: its method, the paths it answers at, and what is said of it."""
    paths = api().openapi()["paths"]
    return [
        (method.upper(), re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path))), operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


@cache
def codes() -> dict[str, Code]:
    """Those that the API may answer with."""
    of_api = declared(api().openapi())
    return {each.code: each for each in catalogue() if each.code in of_api}


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of whoever answers this; None where nobody does."""
    found = (each for known, paths, each in operations() if known == method and paths.fullmatch(path))
    return next(found, None)


def check(response: Response) -> None:
    """Refuse a problem that breaks RFC 9457, or that its route does not document."""
    problem = response.json()
    code, status = problem["code"], response.status_code
    assert problem["status"] == status, problem
    assert problem["type"].endswith(f"/problems/#{code}"), problem
    assert problem["title"] == codes()[code].title, f"{code} has another title in the catalogue: {problem}"
    assert all(_MEMBER.fullmatch(member) for member in problem), problem
    assert (status == UNAUTHORIZED) == ("www-authenticate" in response.headers), "RFC 9110 §11.6.1"
    operation = operation_of(response.request.method, response.request.url.path)
    if operation is None or "/v1/" not in response.request.url.path:
        return
    told = operation["responses"].get(str(status), {}).get(CODES, [])
    assert code in told, (
        f"{operation['operationId']} answered {status} {code}, which it does not document: "
        "add the error to the route's responses=."
    )


def checked(request: Callable[..., Response]) -> Callable[..., Response]:
    """A test client's `request` that checks what it is answered."""

    def asked(client: TestClient, *args: Any, **kwargs: Any) -> Response:
        response = request(client, *args, **kwargs)
        if response.headers.get("content-type") == PROBLEM_MEDIA_TYPE and _is_ours(client):
            check(response)
        return response

    return asked


def _is_ours(client: TestClient) -> bool:
    return getattr(client.app, "title", "") == "Amply"
