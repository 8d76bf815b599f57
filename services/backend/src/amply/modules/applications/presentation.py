"""Builds the API's view of an application for members of its organisation."""

from sqlalchemy.orm import Session

from amply.modules import organizations
from amply.modules.access import Access
from amply.modules.applications import documents, queries
from amply.modules.applications.facts import missing_facts
from amply.modules.applications.schemas import ApplicationOut


def shown_of(session: Session, access: Access) -> ApplicationOut:
    """The API's view of an application, whose `ETag` changes refer to.

    Raises:
        ApplicationNotFound: It never applied, or the caller may not (any more).
    """
    row = queries.row_of(session, access)
    organization = organizations.get(session, organization_id=row.organization_id)
    return ApplicationOut.of(
        row,
        organization,
        steps=queries.steps_of(session, access),
        missing=[*missing_facts(row), *documents.missing(session, access, tier=row.tier)],
    )
