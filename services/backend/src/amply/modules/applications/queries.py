"""Queries of applications: by members, authorised within each statement, and by staff."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amply.modules import organizations
from amply.modules.access import Access
from amply.modules.applications import domain
from amply.modules.applications.domain import ApplicationNotFound, Lookup
from amply.modules.applications.models import ApplicationRow, LookupRow, StepRow
from amply.modules.organizations import OrganizationState

_STATE: Final = organizations.state_of(ApplicationRow.organization_id)
_LISTED_MAX: Final = 200


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An application as the list has it. `since`: it was handed in last, or begun where it never was. `is_late`: longer ago
    than is promised, and staff's to act upon.
    """

    organization_id: str
    legal_name: str
    state: OrganizationState
    since: datetime
    is_late: bool


def row_of(session: Session, access: Access) -> ApplicationRow:
    """The organisation's application.

    Raises:
        ApplicationNotFound: It never applied, or the caller may not (any more).
    """
    row = session.scalars(
        select(ApplicationRow)
        .where(access.covers(ApplicationRow.organization_id))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise ApplicationNotFound("This organisation never applied: it was made by the platform's staff.")
    return row


def steps_of(session: Session, access: Access) -> Sequence[StepRow]:
    """Its state transitions, oldest first."""
    return session.scalars(
        select(StepRow).where(access.covers(StepRow.organization_id)).order_by(StepRow.id)
    ).all()


def last_lookup(session: Session, *, organization_id: str) -> Lookup | None:
    """The latest register lookup, answered or pending."""
    row = session.scalars(
        select(LookupRow)
        .where(LookupRow.organization_id == organization_id)
        .order_by(LookupRow.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Lookup(
        country=row.country,
        tax_id=row.tax_id or "",
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        outcome=row.outcome,
        register=row.register,
        name=row.name,
        status=row.status,
    )


def application_for_staff(session: Session, *, organization_id: str) -> ApplicationRow:
    """An organisation's application, for staff.

    Raises:
        OrganizationNotFound: There is none of this id.
        ApplicationNotFound: It never applied.
    """
    organizations.get(session, organization_id=organization_id)
    row = session.get(ApplicationRow, organization_id, populate_existing=True)
    if row is None:
        raise ApplicationNotFound("This organisation never applied: it was made by `organization create`.")
    return row


def waiting(session: Session, *, states: Collection[OrganizationState], now: datetime) -> list[Waiting]:
    """Applications in these states, longest waiting first; 200 at most."""
    since = func.coalesce(ApplicationRow.submitted_at, ApplicationRow.created_at)
    rows = session.execute(
        select(
            ApplicationRow.organization_id,
            _STATE.label("state"),
            since.label("since"),
        )
        .where(_STATE.in_(sorted(states)))
        .order_by(since, ApplicationRow.organization_id)
        .limit(_LISTED_MAX)
    )
    found = rows.all()
    # An application's name is its organisation's, which needs no key of it.
    known = organizations.get_many(session, organization_ids=[row.organization_id for row in found])
    return [
        Waiting(
            organization_id=row.organization_id,
            legal_name=known[row.organization_id].name,
            state=OrganizationState(row.state),
            since=row.since,
            is_late=row.state in domain.WAITING and now - row.since > domain.PROMISED_WITHIN,
        )
        for row in found
    ]


def count_late(session: Session, *, now: datetime) -> int:
    """Count applications that wait for staff longer than promised."""
    counted = (
        select(func.count())
        .select_from(ApplicationRow)
        .where(_STATE.in_(sorted(domain.WAITING)), ApplicationRow.submitted_at < now - domain.PROMISED_WITHIN)
    )
    return session.scalars(counted).one()
