"""Reading organisations."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from amply.kernel.pagination import Page
from amply.modules.organizations.domain import (
    PUBLIC_STATES,
    Organization,
    OrganizationNotFound,
    OrganizationState,
    ProfileText,
)
from amply.modules.organizations.models import OrganizationRow


def get(session: Session, *, organization_id: str) -> Organization:
    """One organisation.

    Raises:
        OrganizationNotFound: No organisation has this id.
    """
    row = session.get(OrganizationRow, organization_id)
    if row is None:
        raise OrganizationNotFound(
            "No organisation has this id; check organization_id.", param="organization_id"
        )
    return organization_of(row)


def get_public(session: Session, *, organization_id: str) -> Organization:
    """One organisation that strangers may see: verified, or suspended after that.

    Raises:
        OrganizationNotFound: There is none of this id, or it only asks to become one.
    """
    found = get(session, organization_id=organization_id)
    if not found.state.is_public:
        raise OrganizationNotFound(
            "No organisation has this id; check organization_id.", param="organization_id"
        )
    return found


def find_by_slug(session: Session, *, slug: str) -> Organization | None:
    """The organisation with this slug, if any."""
    row = session.scalars(select(OrganizationRow).where(OrganizationRow.slug == slug)).one_or_none()
    return organization_of(row) if row else None


def list_public(session: Session, *, after: str | None, limit: int) -> Page[Organization]:
    """A page of those that strangers may see, newest last."""
    statement = (
        select(OrganizationRow)
        .where(OrganizationRow.state.in_(sorted(PUBLIC_STATES)))
        .order_by(OrganizationRow.id)
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(OrganizationRow.id > after)
    rows = session.scalars(statement).all()
    page = [organization_of(row) for row in rows[:limit]]
    return Page(items=page, next_cursor=page[-1].id if len(rows) > limit else None)


def organization_of(row: OrganizationRow) -> Organization:
    return Organization(
        id=row.id,
        slug=row.slug,
        name=row.name,
        country=row.country,
        created_at=row.created_at,
        takes_anonymous_gifts=row.takes_anonymous_gifts,
        return_origins=tuple(row.return_origins),
        state=OrganizationState(row.state),
        website=row.website,
        sdgs=tuple(row.sdgs),
        texts={language: ProfileText(**said) for language, said in sorted(row.texts.items())},
    )
