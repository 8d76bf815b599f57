"""Members of organisations, and the errors about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from amply.kernel.errors import AmplyError, Conflict, InvalidRequest, NotFound, NotOffered
from amply.modules.access import Role

TOPIC_INVITED: Final = "members.invited"
"""A member invitation is due to be sent."""

INVITED_FOR: Final = timedelta(days=7)
OFFERED_FOR: Final = timedelta(days=7)
MEMBERS_MAX: Final = 500
"""Members of an organisation, whose page lists all at once."""
INVITATIONS_MAX: Final = 100
"""Pending invitations of an organisation. Concurrent requests may exceed it by one, which is harmless."""
ATTEMPTS_MAX: Final = 10


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member. Their identity is known to the people module."""

    organization_id: str
    person_id: str
    role: Role
    joined_at: datetime


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A person's membership in an organisation, as they see it."""

    organization_id: str
    name: str
    role: Role
    joined_at: datetime


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A pending invitation. `email` is personal: for inviters only. `invited_by` is None for staff."""

    id: str
    organization_id: str
    email: str
    role: Role
    invited_by: str | None
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An owner's offer to transfer ownership to another member."""

    organization_id: str
    from_person_id: str
    to_person_id: str
    created_at: datetime
    expires_at: datetime


class MemberNotFound(NotFound):
    """The organisation has no such member."""

    code = "member_not_found"


class InvitationNotFound(NotFound):
    """No such invitation waits."""

    code = "invitation_not_found"


class OfferNotFound(NotFound):
    """Nobody is offered ownership, or not whoever asks."""

    code = "ownership_offer_not_found"


class RoleAboveOwn(AmplyError):
    """Nobody gives a role above their own, or takes one."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "role_above_own"
    title: ClassVar[str] = "The role is above your own"


class TooManyMembers(Conflict):
    """An organisation has as many members or waiting invitations as there may be."""

    code = "too_many_members"


class MemberNotAcceptable(InvalidRequest):
    """Nobody can be invited so, or offered ownership."""

    code = "member_not_acceptable"


class InvitationNotValid(InvalidRequest):
    """The invitation is not ours, is over, was withdrawn, or was accepted."""

    code = "member_invitation_not_valid"


class InvitationLinkNotValid(AmplyError):
    """The link is not ours, or its invitation is over, withdrawn, accepted or declined."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "member_invitation_link_not_valid"
    title: ClassVar[str] = "The invitation's link is not valid"


class AccountExists(Conflict):
    """The invited address has an account already."""

    code = "account_exists"


class AddressNotTheirs(AmplyError):
    """An invitation is for one address, and whoever accepts it has not shown that it is theirs."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "invitation_for_another_address"
    title: ClassVar[str] = "The invitation is for another address"


class MembersNotOffered(NotOffered):
    """This environment lets no people in, so that nobody accepts an invitation."""

    code = "members_not_offered"
