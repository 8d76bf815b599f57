"""Projects: fundraising goals of an organisation, with a state. Gifts are given through the project's fund."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.kernel.errors import Conflict, NotFound
from amply.kernel.money import Money
from amply.modules.access import Access
from amply.modules.organizations import funds
from amply.modules.organizations.domain import ProfileText
from amply.modules.organizations.funds import Fund, FundKind, FundTaken
from amply.modules.organizations.models import FundRow, ProjectRow


class ProjectState(StrEnum):
    """How far it is. What is completed or given up takes no gifts any more, and stays so."""

    PLANNED = "planned"
    ACTIVE = "active"
    COMPLETED = "completed"
    GIVEN_UP = "given_up"

    @property
    def is_over(self) -> bool:
        """Whether it is completed or canceled."""
        return self in (ProjectState.COMPLETED, ProjectState.GIVEN_UP)


class ProjectNotFound(NotFound):
    """The organisation has no project with this id."""

    code = "project_not_found"


class ProjectOver(Conflict):
    """It is completed or given up: begin another one."""

    code = "project_over"


class FundOfProject(Conflict):
    """The fund is a project's, and has its name: change the project."""

    code = "fund_of_project"


@dataclass(frozen=True, kw_only=True)
class Project:
    """A fundraising project. Its name, and whether it takes gifts, are its fund's."""

    id: str
    fund: Fund
    goal: Money
    state: ProjectState
    texts: Mapping[str, ProfileText]


def create(
    session: Session, access: Access, *, name: str, goal: Money, texts: Mapping[str, Mapping[str, str]]
) -> tuple[Project, bool]:
    """Create a project with its fund, or return the existing one of this name; and whether it is new.

    Raises:
        FundNotAcceptable, FundTaken: As `create_fund` says; or the fund of this name has no project, and is closed or was renamed
            meanwhile.
    """
    named = funds.create_fund(
        session,
        organization_id=access.organization_id,
        name=name,
        kind=FundKind.PROJECT,
        now=access.now,
    )
    # Closed or renamed by nobody until the project is there.
    fund = funds.locked_fund(session, organization_id=access.organization_id, fund_id=named.id)
    if fund.name != named.name:
        raise FundTaken(
            f"'{named.name}' was renamed to '{fund.name}' meanwhile; look at what there is, and repeat this if it is still wanted.",
            param="name",
        )
    is_new = _insert(session, access, fund=fund, goal=goal, texts=texts)
    if is_new and fund.closed_at is not None:
        raise FundTaken(
            f"'{fund.name}' is a fund of this organisation that is closed; choose another name.", param="name"
        )
    row = session.scalars(
        select(ProjectRow).where(ProjectRow.fund_id == fund.id, access.covers(ProjectRow.organization_id))
    ).one()
    return _project(row, fund), is_new


def _insert(
    session: Session, access: Access, *, fund: Fund, goal: Money, texts: Mapping[str, Mapping[str, str]]
) -> bool:
    """Whether the fund had no project."""
    made = session.scalars(
        insert(ProjectRow)
        .values(
            id=ids.new_id("proj"),
            organization_id=access.organization_id,
            fund_id=fund.id,
            goal_minor_units=goal.minor_units,
            currency=goal.currency,
            state=ProjectState.PLANNED,
            texts=dict(texts),
            created_at=access.now,
        )
        .on_conflict_do_nothing(index_elements=["fund_id"])
        .returning(ProjectRow.id)
    ).one_or_none()
    return made is not None


def change(
    session: Session,
    access: Access,
    *,
    project_id: str,
    name: str | None,
    goal: Money | None,
    state: ProjectState | None,
    texts: Mapping[str, Mapping[str, str]] | None,
) -> Project:
    """Update the given fields; a project that is over closes its fund. Lock it first (`locked`).

    Raises:
        ProjectNotFound: The organisation has none of this id.
        ProjectOver: It is over, and stays so.
        FundNotAcceptable, FundTaken: As `rename_fund` says of the name, which is its fund's.
    """
    before = locked(session, access, project_id=project_id)
    if before.state.is_over:
        raise ProjectOver("This project is over: begin another one.")
    values: dict[str, object] = {}
    if goal is not None:
        values |= {"goal_minor_units": goal.minor_units, "currency": goal.currency}
    if state is not None:
        values["state"] = state
    if texts is not None:
        values["texts"] = dict(texts)
    if values:
        session.execute(
            update(ProjectRow)
            .where(ProjectRow.id == project_id, access.covers(ProjectRow.organization_id))
            .values(**values)
            .execution_options(synchronize_session=False)
        )
    if name is not None and name != before.fund.name:
        funds.rename_fund(session, organization_id=access.organization_id, fund_id=before.fund.id, name=name)
    if state is not None and state.is_over:
        funds.close_fund(
            session, organization_id=access.organization_id, fund_id=before.fund.id, now=access.now
        )
    session.expire_all()
    return locked(session, access, project_id=project_id)


def locked(session: Session, access: Access, *, project_id: str) -> Project:
    """One project and its fund, locked.

    Raises:
        ProjectNotFound: The organisation has none of this id.
    """
    row = session.scalars(
        select(ProjectRow)
        .where(ProjectRow.id == project_id, access.covers(ProjectRow.organization_id))
        .with_for_update(of=ProjectRow)
    ).one_or_none()
    if row is None:
        raise ProjectNotFound(_UNKNOWN)
    fund = funds.locked_fund(session, organization_id=access.organization_id, fund_id=row.fund_id)
    return _project(row, fund)


def require_no_project(session: Session, access: Access, *, fund_id: str) -> None:
    """Refuse direct changes of a fund that belongs to a project. Lock the fund first.

    Raises:
        FundOfProject: The fund is a project's.
    """
    project_id = session.scalar(
        select(ProjectRow.id).where(ProjectRow.fund_id == fund_id, access.covers(ProjectRow.organization_id))
    )
    if project_id is not None:
        route = f"/v1/organisations/{access.organization_id}/projects/{project_id}"
        raise FundOfProject(f"This fund is a project's, and has its name: change that with 'PATCH {route}'.")


def find(session: Session, *, organization_id: str, project_id: str) -> Project:
    """One project of an organisation.

    Raises:
        ProjectNotFound: The organisation has none of this id.
    """
    found = session.execute(
        select(ProjectRow, FundRow)
        .join(FundRow, FundRow.id == ProjectRow.fund_id)
        .where(ProjectRow.organization_id == organization_id, ProjectRow.id == project_id)
    ).one_or_none()
    if found is None:
        raise ProjectNotFound(_UNKNOWN)
    row, fund = found
    return _project(row, funds.fund_of(fund))


def projects_of(session: Session, *, organization_id: str) -> Sequence[Project]:
    """All projects of an organisation, oldest first."""
    rows = session.execute(
        select(ProjectRow, FundRow)
        .join(FundRow, FundRow.id == ProjectRow.fund_id)
        .where(ProjectRow.organization_id == organization_id)
        .order_by(ProjectRow.id)
        .limit(_LISTED_MAX)
    )
    return [_project(row, funds.fund_of(fund)) for row, fund in rows]


_LISTED_MAX: Final = funds.FUNDS_MAX
_UNKNOWN: Final = "This organisation has no project with this id; its page lists those it has."


def _project(row: ProjectRow, fund: Fund) -> Project:
    return Project(
        id=row.id,
        fund=fund,
        goal=Money(minor_units=row.goal_minor_units, currency=row.currency),
        state=ProjectState(row.state),
        texts={language: ProfileText(**said) for language, said in sorted(row.texts.items())},
    )
