"""Changes memberships and roles, locking the rows that each decision depends on.

That an organisation keeps an owner is held by the database, whatever is done at the same moment (`ck_member_last_owner`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import psycopg.errors
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amply.infra.conditional import require_match
from amply.infra.database import bind
from amply.modules import audit
from amply.modules.access import Access, LastOwner, Role
from amply.modules.audit import Action
from amply.modules.members import queries
from amply.modules.members.domain import (
    OFFERED_FOR,
    Member,
    MemberNotAcceptable,
    MemberNotFound,
    OfferNotFound,
    RoleAboveOwn,
)
from amply.modules.members.models import InvitationRow, MemberRow, OfferRow
from amply.modules.members.schemas import MemberOut

_LAST_OWNER: Final = "ck_member_last_owner"


def change_role(
    session: Session, access: Access, *, person_id: str, role: Role, if_match: str | None
) -> Member:
    """Change a member's role. Invitations that the new role could not send are withdrawn.

    Raises:
        MemberNotFound: There is none.
        ChangeNotConditional, ChangedMeanwhile: As `require_match` says.
        RoleAboveOwn: The role, or the one they have, is above that of whoever asks.
        LastOwner: Nobody would be left.
    """
    asker, member = _lock(session, access, person_id=person_id)
    require_match(if_match, MemberOut.of(queries.member_of(member)))
    if max(role.rank, Role(member.role).rank) > asker.rank:
        raise RoleAboveOwn("Ask an owner: this role, or the one they have, is above yours.", param="role")
    if role.rank < Role(member.role).rank:
        _forget_invitations(session, access, person_id=person_id)
    with _keeps_an_owner():
        session.execute(
            update(MemberRow)
            .where(MemberRow.person_id == person_id, access.covers(MemberRow.organization_id))
            .values(role=role)
            .execution_options(synchronize_session=False)
        )
    audit.record_by(session, access, Action.MEMBER_ROLE_CHANGED, person_id, reason=role)
    session.expire_all()
    return queries.find(session, access, person_id=person_id)


def remove(session: Session, access: Access, *, person_id: str) -> None:
    """Remove a member, effective at commit.

    Raises:
        MemberNotFound: There is none.
        RoleAboveOwn: Their role is above that of whoever asks.
        LastOwner: Nobody would be left.
    """
    asker, member = _lock(session, access, person_id=person_id)
    if Role(member.role).rank > asker.rank:
        raise RoleAboveOwn("Ask an owner: their role is above yours.")
    _end(session, access, person_id=person_id)
    audit.record_by(session, access, Action.MEMBER_REMOVED, person_id)


def leave(session: Session, access: Access) -> None:
    """End the caller's own membership.

    Raises:
        LastOwner: Nobody would be left: offer ownership to somebody first.
    """
    _end(session, access, person_id=access.person_id or "")
    audit.record_by(session, access, Action.MEMBER_LEFT)


def leave_everywhere(session: Session, *, person_id: str, now: datetime) -> None:
    """End all memberships of a person who is being erased. Binds the transaction to them.

    Raises:
        LastOwner: An organisation would be left to nobody; nothing has ended.
    """
    whose = select(MemberRow.organization_id).where(MemberRow.person_id == person_id)
    for organization_id in session.scalars(whose.order_by(MemberRow.organization_id)).all():
        bind(session, organization_id=organization_id, person_id=person_id)
        own = (InvitationRow.organization_id == organization_id, InvitationRow.invited_by == person_id)
        session.execute(delete(InvitationRow).where(*own).execution_options(synchronize_session=False))
        with _keeps_an_owner():
            session.execute(
                delete(MemberRow)
                .where(MemberRow.organization_id == organization_id, MemberRow.person_id == person_id)
                .execution_options(synchronize_session=False)
            )
        audit.record_of_person(
            session, person_id, Action.MEMBER_LEFT, organization_id=organization_id, now=now
        )
    bind(session, person_id=person_id)


def offer_ownership(session: Session, access: Access, *, person_id: str) -> None:
    """Offer ownership to a member, replacing a former offer. Nothing changes before they accept.

    Raises:
        MemberNotFound: There is none.
        MemberNotAcceptable: They are an owner already.
    """
    _, member = _lock(session, access, person_id=person_id)
    if Role(member.role) is Role.OWNER:
        raise MemberNotAcceptable("They are an owner already; choose another member.", param="person_id")
    _take_offer_back(session, access)
    session.execute(
        insert(OfferRow).values(
            organization_id=access.organization_id,
            from_person_id=access.person_id,
            to_person_id=person_id,
            created_at=access.now,
            expires_at=access.now + OFFERED_FOR,
        )
    )
    audit.record_by(session, access, Action.OWNERSHIP_OFFERED, person_id)


def withdraw_offer(session: Session, access: Access) -> None:
    """Withdraw an ownership offer. Idempotent."""
    to = _take_offer_back(session, access)
    if to is not None:
        audit.record_by(session, access, Action.OWNERSHIP_OFFER_WITHDRAWN, to)


def accept_ownership(session: Session, access: Access) -> Member:
    """Become owner; the former owner becomes an admin.

    Raises:
        OfferNotFound: Nobody offered it to whoever asks, or not any more, or they are no owner any more.
    """
    offer = session.scalars(
        select(OfferRow).where(
            OfferRow.to_person_id == access.person_id,
            OfferRow.expires_at > access.now,
            access.covers(OfferRow.organization_id),
        )
    ).one_or_none()
    if offer is None:
        raise _no_offer()
    former_id = offer.from_person_id
    rows = _locked(session, access, former_id, access.person_id or "")
    withdrawn = session.execute(
        delete(OfferRow)
        .where(
            OfferRow.from_person_id == former_id,
            OfferRow.to_person_id == access.person_id,
            access.covers(OfferRow.organization_id),
        )
        .returning(OfferRow.organization_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if withdrawn is None or former_id not in rows or Role(rows[former_id].role) is not Role.OWNER:
        raise _no_offer()
    for person_id, role in ((access.person_id, Role.OWNER), (former_id, Role.ADMIN)):
        # Bound to the organisation by row-level security; the permission ends with the first of the two.
        session.execute(
            update(MemberRow)
            .where(MemberRow.organization_id == access.organization_id, MemberRow.person_id == person_id)
            .values(role=role)
            .execution_options(synchronize_session=False)
        )
    audit.record_by(session, access, Action.OWNERSHIP_ACCEPTED, former_id)
    session.expire_all()
    return queries.member_of(session.get_one(MemberRow, (access.organization_id, access.person_id)))


def _take_offer_back(session: Session, access: Access) -> str | None:
    """Whom it was made to; None where there is none."""
    return session.scalars(
        delete(OfferRow)
        .where(access.covers(OfferRow.organization_id))
        .returning(OfferRow.to_person_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()


def _no_offer() -> OfferNotFound:
    return OfferNotFound("Nobody offers you the ownership of this organisation; ask its owner to.")


def _lock(session: Session, access: Access, *, person_id: str) -> tuple[Role, MemberRow]:
    """What whoever asks is now, and the other one's row; both stay so until the end.

    Raises:
        MemberNotFound: There is no such member.
    """
    rows = _locked(session, access, access.person_id or "", person_id)
    if person_id not in rows or access.person_id not in rows:
        raise MemberNotFound("This organisation has no such member; ask for the list of its members.")
    return Role(rows[access.person_id].role), rows[person_id]


def _locked(session: Session, access: Access, *person_ids: str) -> dict[str, MemberRow]:
    """In one order, so that two who change each other wait instead of failing."""
    rows = session.scalars(
        select(MemberRow)
        .where(MemberRow.person_id.in_(person_ids), access.covers(MemberRow.organization_id))
        .order_by(MemberRow.person_id)
        .with_for_update(of=MemberRow)
    )
    return {row.person_id: row for row in rows}


def _end(session: Session, access: Access, *, person_id: str) -> None:
    _forget_invitations(session, access, person_id=person_id)
    with _keeps_an_owner():
        session.execute(
            delete(MemberRow)
            .where(MemberRow.person_id == person_id, access.covers(MemberRow.organization_id))
            .execution_options(synchronize_session=False)
        )
    session.expire_all()


def _forget_invitations(session: Session, access: Access, *, person_id: str) -> None:
    """Nobody joins by the word of somebody who may not say it any more."""
    session.execute(
        delete(InvitationRow)
        .where(InvitationRow.invited_by == person_id, access.covers(InvitationRow.organization_id))
        .execution_options(synchronize_session=False)
    )


@contextmanager
def _keeps_an_owner() -> Iterator[None]:
    """Raises LastOwner where the database says so."""
    try:
        yield
    except IntegrityError as refused:
        cause = refused.orig
        if isinstance(cause, psycopg.errors.CheckViolation) and cause.diag.constraint_name == _LAST_OWNER:
            raise LastOwner(
                "An organisation keeps an owner: make somebody else one first, or offer them yours."
            ) from None
        raise
