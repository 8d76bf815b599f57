"""Finds the organisation of an ingestion request: an API key's own, or the one that a person names."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request

from amply.infra.web import ClockOf, DatabaseOf, Identifier
from amply.kernel.errors import InvalidRequest
from amply.modules.access import Access, Allowed, CallerOf, KeyCaller, Permission, PersonCaller
from amply.modules.ingestion.domain import IntakeNotOffered
from amply.modules.ingestion.ports import Intake


class AllowedBeside(Allowed):
    """Like `Allowed`, for routes without an organisation in the path."""

    def __call__(  # type: ignore[override] # what FastAPI calls: its parameters are where they are read from
        self,
        request: Request,
        caller: CallerOf,
        database: DatabaseOf,
        clock: ClockOf,
        organization_id: Annotated[
            Identifier | None,
            Query(description="Whose data it is about; a key's own organisation where nothing is said."),
        ] = None,
    ) -> Access:
        if isinstance(caller, KeyCaller):
            organization_id = organization_id or caller.organization_id
        elif isinstance(caller, PersonCaller) and organization_id is None:
            raise InvalidRequest("Say whose data it is about: add organization_id.", param="organization_id")
        return super().__call__(request, organization_id or "", caller, database, clock)


def allowed_beside(permission: Permission) -> Any:
    """What a route annotates its parameter `access` with, beside `Access`."""
    return Depends(AllowedBeside(permission))


async def _offered(request: Request) -> Intake | None:
    intake: Intake | None = request.app.state.intake
    return intake


async def _intake(request: Request) -> Intake:
    intake = await _offered(request)
    if intake is None:
        raise IntakeNotOffered("No data is taken in here: the capability is disabled.")
    return intake


Reading = Annotated[Access, allowed_beside(Permission.DATA_READ)]
HandingIn = Annotated[Access, allowed_beside(Permission.DATA_HAND_IN)]
Offered = Annotated[Intake | None, Depends(_offered)]
IntakeOf = Annotated[Intake, Depends(_intake)]
