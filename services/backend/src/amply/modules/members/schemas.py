"""API schemas of members, invitations and ownership offers."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from amply.infra.web import Identifier
from amply.kernel.clock import iso, iso_or_none
from amply.modules.access import Role
from amply.modules.mail import EmailAddress
from amply.modules.members.domain import Invitation, Member, Membership, Offer
from amply.modules.receipts import Language


class _Request(BaseModel):
    """Unknown fields are refused: a misspelt one must not be ignored where rights are concerned."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RoleIn(_Request):
    """What somebody is from now on."""

    role: Role


class InvitationIn(_Request):
    """Whom to write to, and as what they would join."""

    email: Annotated[EmailAddress, Field(max_length=254)]
    role: Role
    language: Language = Language.EN


class OfferIn(_Request):
    """The member whom ownership is offered to."""

    person_id: Identifier


class TokenIn(_Request):
    """What the letter's link holds behind its `#`."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class AccountIn(_Request):
    """The account of whoever is invited, at the address that the letter went to."""

    password: Annotated[
        str,
        Field(
            min_length=1,
            max_length=512,
            description="12 to 128 characters after NFKC, of any kind, and not one that is known from leaks.",
        ),
    ]
    language: Language = Language.EN


class MemberOut(BaseModel):
    """A person in an organisation."""

    person_id: str
    role: Role
    joined_at: str

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        """What the other members see."""
        return cls(person_id=member.person_id, role=member.role, joined_at=iso(member.joined_at))


class NamedMember(MemberOut):
    """A person in an organisation, with the name they gave."""

    name: str | None = Field(description="Null where they gave none.")


class MemberList(BaseModel):
    """All members, the first ones first; there are 500 at most."""

    data: list[NamedMember]

    @classmethod
    def of_all(cls, members: Sequence[Member], names: Mapping[str, str]) -> "MemberList":
        """Those members, by their names."""
        return cls(
            data=[
                NamedMember(**MemberOut.of(each).model_dump(), name=names.get(each.person_id))
                for each in members
            ]
        )


class InvitationOut(BaseModel):
    """An invitation that waits for its answer."""

    id: str
    email: str
    role: Role
    invited_by: str | None = Field(description="The member's `person_id`; null: staff of the platform.")
    created_at: str
    expires_at: str
    sent_at: str | None = Field(description="Null while its letter waits.")

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationOut":
        """What those who may invite see."""
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            invited_by=invitation.invited_by,
            created_at=iso(invitation.created_at),
            expires_at=iso(invitation.expires_at),
            sent_at=iso_or_none(invitation.sent_at),
        )


class InvitationList(BaseModel):
    """All that wait, the oldest first; there are 100 at most."""

    data: list[InvitationOut]


class OfferOut(BaseModel):
    """An offer of ownership that waits for its answer."""

    from_person_id: str
    to_person_id: str
    created_at: str
    expires_at: str

    @classmethod
    def of(cls, offer: Offer) -> "OfferOut":
        """What members see of it."""
        return cls(
            from_person_id=offer.from_person_id,
            to_person_id=offer.to_person_id,
            created_at=iso(offer.created_at),
            expires_at=iso(offer.expires_at),
        )


class MembershipOut(BaseModel):
    """An organisation that one is in."""

    organization_id: str
    name: str
    role: Role
    joined_at: str

    @classmethod
    def of(cls, membership: Membership) -> "MembershipOut":
        """What the person sees of it."""
        return cls(
            organization_id=membership.organization_id,
            name=membership.name,
            role=membership.role,
            joined_at=iso(membership.joined_at),
        )


class MembershipList(BaseModel):
    """The organisations that one is in, the first ones first."""

    data: list[MembershipOut]


class Joined(BaseModel):
    """The organisation that one is in from now on."""

    organization_id: str


class InvitedOut(BaseModel):
    """What the letter's reader is invited to."""

    organization_id: str
    organization: str = Field(description="Its name.")
    role: Role
    email: str = Field(description="Where the letter went: whoever accepts has this address.")
    invited_by: str | None = Field(
        description="What whoever invites is called; null where staff of the platform do."
    )
    expires_at: str
    is_registered: bool = Field(description="Whether the address has an account: sign in, or make one.")

    @classmethod
    def of(
        cls, invitation: Invitation, *, organization: str, invited_by: str | None, is_registered: bool
    ) -> "InvitedOut":
        """The wire form."""
        return cls(
            organization_id=invitation.organization_id,
            organization=organization,
            role=invitation.role,
            email=invitation.email,
            invited_by=invited_by,
            expires_at=iso(invitation.expires_at),
            is_registered=is_registered,
        )


class AccountMade(BaseModel):
    """The account is open: sign in with this address and the password."""

    email: str
