"""`/v1/organisations/{organization_id}`: an organisation's own profile and funds."""

from typing import Annotated

from fastapi import APIRouter, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of, require_match
from amply.infra.web import Identifier, SiteUrlOf, responses
from amply.modules import audit
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.audit import Action
from amply.modules.ledger import VisibilityNotAcceptable
from amply.modules.organizations import funds, own_profile, projects
from amply.modules.organizations.domain import OrganizationNotAcceptable
from amply.modules.organizations.return_origins import ReturnOriginNotAcceptable, TooManyReturnOrigins
from amply.modules.organizations.schemas import (
    FundChange,
    FundIn,
    OrganizationChange,
    OwnOrganization,
    PublicFund,
    PublicFunds,
)

own_router = APIRouter(prefix="/v1/organisations/{organization_id}", tags=["Organisations"])

Reading = Annotated[Access, allowed(Permission.ORGANISATION_READ)]
ChangingFunds = Annotated[Access, allowed(Permission.FUNDS_CHANGE)]


@own_router.get("", summary="Show one's own organisation", responses=responses(*PROBLEMS))
def show_own_organisation(access: Reading, response: Response, site_url: SiteUrlOf) -> OwnOrganization:
    with access.transaction() as session:
        shown = own_profile.shown(session, access, site_url=site_url)
    response.headers["ETag"] = etag_of(shown)
    return shown


@own_router.patch(
    "",
    summary="Change one's own organisation",
    responses=responses(
        *PROBLEMS,
        ChangeNotConditional,
        ChangedMeanwhile,
        OrganizationNotAcceptable,
        ReturnOriginNotAcceptable,
        TooManyReturnOrigins,
        VisibilityNotAcceptable,
    ),
)
def change_own_organisation(
    body: OrganizationChange,
    access: Annotated[Access, allowed(Permission.ORGANISATION_CHANGE)],
    response: Response,
    site_url: SiteUrlOf,
    if_match: IfMatch = None,
) -> OwnOrganization:
    with access.transaction() as session:
        shown = own_profile.change(session, access, asked=body, if_match=if_match, site_url=site_url)
    response.headers["ETag"] = etag_of(shown)
    return shown


@own_router.get("/funds", summary="List one's own funds", responses=responses(*PROBLEMS))
def list_own_funds(access: Reading) -> PublicFunds:
    with access.transaction() as session:
        organization = own_profile.own(session, access)
        found = funds.funds_of(session, organization_id=organization.id)
    return PublicFunds(data=[PublicFund.of(fund) for fund in found])


@own_router.get(
    "/funds/{fund_id}", summary="Show one's own fund", responses=responses(*PROBLEMS, funds.FundNotFound)
)
def show_own_fund(fund_id: Identifier, access: Reading, response: Response) -> PublicFund:
    """Its `ETag` is what a change may name as `If-Match`."""
    with access.transaction() as session:
        organization = own_profile.own(session, access)
        found = funds.find_fund(session, organization_id=organization.id, fund_id=fund_id)
    return _tagged(found, response)


@own_router.post(
    "/funds",
    status_code=201,
    summary="Create a fund",
    responses=responses(*PROBLEMS, funds.FundNotAcceptable, funds.FundTaken),
)
def create_fund(body: FundIn, access: ChangingFunds) -> PublicFund:
    """Again, it changes nothing: the fund with this name and kind is the answer."""
    with access.transaction() as session:
        organization = own_profile.own(session, access)
        made = funds.create_fund(
            session, organization_id=organization.id, name=body.name, kind=body.kind, now=access.now
        )
        if made.created_at == access.now:
            audit.record_by(session, access, Action.FUND_CREATED, made.id)
    return PublicFund.of(made)


@own_router.patch(
    "/funds/{fund_id}",
    summary="Rename a fund",
    responses=responses(
        *PROBLEMS,
        funds.FundNotFound,
        funds.FundNotAcceptable,
        funds.FundTaken,
        projects.FundOfProject,
        ChangedMeanwhile,
    ),
)
def rename_fund(
    fund_id: Identifier, body: FundChange, access: ChangingFunds, response: Response, if_match: IfMatch = None
) -> PublicFund:
    """As long as nobody has given for it. Who names what they saw as `If-Match` is told where somebody was faster.

    A project's fund has the project's name, and is renamed by changing the project.
    """
    with access.transaction() as session:
        organization = own_profile.own(session, access)
        before = funds.locked_fund(session, organization_id=organization.id, fund_id=fund_id)
        projects.require_no_project(session, access, fund_id=fund_id)
        if if_match is not None:
            require_match(if_match, PublicFund.of(before))
        renamed = funds.rename_fund(session, organization_id=organization.id, fund_id=fund_id, name=body.name)
        audit.record_by(session, access, Action.FUND_RENAMED, renamed.id)
    return _tagged(renamed, response)


@own_router.post(
    "/funds/{fund_id}/close", summary="Close a fund", responses=responses(*PROBLEMS, funds.FundNotFound)
)
def close_fund(fund_id: Identifier, access: ChangingFunds) -> PublicFund:
    """Nothing more is given for it; what is on its way still arrives. Again, it changes nothing."""
    with access.transaction() as session:
        organization = own_profile.own(session, access)
        closed = funds.close_fund(session, organization_id=organization.id, fund_id=fund_id, now=access.now)
        if closed.closed_at == access.now:
            audit.record_by(session, access, Action.FUND_CLOSED, closed.id)
    return PublicFund.of(closed)


def _tagged(fund: funds.Fund, response: Response) -> PublicFund:
    shown = PublicFund.of(fund)
    response.headers["ETag"] = etag_of(shown)
    return shown
