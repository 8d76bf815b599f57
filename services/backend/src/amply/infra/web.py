"""Dependencies and error responses shared by all routers."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, Field, StringConstraints

from amply.infra.database import Database
from amply.kernel.clock import Clock
from amply.kernel.errors import AmplyError, InvalidRequest

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"


class ParameterNotKnown(InvalidRequest):
    """A list was asked with a parameter that it does not have, which would have changed nothing unseen."""

    code: ClassVar[str] = "parameter_not_known"


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
"""OpenAPI extension that lists a response's problem codes."""


def responses(*errors: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that may raise these errors."""
    documented: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = documented.setdefault(error.status, {CODES: []})
        if error.code not in entry[CODES]:
            entry[CODES].append(error.code)
    return documented


def calls_of(dependant: Dependant) -> Iterator[Any]:
    """All functions called for a request: its dependencies, transitively."""
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls_of(inner)


async def known_parameters(request: Request) -> None:
    """The dependency of a list with filters: what it has no parameter for is refused, not passed over.

    Raises:
        ParameterNotKnown: A parameter of the query is none of the route's.
    """
    known = _query_names(request.scope["route"].dependant)
    if not request.query_params.keys() <= known:
        raise ParameterNotKnown(
            f"Leave out what this list does not know: it takes {', '.join(sorted(known))}."
        )


def _query_names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_query_names(inner) for inner in dependant.dependencies))


# Dependencies that do not block are coroutines: FastAPI would run functions in another thread.
async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


Identifier = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
"""An id in a request, validated before it reaches a statement."""

DatabaseOf = Annotated[Database, Depends(_database)]
ClockOf = Annotated[Clock, Depends(_clock)]


async def _log_url(request: Request) -> str:
    log_url: str = request.app.state.log_url
    return log_url


LogUrlOf = Annotated[str, Depends(_log_url)]


async def _site_url(request: Request) -> str:
    site_url: str = request.app.state.site_url
    return site_url


SiteUrlOf = Annotated[str, Depends(_site_url)]
"""The public site's address."""
