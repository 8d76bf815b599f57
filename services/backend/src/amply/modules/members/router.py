"""`/v1/organisations/{organization_id}/members` and its parts; `/v1/me/organisations`: the caller's memberships."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of
from amply.infra.web import Identifier, responses
from amply.kernel.errors import AmplyError
from amply.modules import access as who
from amply.modules.access import Access, Permission, PersonAccess, allowed, signed_in
from amply.modules.members import changes, domain, invitations, queries
from amply.modules.members.dependencies import Dependencies
from amply.modules.members.schemas import (
    InvitationIn,
    InvitationList,
    InvitationOut,
    Joined,
    MemberList,
    MemberOut,
    MembershipList,
    MembershipOut,
    OfferIn,
    OfferOut,
    RoleIn,
    TokenIn,
)

router = APIRouter(prefix="/v1/organisations/{organization_id}", tags=["Members"])
own_router = APIRouter(prefix="/v1/me", tags=["Members"])

NOT_SET_UP: Final = "People cannot sign in here yet; ask whoever runs this platform."


async def _parts(request: Request) -> Dependencies:
    parts: Dependencies | None = request.app.state.membership
    if parts is None:
        raise domain.MembersNotOffered(NOT_SET_UP)
    return parts


PartsOf = Annotated[Dependencies, Depends(_parts)]

Reading = Annotated[Access, allowed(Permission.MEMBERS_READ)]
Inviting = Annotated[Access, allowed(Permission.MEMBERS_INVITE)]
Changing = Annotated[Access, allowed(Permission.MEMBERS_CHANGE)]


def _problems(*more: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    return responses(*who.PROBLEMS, *more)


@router.get("/members", summary="List the members", responses=_problems(domain.MembersNotOffered))
def list_members(access: Reading, parts: PartsOf) -> MemberList:
    with access.transaction() as session:
        found = queries.members_of(session, access)
    names = parts.people.names(person_ids=[each.person_id for each in found]) if parts.people else {}
    return MemberList.of_all(found, names)


@router.get("/members/{person_id}", summary="Show a member", responses=_problems(domain.MemberNotFound))
def show_member(person_id: Identifier, access: Reading, response: Response) -> MemberOut:
    with access.transaction() as session:
        shown = MemberOut.of(queries.find(session, access, person_id=person_id))
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.patch(
    "/members/{person_id}",
    summary="Give a member another role",
    responses=_problems(
        domain.MemberNotFound,
        domain.RoleAboveOwn,
        who.LastOwner,
        ChangeNotConditional,
        ChangedMeanwhile,
    ),
)
def change_role(
    person_id: Identifier, body: RoleIn, access: Changing, response: Response, if_match: IfMatch = None
) -> MemberOut:
    with access.transaction() as session:
        shown = MemberOut.of(
            changes.change_role(session, access, person_id=person_id, role=body.role, if_match=if_match)
        )
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.delete(
    "/members/{person_id}",
    status_code=204,
    summary="Remove a member",
    responses=_problems(domain.MemberNotFound, domain.RoleAboveOwn, who.LastOwner),
)
def remove_member(person_id: Identifier, access: Changing) -> None:
    with access.transaction() as session:
        changes.remove(session, access, person_id=person_id)


@router.delete(
    "/membership", status_code=204, summary="Leave the organisation", responses=_problems(who.LastOwner)
)
def leave(access: Annotated[Access, allowed(Permission.MEMBERSHIP_END)]) -> None:
    with access.transaction() as session:
        changes.leave(session, access)


@router.get("/invitations", summary="List invitations that wait", responses=_problems())
def list_invitations(access: Inviting) -> InvitationList:
    with access.transaction() as session:
        found = queries.invitations_of(session, access)
    return InvitationList(data=[InvitationOut.of(each) for each in found])


@router.post(
    "/invitations",
    status_code=201,
    summary="Invite somebody",
    responses=_problems(domain.RoleAboveOwn, domain.TooManyMembers, domain.MemberNotAcceptable),
)
def invite(body: InvitationIn, access: Inviting) -> InvitationOut:
    """The worker sends the letter. Its link is good for seven days, and for whoever has verified that address."""
    with access.transaction() as session:
        made = invitations.invite(session, access, email=body.email, role=body.role, language=body.language)
    return InvitationOut.of(made)


@router.delete(
    "/invitations/{invitation_id}",
    status_code=204,
    summary="Withdraw an invitation",
    responses=_problems(domain.InvitationNotFound),
)
def withdraw_invitation(invitation_id: Identifier, access: Inviting) -> None:
    with access.transaction() as session:
        invitations.withdraw(session, access, invitation_id=invitation_id)


@router.get(
    "/ownership-offer", summary="See who is offered ownership", responses=_problems(domain.OfferNotFound)
)
def show_offer(access: Reading) -> OfferOut:
    with access.transaction() as session:
        return OfferOut.of(queries.offer_of(session, access))


@router.post(
    "/ownership-offer",
    status_code=201,
    summary="Offer one's ownership to a member",
    responses=_problems(domain.MemberNotFound, domain.MemberNotAcceptable),
)
def offer_ownership(
    body: OfferIn, access: Annotated[Access, allowed(Permission.OWNERSHIP_OFFER)]
) -> OfferOut:
    """Good for seven days. Nothing changes before they accept; then they are the owner, and whoever offered is an admin."""
    with access.transaction() as session:
        changes.offer_ownership(session, access, person_id=body.person_id)
        return OfferOut.of(queries.offer_of(session, access))


@router.delete("/ownership-offer", status_code=204, summary="Take the offer back", responses=_problems())
def withdraw_offer(access: Annotated[Access, allowed(Permission.OWNERSHIP_OFFER)]) -> None:
    with access.transaction() as session:
        changes.withdraw_offer(session, access)


@router.post(
    "/ownership-offer/accept",
    summary="Accept the ownership one is offered",
    responses=_problems(domain.OfferNotFound),
)
def accept_ownership(access: Annotated[Access, allowed(Permission.OWNERSHIP_ACCEPT)]) -> MemberOut:
    with access.transaction() as session:
        return MemberOut.of(changes.accept_ownership(session, access))


@own_router.get(
    "/organisations", summary="List the organisations one is in", responses=responses(*who.OWN_PROBLEMS)
)
def list_memberships(own: Annotated[PersonAccess, signed_in(Permission.OWN_ORGANISATIONS)]) -> MembershipList:
    with own.transaction() as session:
        found = queries.memberships_of(session, own)
    return MembershipList(data=[MembershipOut.of(each) for each in found])


@own_router.post(
    "/organisations",
    status_code=201,
    summary="Join an organisation by an invitation",
    responses=responses(
        *who.OWN_PROBLEMS,
        domain.InvitationNotValid,
        domain.AddressNotTheirs,
        domain.MembersNotOffered,
    ),
)
def join(
    body: TokenIn, own: Annotated[PersonAccess, signed_in(Permission.INVITATION_ACCEPT)], parts: PartsOf
) -> Joined:
    """For whoever is signed in and has verified the address that the letter was sent to."""
    if parts.people is None:
        raise domain.MembersNotOffered(NOT_SET_UP)
    invitation_id = parts.key.invitation_of(body.token, now=own.now)
    address = parts.people.verified_address(person_id=own.person_id)
    if address is None:
        raise domain.AddressNotTheirs("Verify your e-mail address first, then open the letter's link again.")
    with own.transaction() as session:
        joined = invitations.accept(session, own, invitation_id=invitation_id, address=address)
    return Joined(organization_id=joined)
