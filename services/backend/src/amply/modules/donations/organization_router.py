"""`/v1/organisations/{organization_id}/gifts`: the gifts of an organisation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from amply.infra.keyset import CursorOf
from amply.infra.web import Identifier, ParameterNotKnown, known_parameters, responses
from amply.kernel.clock import iso
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules import organizations
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.donations.domain import Channel, DonationNotFound, DonationStatus
from amply.modules.donations.options import Anonymity
from amply.modules.donations.organization_gifts import (
    GiftFilter,
    GiftSort,
    ReceivedGift,
    received,
    received_gift,
)
from amply.modules.donations.refund_requests import GiftRefund, refunds_of_gifts
from amply.modules.donations.refund_router import RefundOut
from amply.modules.donations.schemas import AmountOut, CostsOut

organization_router = APIRouter(prefix="/v1/organisations/{organization_id}/gifts", tags=["Gifts"])


class Expandable(StrEnum):
    """What a gift can be shown with."""

    FUND = "fund"
    REFUNDS = "refunds"


Expand = Annotated[
    list[Expandable], Query(description="What is shown besides, in the same answer", max_length=5)
]
Reading = Annotated[Access, allowed(Permission.GIFTS_READ)]


@dataclass(frozen=True, kw_only=True)
class _Besides:
    """Expanded objects of a list: funds by id, and refunds by gift."""

    funds: Mapping[str, organizations.Fund]
    refunds: Mapping[str, Sequence[GiftRefund]] | None


class DonorOut(BaseModel):
    """Who gave."""

    name: str | None
    email: str | None


class GiftFundOut(BaseModel):
    """What a gift is for."""

    id: str
    name: str
    kind: str = Field(description="`fund`, `project` or `campaign`.")


class ReceivedGiftOut(BaseModel):
    """A gift as the organisation sees it."""

    id: str
    status: str = Field(description="How its payment went.")
    standing: str = Field(description="What has become of it, as in `GET /v1/donations/{id}`.")
    amount: AmountOut = Field(description="What the donor pays in all.")
    costs: CostsOut
    refunded: AmountOut
    fund_id: str | None
    fund: GiftFundOut | None = Field(
        default=None,
        description="With `expand=fund`: what it is for; null where it is for none, and without.",
    )
    refunds: list[RefundOut] | None = Field(
        default=None,
        description="With `expand=refunds`: the oldest first, those that failed too; null without.",
    )
    plan_id: str | None = Field(
        description="The recurring gift it was collected for, as in `plan.*` events; null for a single one, and where it was erased."
    )
    channel: Channel
    may_be_named: bool = Field(description="Whether the donor lets the organisation name them in public.")
    donor: DonorOut | None = Field(
        description="Null until the gift has arrived, where you may not see donors, where this one keeps their name from the "
        "organisation, and where it was erased."
    )
    message: str | None = Field(
        description="What the donor wrote; null until the gift has arrived, and where you may not see donors."
    )
    created_at: str

    @classmethod
    def of(cls, gift: ReceivedGift, besides: "_Besides") -> "ReceivedGiftOut":
        """The organisation's view of a gift, with what else is shown of it."""
        donation = gift.donation
        fund = besides.funds.get(donation.fund_id or "")
        refunds = None if besides.refunds is None else besides.refunds.get(donation.id, ())
        is_known = gift.donor_name is not None or gift.donor_email is not None
        return cls(
            id=donation.id,
            status=donation.status,
            standing=donation.standing,
            amount=AmountOut.of(donation.amount),
            costs=CostsOut.of(donation.costs),
            refunded=AmountOut.of(donation.refunded),
            fund_id=donation.fund_id,
            plan_id=donation.plan_id,
            fund=None if fund is None else GiftFundOut(id=fund.id, name=fund.name, kind=fund.kind),
            refunds=None if refunds is None else [RefundOut.of(each) for each in refunds],
            channel=donation.channel,
            may_be_named=gift.anonymity is Anonymity.NONE,
            donor=DonorOut(name=gift.donor_name, email=gift.donor_email) if is_known else None,
            message=gift.message,
            created_at=iso(donation.created_at),
        )


class ReceivedGiftPage(BaseModel):
    """A page of gifts, the newest first; pass `next_cursor` as `cursor` for older ones."""

    data: list[ReceivedGiftOut]
    has_more: bool
    next_cursor: str | None


async def _filter(
    status: DonationStatus | None = None,
    fund_id: Identifier | None = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Begun then or later, with its offset.")] = None,
    before: Annotated[AwareDatetime | None, Query(description="Begun before then, with its offset.")] = None,
) -> GiftFilter:
    return GiftFilter(status=status, fund_id=fund_id, currency=currency, since=since, before=before)


@organization_router.get(
    "",
    summary="List one's own gifts, newest first",
    dependencies=[Depends(known_parameters)],
    responses=responses(*PROBLEMS, CursorNotAcceptable, ParameterNotKnown),
)
def list_own_gifts(
    access: Reading,
    wanted: Annotated[GiftFilter, Depends(_filter)],
    sort: GiftSort = GiftSort.NEWEST,
    expand: Expand = [],  # noqa: B006 -- FastAPI copies it, and documents it as the default
    cursor: CursorOf = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = 20,
) -> ReceivedGiftPage:
    with access.transaction() as session:
        page = received(session, access, wanted=wanted, sort=sort, cursor=cursor, limit=limit)
        besides = _besides(session, access, page.items, expand)
    return ReceivedGiftPage(
        data=[ReceivedGiftOut.of(gift, besides) for gift in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@organization_router.get(
    "/{donation_id}", summary="Show one of one's own gifts", responses=responses(*PROBLEMS, DonationNotFound)
)
def show_own_gift(
    donation_id: Identifier,
    access: Reading,
    expand: Expand = [],  # noqa: B006 -- as above
) -> ReceivedGiftOut:
    with access.transaction() as session:
        gift = received_gift(session, access, donation_id=donation_id)
        besides = _besides(session, access, [gift], expand)
    return ReceivedGiftOut.of(gift, besides)


def _besides(
    session: Session, access: Access, gifts: Sequence[ReceivedGift], expand: Sequence[Expandable]
) -> _Besides:
    found = (
        organizations.funds_of(session, organization_id=access.organization_id)
        if Expandable.FUND in expand
        else []
    )
    refunds = None
    if Expandable.REFUNDS in expand:
        refunds = refunds_of_gifts(session, access, donation_ids=[gift.donation.id for gift in gifts])
    return _Besides(funds={fund.id: fund for fund in found}, refunds=refunds)
