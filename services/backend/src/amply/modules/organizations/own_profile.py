"""An organisation's data for its own members and API keys. Each statement checks the permission."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from amply.infra.conditional import require_match
from amply.modules import audit, ledger
from amply.modules.access import Access, NotAllowed, OrganizationHidden, Permission
from amply.modules.audit import Action
from amply.modules.ledger import VisibilityPolicy
from amply.modules.organizations import text_rules
from amply.modules.organizations.domain import (
    Organization,
    OrganizationNotAcceptable,
    OrganizationState,
    check,
)
from amply.modules.organizations.models import OrganizationRow
from amply.modules.organizations.queries import organization_of
from amply.modules.organizations.return_origins import acceptable_origins
from amply.modules.organizations.schemas import (
    LedgerVisibilityIn,
    OrganizationChange,
    OwnOrganization,
    ProfileTextIn,
)


def own(session: Session, access: Access) -> Organization:
    """The caller's organisation.

    Raises:
        OrganizationHidden: They may not any more.
    """
    row = session.scalars(select(OrganizationRow).where(access.covers(OrganizationRow.id))).one_or_none()
    if row is None:
        raise OrganizationHidden
    return organization_of(row)


def shown(session: Session, access: Access, *, site_url: str) -> OwnOrganization:
    """The API's view of it.

    Raises:
        OrganizationHidden: They may not any more.
    """
    found = own(session, access)
    visible = ledger.visibility_of(session, organization_id=found.id)
    return OwnOrganization.showing(found, visible, site_url=site_url)


def change(
    session: Session, access: Access, *, asked: OrganizationChange, if_match: str | None, site_url: str
) -> OwnOrganization:
    """Update the sent fields, if `if_match` is current. `site_url`: as for `shown`, which the ETag covers.

    Raises:
        OrganizationHidden: The caller may not any more.
        ChangeNotConditional, ChangedMeanwhile: As `require_match` says.
        OrganizationNotAcceptable, ReturnOriginNotAcceptable, TooManyReturnOrigins, VisibilityNotAcceptable: Something
            cannot be so.
        NotAllowed: Only owners choose what the pages of the ledger show.
    """
    row = session.scalars(
        select(OrganizationRow)
        .where(access.covers(OrganizationRow.id))
        .with_for_update(of=OrganizationRow, key_share=True)
    ).one_or_none()
    if row is None:
        raise OrganizationHidden
    visible = ledger.visibility_of(session, organization_id=row.id)
    require_match(if_match, OwnOrganization.showing(organization_of(row), visible, site_url=site_url))
    if asked.ledger_visibility is not None:
        _choose_visibility(session, access, asked.ledger_visibility, before=visible)
    name = row.name if asked.name is None else text_rules.name_of(asked.name, param="name")
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
    return shown(session, access, site_url=site_url)


def _choose_visibility(
    session: Session, access: Access, asked: LedgerVisibilityIn, *, before: VisibilityPolicy
) -> None:
    """Who sends back what stands there changes nothing, and may."""
    chosen = VisibilityPolicy(visibility=asked.policy, delay_days=asked.delay_days, minimum=asked.minimum)
    if chosen == before:
        return
    may = select(access.covers(OrganizationRow.id, Permission.LEDGER_PAGES_CHANGE)).where(
        OrganizationRow.id == access.organization_id
    )
    if not session.scalar(may):
        raise NotAllowed("Ask an owner: only owners choose what the pages of the ledger show.")
    ledger.set_visibility(session, organization_id=access.organization_id, policy=chosen, now=access.now)
    audit.record_by(session, access, Action.ORGANIZATION_VISIBILITY_SET)


def _profile(asked: OrganizationChange) -> dict[str, Any]:
    """What it says of itself from now on, as far as it was sent."""
    said: dict[str, Any] = {}
    if asked.website is not None:
        said["website"] = text_rules.website_of(asked.website) if asked.website.strip() else None
    if asked.sdgs is not None:
        said["sdgs"] = text_rules.sdgs_of(asked.sdgs)
    if asked.texts is not None:
        said["texts"] = acceptable_texts(asked.texts)
    return said


def acceptable_texts(texts: Mapping[str, ProfileTextIn]) -> dict[str, dict[str, str]]:
    """Validated and normalised texts by language.

    Raises:
        OrganizationNotAcceptable: A text is empty, too long, or holds what cannot be printed.
    """
    return {
        language: {
            "tagline": text_rules.line_of(text.tagline, param=f"texts.{language}.tagline", longest=140),
            "about": text_rules.text_of(text.about, param=f"texts.{language}.about", longest=4000),
        }
        for language, text in texts.items()
    }
