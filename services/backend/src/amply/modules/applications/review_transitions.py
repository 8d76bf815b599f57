"""Review actions by staff: state transitions of an application, each with a letter about it.

The command records it (`entrypoints/admin_recorded.py`), in the same transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from amply.modules import organizations, receipts
from amply.modules.applications import documents
from amply.modules.applications.domain import (
    REVIEW_ACTIONS,
    ApplicationIncomplete,
    ApplicationNotAcceptable,
    ReviewAction,
)
from amply.modules.applications.models import ApplicationRow
from amply.modules.applications.queries import application_for_staff
from amply.modules.applications.service import note_step
from amply.modules.organizations import OrganizationState


def by_staff(
    session: Session, *, organization_id: str, move: ReviewAction, reason: str | None, now: datetime
) -> OrganizationState:
    """Perform an action other than submit and verify; return the organisation's new state.

    Raises:
        OrganizationNotFound: There is none of this id.
        ApplicationNotAcceptable: No reason is given where the organisation has to be told one.
        OrganizationNotAcceptable: The reason is too long, or holds what cannot be printed.
        MoveNotPossible: It is not where this is done.
    """
    rule = REVIEW_ACTIONS[move]
    if rule.wants_reason and not reason:
        raise ApplicationNotAcceptable("Say why, in words that the organisation is told.", param="reason")
    said = organizations.text_of(reason, param="reason") if reason else None
    step = organizations.move(session, organization_id=organization_id, of=rule.of, to=rule.to)
    if move is ReviewAction.REFUSE:
        _let_go_of_slug(session, organization_id, now=now)
    note_step(session, organization_id=organization_id, step=step, said=said, now=now)
    return step.after


def verify(session: Session, *, organization_id: str, slug: str | None, now: datetime) -> str:
    """Verify an organisation, so that it can take gifts once the processor allows it; return its slug. Receipts carry
    the verified data.

    Raises:
        OrganizationNotFound, ApplicationNotFound: There is none of this id, or it never applied.
        MoveNotPossible: Nobody looks at it.
        ApplicationIncomplete: A document of its tier is missing.
        OrganizationNotAcceptable, SlugTaken: The slug is unusable: give another one.
    """
    rule = REVIEW_ACTIONS[ReviewAction.VERIFY]
    row = application_for_staff(session, organization_id=organization_id)
    missing = _missing(session, row)
    if missing:
        raise ApplicationIncomplete(f"Ask for what is missing first: {', '.join(missing)}.")
    wanted = slug or row.slug or ""
    step = organizations.move(session, organization_id=organization_id, of=rule.of, to=rule.to)
    organizations.settle(
        session,
        organization_id=organization_id,
        slug=wanted,
        tier=row.tier,
        website=row.website,
        sdgs=row.sdgs,
    )
    receipts.begin_settings(
        session,
        organization_id=organization_id,
        country=organizations.get(session, organization_id=organization_id).country,
        legal_name=row.legal_name or "",
        tax_id=row.tax_id or "",
        now=now,
    )
    note_step(session, organization_id=organization_id, step=step, said=None, now=now)
    return wanted


def _missing(session: Session, row: ApplicationRow) -> Sequence[str]:
    there = {
        each.kind for each in documents.documents_for_staff(session, organization_id=row.organization_id)
    }
    return documents.missing_kinds(there, tier=row.tier)


def _let_go_of_slug(session: Session, organization_id: str, *, now: datetime) -> None:
    """Whoever is refused may apply anew under it, and so may anybody else."""
    session.execute(
        update(ApplicationRow)
        .where(ApplicationRow.organization_id == organization_id)
        .values(slug=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )
