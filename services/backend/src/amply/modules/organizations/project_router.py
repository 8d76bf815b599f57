"""Routes of projects: public reading, and editing by the organisation."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of, require_match
from amply.infra.rate_limits import limit_by_address
from amply.infra.web import DatabaseOf, Identifier, responses
from amply.kernel.errors import TooManyRequests
from amply.kernel.money import AmountNotAcceptable, CurrencyNotSupported, Money
from amply.modules import audit
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.audit import Action
from amply.modules.organizations import funds, own_profile, projects, queries
from amply.modules.organizations.domain import OrganizationNotAcceptable, OrganizationNotFound
from amply.modules.organizations.project_schemas import (
    GoalIn,
    ProjectChange,
    ProjectIn,
    PublicProject,
    PublicProjects,
)

project_router = APIRouter(prefix="/v1/organisations/{organization_id}/projects", tags=["Organisations"])
public_project_router = APIRouter(prefix="/v1/public/organisations", tags=["Public"])

Reading = Annotated[Access, allowed(Permission.ORGANISATION_READ)]
Changing = Annotated[Access, allowed(Permission.FUNDS_CHANGE)]


@public_project_router.get(
    "/{organization_id}/projects",
    summary="List what an organisation collects for",
    dependencies=[Depends(limit_by_address("public"))],
    responses=responses(OrganizationNotFound, TooManyRequests),
)
def list_projects(organization_id: Identifier, database: DatabaseOf) -> PublicProjects:
    with database.transaction() as session:
        queries.get_public(session, organization_id=organization_id)
        found = projects.projects_of(session, organization_id=organization_id)
    return PublicProjects(data=[PublicProject.of(each) for each in found])


@public_project_router.get(
    "/{organization_id}/projects/{project_id}",
    summary="Show what an organisation collects for",
    dependencies=[Depends(limit_by_address("public"))],
    responses=responses(OrganizationNotFound, projects.ProjectNotFound, TooManyRequests),
)
def show_project(
    organization_id: Identifier, project_id: Identifier, database: DatabaseOf, response: Response
) -> PublicProject:
    with database.transaction() as session:
        queries.get_public(session, organization_id=organization_id)
        found = projects.find(session, organization_id=organization_id, project_id=project_id)
    return _tagged(found, response)


@project_router.get("", summary="List one's own projects", responses=responses(*PROBLEMS))
def list_own_projects(access: Reading) -> PublicProjects:
    with access.transaction() as session:
        organization = own_profile.own(session, access)
        found = projects.projects_of(session, organization_id=organization.id)
    return PublicProjects(data=[PublicProject.of(each) for each in found])


@project_router.get(
    "/{project_id}",
    summary="Show one's own project",
    responses=responses(*PROBLEMS, projects.ProjectNotFound),
)
def show_own_project(project_id: Identifier, access: Reading, response: Response) -> PublicProject:
    """Its `ETag` is what a change names as `If-Match`."""
    with access.transaction() as session:
        organization = own_profile.own(session, access)
        found = projects.find(session, organization_id=organization.id, project_id=project_id)
    return _tagged(found, response)


@project_router.post(
    "",
    status_code=201,
    summary="Create a project with its fund",
    responses=responses(
        *PROBLEMS,
        funds.FundNotAcceptable,
        funds.FundTaken,
        OrganizationNotAcceptable,
        AmountNotAcceptable,
        CurrencyNotSupported,
    ),
)
def create_project(body: ProjectIn, access: Changing, response: Response) -> PublicProject:
    """Again, it changes nothing: the project of this name is the answer."""
    texts = own_profile.acceptable_texts(body.texts)
    with access.transaction() as session:
        own_profile.own(session, access)
        made, is_new = projects.create(session, access, name=body.name, goal=_goal(body.goal), texts=texts)
        if is_new:
            audit.record_by(session, access, Action.PROJECT_CREATED, made.id, made.fund.id)
    return _tagged(made, response)


@project_router.patch(
    "/{project_id}",
    summary="Change a project",
    responses=responses(
        *PROBLEMS,
        projects.ProjectNotFound,
        projects.ProjectOver,
        funds.FundNotAcceptable,
        funds.FundTaken,
        OrganizationNotAcceptable,
        AmountNotAcceptable,
        CurrencyNotSupported,
        ChangeNotConditional,
        ChangedMeanwhile,
    ),
)
def change_project(
    project_id: Identifier,
    body: ProjectChange,
    access: Changing,
    response: Response,
    if_match: IfMatch = None,
) -> PublicProject:
    """What is completed or given up takes no gifts any more, and stays so."""
    texts = None if body.texts is None else own_profile.acceptable_texts(body.texts)
    with access.transaction() as session:
        own_profile.own(session, access)
        before = projects.locked(session, access, project_id=project_id)
        require_match(if_match, PublicProject.of(before))
        changed = projects.change(
            session,
            access,
            project_id=project_id,
            name=body.name,
            goal=None if body.goal is None else _goal(body.goal),
            state=body.state,
            texts=texts,
        )
        audit.record_by(session, access, Action.PROJECT_CHANGED, project_id, changed.fund.id)
    return _tagged(changed, response)


def _tagged(project: projects.Project, response: Response) -> PublicProject:
    shown = PublicProject.of(project)
    response.headers["ETag"] = etag_of(shown)
    return shown


def _goal(asked: GoalIn) -> Money:
    return Money.parse(minor_units=asked.minor_units, currency=asked.currency)
