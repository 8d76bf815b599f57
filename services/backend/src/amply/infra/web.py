"""What every router shares: the parts an application holds, and errors as RFC 9457 problems."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, Field, StringConstraints

from amply.infra.database import Database
from amply.kernel.clock import Clock
from amply.kernel.errors import AmplyError

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """An error as RFC 9457 describes it, with a stable `code` to branch on."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    param: str | None = None
    challenge: dict[str, Any] | None = Field(
        default=None, description="With `challenge_required`: what to solve before the request is repeated."
    )
    closed: dict[str, Any] | None = Field(
        default=None,
        description="With `form_closed`: whose forms (`organization_ids`), and when they open (`opens_at`).",
    )


CODES: Final = "x-problem-codes"
"""Where a documented answer lists the codes that it may have."""


def responses(*errors: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may raise these errors."""
    documented: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = documented.setdefault(error.status, {CODES: []})
        if error.code not in entry[CODES]:
            entry[CODES].append(error.code)
    return documented


def calls_of(dependant: Dependant) -> Iterator[Any]:
    """What is called for a request, a dependency of a dependency included."""
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls_of(inner)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
"""An id as it arrives: anything else is refused before it reaches a statement."""

DatabaseOf = Annotated[Database, Depends(_database)]
ClockOf = Annotated[Clock, Depends(_clock)]


def _log_url(request: Request) -> str:
    log_url: str = request.app.state.log_url
    return log_url


LogUrlOf = Annotated[str, Depends(_log_url)]
