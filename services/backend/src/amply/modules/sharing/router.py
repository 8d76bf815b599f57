"""Routes of consent to sharing. Without the data platform, consent is refused (503); earlier consents stay visible and
revocable.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from amply.infra.rate_limits import limit_by_address
from amply.infra.web import responses
from amply.kernel.clock import iso_or_none
from amply.kernel.errors import TooManyRequests
from amply.modules import recurring
from amply.modules.donations import DataSharingIn, DataSharingNotAcceptable
from amply.modules.sharing import service, wording
from amply.modules.sharing.domain import DataSharingNotOffered, Extent, Purpose, Standing

router = APIRouter()

_LIMITED = [Depends(limit_by_address("donor_plans"))]


async def _is_offered(request: Request) -> bool:
    return request.app.state.consents is not None


IsOffered = Annotated[bool, Depends(_is_offered)]


class AskedOut(BaseModel):
    """One purpose, and the words beside an unticked box on a donation form."""

    purpose: Purpose
    wording: str = Field(description="What these words are called: send it with a tick.")
    texts: dict[str, str] = Field(description="By language: `en`, `de`, `fr`. Of one gift.")


class OfferOut(BaseModel):
    """What donors can be asked."""

    degraded: bool = Field(description="True where no data is shared: then there is nothing to ask.")
    data: list[AskedOut]


class StandingOut(AskedOut):
    """How the donor has decided, and the words of the switch. `texts` are of all gifts."""

    extent: Extent = Field(
        description="`none`; `ticked`: of the gifts whose box was ticked; `all`: of all gifts, those to come too."
    )
    since: str | None

    @classmethod
    def of_donor(cls, standing: Standing) -> "StandingOut":
        """The wire form."""
        return cls(
            purpose=standing.purpose,
            wording=wording.NEWEST,
            texts=dict(wording.OWN_PAGE[wording.NEWEST][standing.purpose]),
            extent=standing.extent,
            since=iso_or_none(standing.since),
        )


class StandingList(BaseModel):
    """By purpose."""

    degraded: bool = Field(
        description="True where no data is shared: then `data` has only what was consented to before and can be taken back."
    )
    data: list[StandingOut]

    @classmethod
    def of_donor(cls, standings: Sequence[Standing], *, is_offered: bool) -> "StandingList":
        """The wire form."""
        shown = [each for each in standings if is_offered or each.extent is not Extent.NONE]
        return cls(degraded=not is_offered, data=[StandingOut.of_donor(each) for each in shown])


class DecisionIn(DataSharingIn):
    """What the donor decides of all their gifts, having read these words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shares: bool = Field(description="False takes back every consent, ticks beside gifts too.")


@router.get(
    "/v1/public/data-sharing",
    summary="See what donors are asked about sharing",
    tags=["Public"],
    dependencies=[Depends(limit_by_address("public"))],
    responses=responses(TooManyRequests),
)
def show_sharing_offer(is_offered: IsOffered) -> OfferOut:
    """A form shows these words beside a box that is not ticked, and sends `data_sharing` with the gift only if it is."""
    asked = wording.DONATION_PAGE[wording.NEWEST]
    data = [
        AskedOut(purpose=purpose, wording=wording.NEWEST, texts=dict(texts))
        for purpose, texts in asked.items()
    ]
    return OfferOut(degraded=not is_offered, data=data if is_offered else [])


@router.get(
    "/v1/donor/data-sharing",
    summary="See what one lets be shared",
    tags=["Donors"],
    dependencies=_LIMITED,
    responses=responses(recurring.LinkNotValid, TooManyRequests),
)
def show_data_sharing(caller: recurring.CallerOf, is_offered: IsOffered) -> StandingList:
    with caller.database.transaction() as session:
        found = service.standing(session, email_sha256=caller.email_sha256)
    return StandingList.of_donor(found, is_offered=is_offered)


@router.post(
    "/v1/donor/data-sharing",
    summary="Say what may be shared",
    tags=["Donors"],
    dependencies=_LIMITED,
    responses=responses(
        recurring.LinkNotValid, DataSharingNotAcceptable, DataSharingNotOffered, TooManyRequests
    ),
)
def change_data_sharing(body: DecisionIn, caller: recurring.CallerOf, is_offered: IsOffered) -> StandingList:
    """Counts from the answer on; sending it again changes nothing. Taking back works where no data is shared, too."""
    if body.shares and not is_offered:
        raise DataSharingNotOffered("No data is shared here: there is nothing to consent to.")
    with caller.database.transaction() as session:
        service.decide(
            session,
            email_sha256=caller.email_sha256,
            said=body.said(),
            shares=body.shares,
            now=caller.clock(),
        )
        found = service.standing(session, email_sha256=caller.email_sha256)
    return StandingList.of_donor(found, is_offered=is_offered)
