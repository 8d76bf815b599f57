"""Authenticates donors by their signed link."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from amply.infra.conditional import IfMatch
from amply.infra.credentials import Credential, takes
from amply.infra.database import Database
from amply.infra.web import ClockOf, DatabaseOf
from amply.kernel.clock import Clock
from amply.modules import payments
from amply.modules.recurring.dependencies import Dependencies, RecurringNotOffered
from amply.modules.recurring.domain import LinkNotValid

_NO_LINK = "Open this page by the link in our letter, or ask for a new one with your e-mail address."


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A donor authenticated by link, with the request's dependencies."""

    database: Database
    clock: Clock
    parts: Dependencies
    processor: payments.Processor
    email_sha256: str
    if_match: str | None


async def _parts(request: Request) -> Dependencies:
    parts: Dependencies | None = request.app.state.plans
    if parts is None:
        raise RecurringNotOffered("Recurring gifts are not set up here yet; give once instead.")
    return parts


PartsOf = Annotated[Dependencies, Depends(_parts)]


@takes(Credential.DONOR_LINK)
async def _caller(
    request: Request,
    database: DatabaseOf,
    clock: ClockOf,
    parts: PartsOf,
    authorization: Annotated[str | None, Header(description="`Bearer` and the link's token")] = None,
    if_match: IfMatch = None,
) -> Caller:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise LinkNotValid(_NO_LINK)
    return Caller(
        database=database,
        clock=clock,
        parts=parts,
        processor=request.app.state.processor,
        email_sha256=parts.links.donor_of(token, now=clock()),
        if_match=if_match,
    )


CallerOf = Annotated[Caller, Depends(_caller)]
