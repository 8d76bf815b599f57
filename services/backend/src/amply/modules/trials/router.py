"""`POST /v1/me/test-organisations`: creates a test organisation, for integrators."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from amply.infra.web import responses
from amply.modules import payments
from amply.modules.access import OWN_PROBLEMS, Permission, PersonAccess, signed_in
from amply.modules.trials import service
from amply.modules.trials.dependencies import Dependencies
from amply.modules.trials.domain import TooManyTrials, TrialsNotOffered
from amply.modules.trials.schemas import TestOrganizationIn, TestOrganizationOut

router = APIRouter(prefix="/v1/me", tags=["Trying"])


async def _parts(request: Request) -> Dependencies:
    parts: Dependencies | None = request.app.state.test_organizations
    if parts is None:
        raise TrialsNotOffered("Test organisations are made in the sandbox alone; this is not it.")
    return parts


@router.post(
    "/test-organisations",
    status_code=201,
    summary="Make a test organisation",
    responses=responses(*OWN_PROBLEMS, TrialsNotOffered, TooManyTrials, payments.CountryNotAdmitted),
)
def make_test_organisation(
    body: TestOrganizationIn,
    own: Annotated[PersonAccess, signed_in(Permission.TEST_ORGANISATION_MAKE)],
    parts: Annotated[Dependencies, Depends(_parts)],
) -> TestOrganizationOut:
    """In sandboxes alone. Whoever asks owns it, and gets a test key with all scopes; its secret is in this answer alone."""
    made = service.found(parts.people, own, name=body.name, country=body.country, language=body.language)
    return TestOrganizationOut(
        organization_id=made.organization_id,
        name=body.name,
        key=made.key,
        processor_url=parts.processor_url,
    )
