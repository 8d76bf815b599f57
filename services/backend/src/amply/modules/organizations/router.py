"""`/v1/public/organisations`: public data of organisations."""

from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from amply.infra.conditional import etag_of
from amply.infra.keyset import CursorOf
from amply.infra.rate_limits import limit_by_address
from amply.infra.web import (
    DatabaseOf,
    Identifier,
    ParameterNotKnown,
    SiteUrlOf,
    known_parameters,
    responses,
)
from amply.kernel.errors import InvalidRequest, TooManyRequests
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules.organizations import funds, queries
from amply.modules.organizations.domain import OrganizationNotFound
from amply.modules.organizations.queries import OrganizationFilter, OrganizationSort
from amply.modules.organizations.schemas import (
    ExpandedOrganization,
    ExpandedProfile,
    PublicFund,
    PublicFunds,
    PublicOrganizationPage,
)

router = APIRouter(
    prefix="/v1/public/organisations",
    tags=["Public"],
    dependencies=[Depends(limit_by_address("public"))],
    responses=responses(TooManyRequests),
)


EXPANDED_MAX: Final = 20
"""Organisations a page holds with all their funds, of which each may have 200."""


class Expandable(StrEnum):
    """What an organisation can be shown with."""

    FUNDS = "funds"


Expand = Annotated[
    list[Expandable], Query(description="What is shown besides, in the same answer", max_length=5)
]


class PageTooLarge(InvalidRequest):
    """So many rows are not shown with all that was to be expanded."""

    code = "page_too_large"


async def _filter(
    country: Annotated[str | None, Query(pattern="^[A-Z]{2}$", description="As ISO 3166 names it")] = None,
    slug: Annotated[
        str | None, Query(pattern="^[a-z0-9-]{1,80}$", description="The one with this slug")
    ] = None,
) -> OrganizationFilter:
    return OrganizationFilter(country=country, slug=slug)


@router.get(
    "",
    summary="List organisations",
    dependencies=[Depends(known_parameters)],
    responses=responses(CursorNotAcceptable, PageTooLarge, ParameterNotKnown),
)
def list_organisations(
    database: DatabaseOf,
    wanted: Annotated[OrganizationFilter, Depends(_filter)],
    sort: OrganizationSort = OrganizationSort.CREATED,
    expand: Expand = [],  # noqa: B006 -- FastAPI copies it, and documents it as the default
    cursor: CursorOf = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> PublicOrganizationPage:
    if expand and limit > EXPANDED_MAX:
        raise PageTooLarge(
            f"Ask for {EXPANDED_MAX} organisations at most when you expand them.", param="limit"
        )
    with database.transaction() as session:
        page = queries.list_public(session, wanted=wanted, sort=sort, cursor=cursor, limit=limit)
        shown = [organization.id for organization in page.items]
        of = funds.funds_of_many(session, organization_ids=shown) if expand else {}
    return PublicOrganizationPage(
        data=[
            ExpandedOrganization.showing(organization, of.get(organization.id)) for organization in page.items
        ],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.get("/{organization_id}", summary="Show an organisation", responses=responses(OrganizationNotFound))
def show_organisation(
    organization_id: Identifier,
    database: DatabaseOf,
    site_url: SiteUrlOf,
    expand: Expand = [],  # noqa: B006 -- as above
) -> ExpandedProfile:
    with database.transaction() as session:
        organization = queries.get_public(session, organization_id=organization_id)
        own = funds.funds_of(session, organization_id=organization_id) if expand else None
    return ExpandedProfile.showing(organization, own, site_url=site_url)


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


@router.get(
    "/{organization_id}/funds/{fund_id}",
    summary="Show what an organisation lets people give for",
    responses=responses(OrganizationNotFound, funds.FundNotFound),
)
def show_fund(
    organization_id: Identifier, fund_id: Identifier, database: DatabaseOf, response: Response
) -> PublicFund:
    with database.transaction() as session:
        queries.get_public(session, organization_id=organization_id)
        found = funds.find_fund(session, organization_id=organization_id, fund_id=fund_id)
    shown = PublicFund.of(found)
    response.headers["ETag"] = etag_of(shown)
    return shown
