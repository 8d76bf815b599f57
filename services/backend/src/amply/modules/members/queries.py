"""Queries of members. Authorised within each statement, and again by row-level security."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from amply.modules import organizations
from amply.modules.access import Access, PersonAccess, Role
from amply.modules.members.domain import (
    INVITATIONS_MAX,
    MEMBERS_MAX,
    Invitation,
    Member,
    MemberNotFound,
    Membership,
    Offer,
    OfferNotFound,
)
from amply.modules.members.models import InvitationRow, MemberRow, OfferRow


def members_of(session: Session, access: Access) -> Sequence[Member]:
    """All members, oldest first."""
    rows = session.scalars(
        select(MemberRow)
        .where(access.covers(MemberRow.organization_id))
        .order_by(MemberRow.joined_at, MemberRow.person_id)
        .limit(MEMBERS_MAX)
    )
    return [member_of(row) for row in rows]


def find(session: Session, access: Access, *, person_id: str) -> Member:
    """One member.

    Raises:
        MemberNotFound: There is none.
    """
    row = session.scalars(
        select(MemberRow).where(
            MemberRow.person_id == person_id,
            access.covers(MemberRow.organization_id),
        )
    ).one_or_none()
    if row is None:
        raise MemberNotFound("This organisation has no such member; ask for the list of its members.")
    return member_of(row)


def memberships_of(session: Session, own: PersonAccess) -> Sequence[Membership]:
    """A person's organisations, oldest first."""
    rows = session.scalars(
        select(MemberRow)
        .where(MemberRow.person_id == own.person_id)
        .order_by(MemberRow.joined_at, MemberRow.organization_id)
    ).all()
    known = organizations.get_many(session, organization_ids=[row.organization_id for row in rows])
    return [
        Membership(
            organization_id=row.organization_id,
            name=known[row.organization_id].name,
            role=Role(row.role),
            joined_at=row.joined_at,
        )
        for row in rows
    ]


def invitations_of(session: Session, access: Access) -> Sequence[Invitation]:
    """Pending invitations, oldest first."""
    rows = session.scalars(
        select(InvitationRow)
        .where(InvitationRow.expires_at > access.now, access.covers(InvitationRow.organization_id))
        .order_by(InvitationRow.id)
        .limit(INVITATIONS_MAX)
    )
    return [invitation_of(row, email=row.email) for row in rows]


def offer_of(session: Session, access: Access) -> Offer:
    """The pending ownership offer.

    Raises:
        OfferNotFound: There is none.
    """
    row = session.scalars(
        select(OfferRow).where(OfferRow.expires_at > access.now, access.covers(OfferRow.organization_id))
    ).one_or_none()
    if row is None:
        raise OfferNotFound("Nobody is offered the ownership of this organisation.")
    return Offer(
        organization_id=row.organization_id,
        from_person_id=row.from_person_id,
        to_person_id=row.to_person_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def member_of(row: MemberRow) -> Member:
    """The member a row holds."""
    return Member(
        organization_id=row.organization_id,
        person_id=row.person_id,
        role=Role(row.role),
        joined_at=row.joined_at,
    )


def invitation_of(row: InvitationRow | Row[Any], *, email: str | None) -> Invitation:
    """The invitation a row holds, for the address that was in it."""
    return Invitation(
        id=row.id,
        organization_id=row.organization_id,
        email=email or "",
        role=Role(row.role),
        invited_by=row.invited_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
    )
