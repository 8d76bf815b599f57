"""An organisation as its own members and programs see and change it. Each statement names whoever asks."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from amply.infra.conditional import require_match
from amply.modules import audit
from amply.modules.access import Access, OrganizationHidden
from amply.modules.audit import Action
from amply.modules.organizations import words
from amply.modules.organizations.domain import (
    Organization,
    OrganizationNotAcceptable,
    OrganizationState,
    check,
)
from amply.modules.organizations.models import OrganizationRow
from amply.modules.organizations.queries import organization_of
from amply.modules.organizations.return_origins import acceptable_origins
from amply.modules.organizations.schemas import OrganizationChange, OwnOrganization, ProfileTextIn


def own(session: Session, access: Access) -> Organization:
    """The organisation that the caller was let in to.

    Raises:
        OrganizationHidden: They may not any more.
    """
    row = session.scalars(select(OrganizationRow).where(access.covers(OrganizationRow.id))).one_or_none()
    if row is None:
        raise OrganizationHidden
    return organization_of(row)


def change(
    session: Session, access: Access, *, asked: OrganizationChange, if_match: str | None, site_url: str
) -> Organization:
    """Change what was sent and leave the rest. Two at once: the second one is told. `site_url`: as it was shown with.

    Raises:
        OrganizationHidden: The caller may not any more.
        ChangeNotConditional, ChangedMeanwhile: As `require_match` says.
        OrganizationNotAcceptable, ReturnOriginNotAcceptable, TooManyReturnOrigins: Something cannot be so.
    """
    row = session.scalars(
        select(OrganizationRow)
        .where(access.covers(OrganizationRow.id))
        .with_for_update(of=OrganizationRow, key_share=True)
    ).one_or_none()
    if row is None:
        raise OrganizationHidden
    require_match(if_match, OwnOrganization.showing(organization_of(row), site_url=site_url))
    name = row.name if asked.name is None else words.name_of(asked.name, param="name")
    if name != row.name and not OrganizationState(row.state).is_public:
        raise OrganizationNotAcceptable(
            "Until it is verified its name is the legal name of its application: change that.", param="name"
        )
    check(name=name, slug=row.slug, country=row.country)
    origins: Sequence[str] = row.return_origins
    if asked.return_origins is not None:
        origins = acceptable_origins(asked.return_origins)
    takes = asked.takes_anonymous_gifts
    session.execute(
        update(OrganizationRow)
        .where(access.covers(OrganizationRow.id))
        .values(
            name=name,
            takes_anonymous_gifts=row.takes_anonymous_gifts if takes is None else takes,
            return_origins=list(origins),
            **_profile(asked),
        )
        .execution_options(synchronize_session=False)
    )
    audit.record_by(session, access, Action.ORGANIZATION_CHANGED)
    session.expire_all()
    return own(session, access)


def _profile(asked: OrganizationChange) -> dict[str, Any]:
    """What it says of itself from now on, as far as it was sent."""
    said: dict[str, Any] = {}
    if asked.website is not None:
        said["website"] = words.website_of(asked.website) if asked.website.strip() else None
    if asked.sdgs is not None:
        said["sdgs"] = words.sdgs_of(asked.sdgs)
    if asked.texts is not None:
        said["texts"] = acceptable_texts(asked.texts)
    return said


def acceptable_texts(texts: Mapping[str, ProfileTextIn]) -> dict[str, dict[str, str]]:
    """What is said in each language, as it is kept.

    Raises:
        OrganizationNotAcceptable: A text is empty, too long, or holds what cannot be printed.
    """
    return {
        language: {
            "tagline": words.line_of(text.tagline, param=f"texts.{language}.tagline", longest=140),
            "about": words.text_of(text.about, param=f"texts.{language}.about", longest=4000),
        }
        for language, text in texts.items()
    }
