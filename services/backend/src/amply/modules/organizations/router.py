"""`/v1/public/organisations`: what anyone may read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from amply.infra.rate_limits import limit_by_address
from amply.infra.web import DatabaseOf, Identifier, responses
from amply.kernel.errors import TooManyRequests
from amply.kernel.pagination import PAGE_SIZE_MAX
from amply.modules.organizations import funds, queries
from amply.modules.organizations.domain import OrganizationNotFound
from amply.modules.organizations.schemas import (
    PublicFund,
    PublicFunds,
    PublicOrganization,
    PublicOrganizationPage,
    PublicProfile,
)

router = APIRouter(
    prefix="/v1/public/organisations",
    tags=["Public"],
    dependencies=[Depends(limit_by_address("public"))],
    responses=responses(TooManyRequests),
)


@router.get("", summary="List organisations")
def list_organisations(
    database: DatabaseOf,
    cursor: Annotated[Identifier | None, Query(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> PublicOrganizationPage:
    with database.transaction() as session:
        page = queries.list_public(session, after=cursor, limit=limit)
    return PublicOrganizationPage(
        data=[PublicOrganization.of(organization) for organization in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.get("/{organization_id}", summary="Show an organisation", responses=responses(OrganizationNotFound))
def show_organisation(organization_id: Identifier, database: DatabaseOf) -> PublicProfile:
    with database.transaction() as session:
        return PublicProfile.of(queries.get_public(session, organization_id=organization_id))


@router.get(
    "/{organization_id}/funds",
    summary="List what an organisation lets people give for",
    responses=responses(OrganizationNotFound),
)
def list_funds(organization_id: Identifier, database: DatabaseOf) -> PublicFunds:
    with database.transaction() as session:
        queries.get_public(session, organization_id=organization_id)
        found = funds.funds_of(session, organization_id=organization_id)
    return PublicFunds(data=[PublicFund.of(fund) for fund in found])
