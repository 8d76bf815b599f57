"""`/v1/onboarding`: onboarding by invited staff; and whether an organisation takes gifts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from amply.infra.credentials import Credential, takes
from amply.infra.rate_limits import limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, responses
from amply.kernel.errors import TooManyRequests
from amply.modules import organizations, payments
from amply.modules.onboarding.dependencies import Dependencies, OnboardingNotOffered
from amply.modules.onboarding.domain import InvitationNotValid
from amply.modules.onboarding.schemas import LinkOut, OnboardingOut, TakesGifts
from amply.modules.organizations import OrganizationNotFound

router = APIRouter(tags=["Onboarding"])

_NO_TOKEN = "Open this page by the link in our invitation, or ask us for a new one."  # noqa: S105 -- a sentence


async def _parts(request: Request) -> Dependencies:
    parts: Dependencies | None = request.app.state.invitations
    if parts is None:
        raise OnboardingNotOffered("Invitations are not set up here; ask whoever runs this platform.")
    return parts


PartsOf = Annotated[Dependencies, Depends(_parts)]


@takes(Credential.INVITATION)
def _invited(
    parts: PartsOf,
    clock: ClockOf,
    authorization: Annotated[str | None, Header(description="`Bearer` and the invitation's token")] = None,
) -> str:
    """The organisation whose staff ask."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvitationNotValid(_NO_TOKEN)
    return parts.key.organization_of(token, now=clock())


InvitedOf = Annotated[str, Depends(_invited)]


@router.get(
    "/v1/public/organisations/{organization_id}/takes-gifts",
    summary="Tell whether an organisation takes gifts",
    dependencies=[Depends(limit_by_address("public"))],
    responses=responses(OrganizationNotFound, TooManyRequests),
)
def takes_gifts(organization_id: Identifier, database: DatabaseOf) -> TakesGifts:
    with database.transaction() as session:
        organizations.get(session, organization_id=organization_id)
        return TakesGifts.of(payments.readiness_of(session, organization_id=organization_id))


@router.get(
    "/v1/onboarding",
    summary="Show how far an invited organisation is",
    dependencies=[Depends(limit_by_address("onboarding_looks"))],
    responses=responses(InvitationNotValid, OnboardingNotOffered, TooManyRequests),
)
def show_onboarding(organization_id: InvitedOf, database: DatabaseOf) -> OnboardingOut:
    with database.transaction() as session:
        organization = organizations.get(session, organization_id=organization_id)
        found = payments.readiness_of(session, organization_id=organization_id)
    return OnboardingOut.of(organization, found)


@router.post(
    "/v1/onboarding/links",
    status_code=201,
    summary="Make a link to the processor's onboarding",
    dependencies=[Depends(limit_by_address("onboarding_links"))],
    responses=responses(
        InvitationNotValid,
        OnboardingNotOffered,
        payments.OrganizationNotReady,
        payments.ProcessorRefused,
        payments.ProcessorUnavailable,
        TooManyRequests,
    ),
)
def make_link(organization_id: InvitedOf, parts: PartsOf, database: DatabaseOf) -> LinkOut:
    """Good for one visit within minutes. Nothing keeps it: whoever needs another one asks again."""
    with database.transaction() as session:
        account_id = payments.account_of(session, organization_id=organization_id)
        found = payments.readiness_of(session, organization_id=organization_id)
    if account_id is None or not found.can_continue:
        raise payments.OrganizationNotReady(found.for_staff or "Nothing is left to answer at Stripe.")
    link = parts.links.onboarding(
        account_id=account_id, again_url=f"{parts.page}?again", back_url=f"{parts.page}?back"
    )
    return LinkOut.of(link)
