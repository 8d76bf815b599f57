"""State transitions of an organisation, one at a time, enforced again by the database (ADR 0118)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import psycopg.errors
from sqlalchemy import ColumnElement, ScalarSelect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from amply.kernel.errors import Conflict
from amply.modules.access import Access, OrganizationHidden
from amply.modules.organizations.domain import (
    Organization,
    OrganizationNotFound,
    OrganizationState,
    SlugTaken,
    check_slug,
)
from amply.modules.organizations.models import OrganizationRow
from amply.modules.organizations.queries import organization_of


class MoveNotPossible(Conflict):
    """An organisation is not where this could be done."""

    code = "move_not_possible"


@dataclass(frozen=True, kw_only=True)
class StateChange:
    """An organisation's previous and current state."""

    before: OrganizationState
    after: OrganizationState


def state_of(organization_id: ColumnElement[str] | InstrumentedAttribute[str]) -> ScalarSelect[str]:
    """SQL expression for the state of a row's organisation."""
    return (
        select(OrganizationRow.state)
        .where(OrganizationRow.id == organization_id)
        .correlate_except(OrganizationRow)
        .scalar_subquery()
    )


def tier_of(organization_id: ColumnElement[str] | InstrumentedAttribute[str]) -> ScalarSelect[str | None]:
    """SQL expression for the verified tier of a row's organisation."""
    return (
        select(OrganizationRow.tier)
        .where(OrganizationRow.id == organization_id)
        .correlate_except(OrganizationRow)
        .scalar_subquery()
    )


def tiers(session: Session, *, organization_ids: Collection[str]) -> Mapping[str, str]:
    """Verified tiers by organisation id."""
    rows = session.execute(
        select(OrganizationRow.id, OrganizationRow.tier).where(
            OrganizationRow.id.in_(organization_ids),
            OrganizationRow.tier.is_not(None),
            OrganizationRow.state == OrganizationState.VERIFIED,
        )
    )
    return {row.id: row.tier for row in rows}


def set_tier(session: Session, *, organization_id: str, tier: str) -> None:
    """Set an organisation's verified tier."""
    session.execute(
        update(OrganizationRow)
        .where(OrganizationRow.id == organization_id)
        .values(tier=tier)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def locked(session: Session, *, organization_id: str, access: Access | None = None) -> Organization:
    """The organisation, locked against other state transitions.

    Raises:
        OrganizationNotFound: There is none of this id.
        OrganizationHidden: The caller may not (any more).
    """
    return organization_of(_locked(session, organization_id, access))


def move(
    session: Session,
    *,
    organization_id: str,
    of: Collection[OrganizationState],
    to: OrganizationState,
    access: Access | None = None,
) -> StateChange:
    """Change its state if it is one of `of`. Concurrent transitions are serialised.

    Raises:
        OrganizationNotFound, OrganizationHidden: As `locked` says.
        MoveNotPossible: It is in another state; the sentence says which.
    """
    before = OrganizationState(_locked(session, organization_id, access).state)
    if before not in of:
        states = " or ".join(f"'{each}'" for each in sorted(of))
        raise MoveNotPossible(f"This is done to an organisation that is {states}; it is '{before}'.")
    session.execute(
        update(OrganizationRow)
        .where(OrganizationRow.id == organization_id, OrganizationRow.state == before)
        .values(state=to)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return StateChange(before=before, after=to)


def settle(
    session: Session, *, organization_id: str, slug: str, tier: str, website: str | None, sdgs: Sequence[int]
) -> None:
    """Give a verified organisation its slug, tier and initial profile.

    Raises:
        OrganizationNotAcceptable: The slug is unusable.
        SlugTaken: Another organisation has it.
    """
    check_slug(slug)
    try:
        session.execute(
            update(OrganizationRow)
            .where(OrganizationRow.id == organization_id)
            .values(slug=slug, tier=tier, website=website, sdgs=list(sdgs))
            .execution_options(synchronize_session=False)
        )
    except IntegrityError as refused:
        if isinstance(refused.orig, psycopg.errors.UniqueViolation):
            raise SlugTaken(
                f"The slug '{slug}' belongs to another organisation; choose another one with --slug.",
                param="slug",
            ) from None
        raise
    session.expire_all()


def name_as(session: Session, access: Access, *, name: str) -> None:
    """Set an unverified organisation's legal name."""
    session.execute(
        update(OrganizationRow)
        .where(access.covers(OrganizationRow.id))
        .values(name=name)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()


def _locked(session: Session, organization_id: str, access: Access | None) -> OrganizationRow:
    asked = select(OrganizationRow).where(OrganizationRow.id == organization_id)
    if access is not None:
        asked = asked.where(access.covers(OrganizationRow.id))
    row = session.scalars(
        asked.with_for_update(of=OrganizationRow, key_share=True).execution_options(populate_existing=True)
    ).one_or_none()
    if row is None and access is not None:
        raise OrganizationHidden
    if row is None:
        raise OrganizationNotFound(
            "No organisation has this id; check organization_id.", param="organization_id"
        )
    return row
