"""The applicant's side: creates a draft organisation with its owner, edits it, and submits it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import psycopg.errors
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.conditional import require_match
from amply.kernel import ids
from amply.modules import audit, organizations
from amply.modules.access import Access, PersonAccess
from amply.modules.applications import documents, domain, tax_ids
from amply.modules.applications.domain import (
    OPEN,
    REVIEW_ACTIONS,
    TOPIC_LETTER_OWED,
    TOPIC_REGISTER_ASKED,
    ApplicationIncomplete,
    ApplicationNotOpen,
    ReviewAction,
    TooManyApplications,
)
from amply.modules.applications.facts import missing_facts
from amply.modules.applications.models import ApplicationRow, LookupRow, StepRow
from amply.modules.applications.presentation import shown_of
from amply.modules.applications.queries import row_of
from amply.modules.applications.schemas import ApplicationChange, ApplicationIn, ApplicationOut
from amply.modules.audit import Action
from amply.modules.organizations import StateChange

_CLOSED: Final = "Staff look at this application, or have decided about it: wait for their letter."


def found(session: Session, own: PersonAccess, *, asked: ApplicationIn, address: str) -> str:
    """Create a draft that the person owns, or find their existing one with this slug; return its organisation.

    Raises:
        ApplicationNotAcceptable, OrganizationNotAcceptable: Something in it cannot be so.
        TooManyApplications: Three of theirs are undecided.
    """
    name = organizations.name_of(asked.legal_name, param="legal_name")
    slug = domain.slug_of(asked.slug)
    organizations.check(name=name, slug=slug, country=asked.country)
    organization_id = ids.new_id("org")
    contact = organizations.address_at_rest(session, organization_id=organization_id, email=address)
    made = session.scalar(
        select(
            func.found_organization(
                organization_id,
                name,
                slug,
                asked.country,
                contact["email"],
                contact["sealed"],
                asked.language,
                own.now,
            )
        )
    )
    if made is None:
        raise TooManyApplications(
            f"{domain.APPLICATIONS_MAX} of your applications are undecided: finish one of them first."
        )
    if made == organization_id:
        audit.record_by(session, own, Action.APPLICATION_BEGUN, organization_id=organization_id)
    return str(made)


def change(
    session: Session, access: Access, *, asked: ApplicationChange, if_match: str | None
) -> ApplicationOut:
    """Update the sent fields, unless staff are reviewing it.

    Raises:
        ApplicationNotFound, OrganizationHidden: There is none, or the caller may not (any more).
        ApplicationNotOpen: Staff look at it, or have decided.
        ChangeNotConditional, ChangedMeanwhile: As `require_match` says.
        OrganizationNotAcceptable, TaxIdNotAcceptable: Something cannot be so.
    """
    organization = organizations.locked(session, organization_id=access.organization_id, access=access)
    require_match(if_match, shown_of(session, access))
    if organization.state not in OPEN:
        raise ApplicationNotOpen(_CLOSED)
    said = _said(asked, country=organization.country)
    row = row_of(session, access)
    try:
        for name, value in {**said, "updated_at": access.now}.items():
            setattr(row, name, value)
        session.flush()
    except IntegrityError as refused:
        if isinstance(refused.orig, psycopg.errors.CheckViolation):
            raise ApplicationNotOpen(_CLOSED) from None
        raise
    if "legal_name" in said:
        organizations.name_as(session, access, name=said["legal_name"])
    session.expire_all()
    audit.record_by(session, access, Action.APPLICATION_CHANGED)
    return shown_of(session, access)


def submit(session: Session, access: Access) -> ApplicationOut:
    """Submit it: staff review it, and a register is queried.

    Raises:
        ApplicationNotFound, OrganizationHidden: There is none, or the caller may not (any more).
        MoveNotPossible: It is handed in already, or decided.
        ApplicationIncomplete: Something is missing; the sentence names it.
    """
    rule = REVIEW_ACTIONS[ReviewAction.SUBMIT]
    step = organizations.move(
        session, organization_id=access.organization_id, of=rule.of, to=rule.to, access=access
    )
    row = row_of(session, access)
    missing = [*missing_facts(row), *documents.missing(session, access, tier=row.tier)]
    if missing:
        raise ApplicationIncomplete(f"Add what is missing first: {', '.join(missing)}.")
    session.execute(
        update(ApplicationRow)
        .where(access.covers(ApplicationRow.organization_id))
        .values(submitted_at=access.now, updated_at=access.now)
        .execution_options(synchronize_session=False)
    )
    note_step(session, organization_id=access.organization_id, step=step, said=None, now=access.now)
    organization = organizations.get(session, organization_id=access.organization_id)
    asked = {"id": ids.new_id("look"), "organization_id": access.organization_id}
    session.execute(
        insert(LookupRow).values(
            **asked,
            **_at_rest(LookupRow, session, asked, tax_id=row.tax_id),
            country=organization.country,
            asked_at=access.now,
            next_attempt_at=access.now,
        )
    )
    outbox.put(session, topic=TOPIC_REGISTER_ASKED, payload={"lookup_id": asked["id"]}, now=access.now)
    audit.record_by(session, access, Action.APPLICATION_SUBMITTED)
    session.expire_all()
    return shown_of(session, access)


def note_step(
    session: Session, *, organization_id: str, step: StateChange, said: str | None, now: datetime
) -> None:
    """Record a state transition; the worker sends a letter about it."""
    noted = {"id": ids.new_id("step"), "organization_id": organization_id}
    session.execute(
        insert(StepRow).values(
            **noted,
            **_at_rest(StepRow, session, noted, said=said),
            from_state=step.before,
            to_state=step.after,
            at=now,
            next_attempt_at=now,
        )
    )
    outbox.put(session, topic=TOPIC_LETTER_OWED, payload={"step_id": noted["id"]}, now=now)


def _at_rest(
    kind: type[LookupRow | StepRow], session: Session, named: Mapping[str, str], **fields: str | None
) -> dict[str, Any]:
    """What there is of it, and no column that may not be written here: whoever asks a register does not answer."""
    held = kind.fields.at_rest(
        session, row_id=named["id"], fields=fields, organization_id=named["organization_id"]
    )
    return {name: value for name, value in held.items() if value is not None}


def _said(asked: ApplicationChange, *, country: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if asked.legal_name is not None:
        said["legal_name"] = organizations.name_of(asked.legal_name, param="legal_name")
    if asked.address is not None:
        said["street"] = organizations.name_of(asked.address.street, param="address.street")
        said["postal_code"] = organizations.name_of(
            asked.address.postal_code, param="address.postal_code", longest=20
        )
        said["city"] = organizations.name_of(asked.address.city, param="address.city", longest=100)
    if asked.tax_id is not None:
        said["tax_id"] = tax_ids.tax_id_of(asked.tax_id, country=country).number
    if asked.website is not None:
        said["website"] = organizations.website_of(asked.website)
    if asked.purpose is not None:
        said["purpose"] = organizations.text_of(asked.purpose, param="purpose")
    if asked.sdgs is not None:
        said["sdgs"] = organizations.sdgs_of(asked.sdgs)
    given = {"kind": asked.kind, "tier": asked.tier}
    return said | {name: value for name, value in given.items() if value is not None}
