"""Creates organisations."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.kernel.errors import invariant
from amply.modules.organizations import queries
from amply.modules.organizations.domain import Organization, SlugTaken, check
from amply.modules.organizations.models import OrganizationRow


def create(session: Session, *, name: str, slug: str, country: str, now: datetime) -> Organization:
    """Create an organisation, or return the existing identical one.

    Raises:
        OrganizationNotAcceptable: A field is unusable.
        SlugTaken: The slug names an organisation with another name or country.
    """
    check(name=name, slug=slug, country=country)
    session.execute(
        insert(OrganizationRow)
        .values(id=ids.new_id("org"), slug=slug, name=name, country=country, created_at=now)
        .on_conflict_do_nothing(index_elements=["slug"])
    )
    found = queries.find_by_slug(session, slug=slug)
    invariant(found is not None, "an organisation that was just inserted exists")
    assert found is not None  # noqa: S101 -- tells the type checker what the invariant proved
    if (found.name, found.country) != (name, country):
        raise SlugTaken(
            f"The slug '{slug}' belongs to another organisation; choose another one.", param="slug"
        )
    return found


def take_anonymous_gifts(session: Session, *, organization_id: str, takes: bool) -> Organization:
    """Set whether gifts hidden from the organisation are accepted. Existing gifts are unaffected.

    Raises:
        OrganizationNotFound: No organisation has this id.
    """
    queries.get(session, organization_id=organization_id)
    session.execute(
        update(OrganizationRow)
        .where(OrganizationRow.id == organization_id)
        .values(takes_anonymous_gifts=takes)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return queries.get(session, organization_id=organization_id)
