"""Invitations to an organisation: a letter with a link, valid for a week and for that address alone.

The link names the invitation and is signed (`infra.signed_links`). It lets nobody in by itself: who accepts is signed in, and
has shown that the address is theirs.
"""

import re
from datetime import datetime
from typing import Final

from sqlalchemy import ARRAY, LargeBinary, delete, func, insert, select, type_coerce
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.logging import request_id
from amply.infra.signed_links import SignedLinks
from amply.infra.vault import indexes, keyring_of
from amply.kernel import ids
from amply.modules import audit, mail, organizations
from amply.modules.access import Access, PersonAccess, Role
from amply.modules.audit import Action, Actor, ActorKind, AuditedAction
from amply.modules.members.domain import (
    INVITATIONS_MAX,
    INVITED_FOR,
    TOPIC_INVITED,
    Invitation,
    InvitationLinkNotValid,
    InvitationNotFound,
    InvitationNotValid,
    MemberNotAcceptable,
    RoleAboveOwn,
    TooManyMembers,
)
from amply.modules.members.models import APART, InvitationRow
from amply.modules.members.queries import invitation_of
from amply.modules.receipts import Language

_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{3,190}")


class JoinKey(SignedLinks):
    """Signing key of invitation links, derived from the link secret for this purpose."""

    version = "v1"
    purpose = "amply/member-invitation/v1"
    subject = "minv_[0-9a-z]{26}"
    lifetime = INVITED_FOR

    def sign(self, *, invitation_id: str, created_at: datetime) -> str:
        """The token of an invitation, expiring with it."""
        return self._sign(invitation_id, now=created_at)

    def invitation_of(self, token: str, *, now: datetime) -> str:
        """The invitation of a token.

        Raises:
            InvitationNotValid: It is not ours, or its time is over; which of the two is not told.
        """
        invitation_id = self._subject_of(token, now=now)
        if invitation_id is None:
            raise not_valid()
        return invitation_id


def not_valid() -> InvitationNotValid:
    """The error for an unusable invitation, without the reason."""
    return InvitationNotValid(
        "This invitation is over, or for another address: sign in with the one it was sent to, or ask for a new one.",
        param="token",
    )


def link_not_valid() -> InvitationLinkNotValid:
    """The error for an invalid link, without the reason."""
    return InvitationLinkNotValid(
        "This invitation was used or withdrawn, or is too old: sign in to see where you are a member, or ask for a new one."
    )


def invite(session: Session, access: Access, *, email: str, role: Role, language: Language) -> Invitation:
    """Request an invitation letter. Repeating sends another; the first link stays valid.

    Raises:
        MemberNotAcceptable: This is no e-mail address, or the organisation is not verified yet.
        RoleAboveOwn: Whoever invites is less.
        TooManyMembers: A hundred invitations wait.
    """
    if access.role is None or role.rank > access.role.rank:
        raise RoleAboveOwn(f"Ask an owner to invite somebody as '{role}'.", param="role")
    if not organizations.get(session, organization_id=access.organization_id).state.is_public:
        # Whoever applies chooses the name that such a letter is written in.
        raise MemberNotAcceptable("Invite others once your organisation is verified.", param="email")
    waiting = select(func.count()).where(
        InvitationRow.expires_at > access.now, access.covers(InvitationRow.organization_id)
    )
    if session.scalars(waiting).one() >= INVITATIONS_MAX:
        raise TooManyMembers(f"{INVITATIONS_MAX} invitations wait for their answer: withdraw some first.")
    invitation_id = _write_down(
        session,
        organization_id=access.organization_id,
        email=email,
        role=role,
        language=language,
        invited_by=access.person_id,
        now=access.now,
    )
    row = session.scalars(
        select(InvitationRow).where(
            InvitationRow.id == invitation_id, access.covers(InvitationRow.organization_id)
        )
    ).one_or_none()
    if row is None:
        raise RoleAboveOwn("Your role has changed meanwhile: look at the members again.")
    audit.record_by(session, access, Action.MEMBER_INVITED, invitation_id, reason=role)
    return invitation_of(row, email=row.email)


def invite_owner(
    session: Session, *, organization_id: str, email: str, language: Language, now: datetime
) -> None:
    """Invite an owner, by staff, for an organisation without one.

    Raises:
        OrganizationNotFound: There is no such organisation.
        MemberNotAcceptable: This is no e-mail address.
    """
    organizations.get(session, organization_id=organization_id)
    _write_down(
        session,
        organization_id=organization_id,
        email=email,
        role=Role.OWNER,
        language=language,
        invited_by=None,
        now=now,
    )


def withdraw(session: Session, access: Access, *, invitation_id: str) -> None:
    """Withdraw an invitation, and erase its address.

    Raises:
        InvitationNotFound: None of this id waits.
    """
    gone = session.execute(
        delete(InvitationRow)
        .where(InvitationRow.id == invitation_id, access.covers(InvitationRow.organization_id))
        .returning(InvitationRow.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if gone is None:
        raise InvitationNotFound("No such invitation waits; ask for the list of those that do.")
    audit.record_by(session, access, Action.MEMBER_INVITATION_WITHDRAWN, invitation_id)


def accept(session: Session, own: PersonAccess, *, invitation_id: str, address: str) -> str:
    """Join by an invitation to the person's verified `address`; return the organisation. Once, enforced by the database.

    Raises:
        InvitationNotValid: It is over, withdrawn, accepted, for another address, or by somebody who may not give that role any more.
    """
    digest = mail.address_digest(address)
    own_indexes = type_coerce(indexes(session, APART + digest), ARRAY(LargeBinary))
    joined = session.scalar(select(func.join_by_invitation(invitation_id, digest, own_indexes, own.now)))
    if joined is None:
        raise not_valid()
    audit.record_by(session, own, Action.MEMBER_JOINED, invitation_id, organization_id=str(joined))
    return str(joined)


def waiting(session: Session, *, invitation_id: str, now: datetime) -> Invitation:
    """The invitation as shown to the holder of its letter.

    Raises:
        InvitationLinkNotValid: Nobody can accept it any more; why is not told.
    """
    asked = func.waiting_invitation(invitation_id, now).table_valued(*InvitationRow.__table__.columns)
    row = session.execute(select(asked)).one_or_none()
    if row is None:
        raise link_not_valid()
    email = InvitationRow.fields.open(keyring_of(session), row_id=row.id, sealed=row.sealed, plain=row)[
        "email"
    ]
    return invitation_of(row, email=str(email))


def decline(session: Session, *, invitation_id: str, now: datetime) -> None:
    """Decline an invitation as the holder of its letter, and erase its address.

    Raises:
        InvitationLinkNotValid: It is over already.
    """
    organization_id = session.scalar(select(func.decline_invitation(invitation_id, now)))
    if organization_id is None:
        raise link_not_valid()
    deed = AuditedAction(
        actor=Actor(kind=ActorKind.SYSTEM, id="invitation-letter"),
        action=Action.MEMBER_INVITATION_DECLINED,
        targets=(invitation_id,),
        organization_id=organization_id,
        request_id=request_id(),
    )
    audit.record(session, deed, now=now)


def _write_down(
    session: Session,
    *,
    organization_id: str,
    email: str,
    role: Role,
    language: Language,
    invited_by: str | None,
    now: datetime,
) -> str:
    if not _ADDRESS.fullmatch(email):
        raise MemberNotAcceptable("Give the e-mail address of one person.", param="email")
    invitation_id = ids.new_id("minv")
    session.execute(
        insert(InvitationRow).values(
            id=invitation_id,
            organization_id=organization_id,
            **InvitationRow.fields.at_rest(session, row_id=invitation_id, fields={"email": email}),
            role=role,
            language=language,
            invited_by=invited_by,
            created_at=now,
            expires_at=now + INVITED_FOR,
            next_attempt_at=now,
        )
    )
    outbox.put(session, topic=TOPIC_INVITED, payload={"invitation_id": invitation_id}, now=now)
    return invitation_id
