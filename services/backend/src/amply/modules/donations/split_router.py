"""`/v1/split-gifts`: one gift to several organisations, with one payment method."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from amply.infra.rate_limits import limit_by_address
from amply.infra.web import ClockOf, DatabaseOf, Identifier, responses
from amply.kernel.errors import TooManyRequests
from amply.kernel.money import AmountNotAcceptable, CurrencyNotSupported
from amply.modules import defence, organizations, payments
from amply.modules.donations import service, split_rows, splits
from amply.modules.donations.admission import OPENING_PROBLEMS, AdmissionOf, answered
from amply.modules.donations.split_domain import (
    PaymentMethodMissing,
    SetupsUsedUp,
    SplitGiftClosed,
    SplitGiftNotFound,
)
from amply.modules.donations.split_schemas import (
    SetupOut,
    SplitGiftCreated,
    SplitGiftIn,
    SplitGiftOut,
    SplitNotAcceptable,
    SplitQuoteIn,
    SplitQuoteOut,
)

router = APIRouter(prefix="/v1/split-gifts", tags=["Donations"])


async def _splitting(request: Request, database: DatabaseOf, clock: ClockOf) -> splits.SplitGiftDependencies:
    state = request.app.state
    return splits.SplitGiftDependencies(
        database=database, processor=state.processor, method_cloning=state.method_cloning, clock=clock
    )


SplittingOf = Annotated[splits.SplitGiftDependencies, Depends(_splitting)]
_limited = [Depends(limit_by_address("split_payments"))]


@router.post(
    "",
    status_code=201,
    summary="Give to several organisations at once",
    response_model=SplitGiftCreated,
    responses=responses(*OPENING_PROBLEMS, SplitNotAcceptable),
)
def create_split_gift(body: SplitGiftIn, parts: SplittingOf, admission: AdmissionOf) -> JSONResponse:
    split = body.split()
    answer = splits.give_to_many(
        parts,
        split=split,
        key=admission.key,
        request=body.model_dump(mode="json"),
        marks=admission.admit(*split.gifts),
    )
    return answered(answer)


@router.post(
    "/quote",
    summary="See how a gift is divided, and what covers the fee of each part",
    dependencies=[Depends(limit_by_address("quotes"))],
    responses=responses(
        AmountNotAcceptable,
        CurrencyNotSupported,
        organizations.OrganizationNotFound,
        SplitNotAcceptable,
        TooManyRequests,
    ),
)
def quote_split_gift(body: SplitQuoteIn, database: DatabaseOf) -> SplitQuoteOut:
    divided = body.divided()
    with database.transaction() as session:
        quoted = [
            (part, amount, service.quotes(session, organization_id=part.organization_id, gift=amount))
            for part, amount in divided
        ]
    return SplitQuoteOut.of(quoted)


@router.post(
    "/{split_id}/payments",
    summary="Pay all parts that are not paid, with the method that was entered",
    description="Safe to repeat: what is paid is not paid again. What was declined is tried again.",
    dependencies=_limited,
    responses=responses(
        SplitGiftNotFound,
        SplitGiftClosed,
        PaymentMethodMissing,
        payments.OrganizationNotReady,
        payments.ProcessorUnavailable,
        TooManyRequests,
    ),
)
def pay_split_gift(split_id: Identifier, parts: SplittingOf) -> SplitGiftOut:
    return SplitGiftOut.of(splits.pay_parts(parts, split_id=split_id))


@router.post(
    "/{split_id}/setups",
    status_code=201,
    summary="Let the donor enter another payment method for the parts that failed",
    dependencies=_limited,
    responses=responses(
        SplitGiftNotFound,
        SplitGiftClosed,
        PaymentMethodMissing,
        SetupsUsedUp,
        defence.ChallengeRequired,
        payments.ProcessorRefused,
        payments.ProcessorUnavailable,
        TooManyRequests,
    ),
)
def create_setup(split_id: Identifier, parts: SplittingOf, admission: defence.CardAdmissionOf) -> SetupOut:
    """The gate is asked as for a gift. A challenge is solved for this setup: nothing but its solution is sent with it again."""
    return splits.new_setup(parts, split_id=split_id, admit=admission.admit)


@router.get(
    "/{split_id}",
    summary="See how a gift to several organisations stands",
    dependencies=[Depends(limit_by_address("gift_standing"))],
    responses=responses(SplitGiftNotFound, TooManyRequests),
)
def show_split_gift(split_id: Identifier, database: DatabaseOf) -> SplitGiftOut:
    with database.transaction() as session:
        return SplitGiftOut.of(split_rows.get(session, split_id=split_id))
