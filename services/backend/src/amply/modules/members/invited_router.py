"""`/v1/invitation`: shows and accepts an invitation, signed in or not (ADR 0113)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request

from amply.infra.credentials import Credential, takes
from amply.infra.rate_limits import client_address, limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, responses
from amply.kernel.errors import AmplyError, TooManyRequests
from amply.modules import organizations
from amply.modules.access import SignInUnavailable
from amply.modules.members import domain, invitations
from amply.modules.members.ports import People
from amply.modules.members.router import NOT_SET_UP, PartsOf
from amply.modules.members.schemas import AccountIn, AccountMade, InvitedOut
from amply.modules.people import AddressNotAcceptable, PasswordNotAcceptable

invited_router = APIRouter(prefix="/v1/invitation", tags=["Members"])

_NO_TOKEN: Final = "Open this page by the link in the invitation, or ask for a new one."  # noqa: S105 -- a sentence
_ALWAYS: Final[tuple[type[AmplyError], ...]] = (
    domain.InvitationLinkNotValid,
    domain.MembersNotOffered,
    TooManyRequests,
)
_COUNTED: Final = (Depends(limit_by_address("invitations")),)


@dataclass(frozen=True, kw_only=True)
class Invited:
    """The holder of an invitation letter: the invitation, and the current time."""

    invitation_id: str
    people: People
    now: datetime


@takes(Credential.INVITATION)
def _invited(
    parts: PartsOf,
    clock: ClockOf,
    authorization: Annotated[str | None, Header(description="`Bearer` and the invitation's token")] = None,
) -> Invited:
    if parts.people is None:
        raise domain.MembersNotOffered(NOT_SET_UP)
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise domain.InvitationLinkNotValid(_NO_TOKEN)
    now = clock()
    try:
        found = parts.key.invitation_of(token, now=now)
    except domain.InvitationNotValid:
        raise invitations.link_not_valid() from None
    return Invited(invitation_id=found, people=parts.people, now=now)


InvitedOf = Annotated[Invited, Depends(_invited)]


@invited_router.get(
    "", summary="Show what an invitation is for", dependencies=_COUNTED, responses=responses(*_ALWAYS)
)
def show_invitation(invited: InvitedOf, database: DatabaseOf) -> InvitedOut:
    """By the token of the letter, until it is accepted, declined, withdrawn or over."""
    with database.transaction() as session:
        found = invitations.waiting(session, invitation_id=invited.invitation_id, now=invited.now)
        organization = organizations.get(session, organization_id=found.organization_id)
    by = found.invited_by
    return InvitedOut.of(
        found,
        organization=organization.name,
        invited_by=invited.people.names(person_ids=[by]).get(by) if by else None,
        is_registered=invited.people.is_registered(address=found.email),
    )


@invited_router.post(
    "/account",
    status_code=201,
    summary="Make the account of who is invited",
    dependencies=_COUNTED,
    responses=responses(
        *_ALWAYS, domain.AccountExists, AddressNotAcceptable, PasswordNotAcceptable, SignInUnavailable
    ),
)
def make_account(body: AccountIn, invited: InvitedOf, database: DatabaseOf, request: Request) -> AccountMade:
    """The letter has shown that the address is theirs, so no second one is sent. Then sign in, and join."""
    with database.transaction() as session:
        found = invitations.waiting(session, invitation_id=invited.invitation_id, now=invited.now)
    is_new = invited.people.register(
        address=found.email,
        password=body.password,
        language=body.language,
        network_address=client_address(request),
        now=invited.now,
    )
    if not is_new:
        raise domain.AccountExists("This address has an account already: sign in with it.")
    return AccountMade(email=found.email)


@invited_router.post(
    "/decline",
    status_code=204,
    summary="Decline an invitation",
    dependencies=_COUNTED,
    responses=responses(*_ALWAYS),
)
def decline_invitation(invited: InvitedOf, database: DatabaseOf) -> None:
    """Nobody joins by it any more, and its address is forgotten."""
    with database.transaction() as session:
        invitations.decline(session, invitation_id=invited.invitation_id, now=invited.now)
