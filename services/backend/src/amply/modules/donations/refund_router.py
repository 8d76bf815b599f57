"""`/v1/organisations/{organization_id}/gifts/{donation_id}/refunds`: an organisation refunds its own gifts."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from amply.infra.idempotency import IdempotencyKeyMissing, IdempotencyKeyReused
from amply.infra.web import Identifier, responses
from amply.kernel.clock import iso
from amply.kernel.money import AmountNotAcceptable, CurrencyNotSupported, Money
from amply.modules.access import PROBLEMS, Access, Permission, allowed
from amply.modules.donations import refund_requests
from amply.modules.donations.domain import DonationNotFound
from amply.modules.donations.refund_requests import GiftRefund, GiftRefundStatus, RefundNotFound
from amply.modules.donations.refunds import (
    DonationNotRefundable,
    RefundAmountNotAcceptable,
    RefundNotFinished,
)
from amply.modules.donations.schemas import AmountIn, AmountOut, Request
from amply.modules.ledger import ReversalExceedsOriginal
from amply.modules.payments import RefundReason

refund_router = APIRouter(
    prefix="/v1/organisations/{organization_id}/gifts/{donation_id}/refunds", tags=["Gifts"]
)


class RefundReasonShown(StrEnum):
    """Stripe's words."""

    REQUESTED_BY_CUSTOMER = "requested_by_customer"
    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"


_REASONS: Final[Mapping[RefundReasonShown, RefundReason]] = {
    RefundReasonShown.REQUESTED_BY_CUSTOMER: RefundReason.REQUESTED_BY_DONOR,
    RefundReasonShown.DUPLICATE: RefundReason.DUPLICATE,
    RefundReasonShown.FRAUDULENT: RefundReason.FRAUDULENT,
}
_SHOWN: Final = {reason: shown for shown, reason in _REASONS.items()}


class RefundIn(Request):
    """A refund to be made."""

    amount: AmountIn | None = Field(
        default=None, description="In the gift's currency; without it, all that is left goes back."
    )
    reason: RefundReasonShown = Field(
        description="Stands in the public ledger, `requested_by_customer` as `requested_by_donor`. `fraudulent` also puts the card "
        "on Stripe's block lists."
    )

    def money(self) -> Money | None:
        """The amount that is asked for.

        Raises:
            CurrencyNotSupported, AmountNotAcceptable: As `Money.parse` says.
        """
        if self.amount is None:
            return None
        return Money.parse(minor_units=self.amount.minor_units, currency=self.amount.currency)


class RefundOut(BaseModel):
    """A refund of a gift, whoever made it."""

    id: str
    donation_id: str
    amount: AmountOut
    status: GiftRefundStatus = Field(
        description="`requested` until Stripe has it; then as Stripe says. The gift's `refunded` follows once the money has moved."
    )
    reason: RefundReasonShown | None = Field(
        description="Null where one was made on Stripe's dashboard and none was named."
    )
    failure_code: str | None = Field(
        description="Of one that `failed` before Stripe had it: the problem's code, such as `refund_refused`."
    )
    created_at: str

    @classmethod
    def of(cls, refund: GiftRefund) -> "RefundOut":
        """The organisation's view of a refund."""
        return cls(
            id=refund.id,
            donation_id=refund.donation_id,
            amount=AmountOut.of(refund.amount),
            status=refund.status,
            reason=None if refund.reason is None else _SHOWN[refund.reason],
            failure_code=refund.failure_code,
            created_at=iso(refund.created_at),
        )


@refund_router.post(
    "",
    status_code=202,
    summary="Refund one of one's own gifts",
    responses=responses(
        *PROBLEMS,
        AmountNotAcceptable,
        CurrencyNotSupported,
        DonationNotFound,
        DonationNotRefundable,
        IdempotencyKeyMissing,
        IdempotencyKeyReused,
        RefundAmountNotAcceptable,
        RefundNotFinished,
        RefundNotFound,
        ReversalExceedsOriginal,
    ),
)
def refund_gift(
    donation_id: Identifier,
    body: RefundIn,
    access: Annotated[Access, allowed(Permission.GIFTS_REFUND)],
    idempotency_key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", description="Fresh for each refund; 1 to 255 visible ASCII"),
    ] = None,
) -> RefundOut:
    """It is made at once after this answer; look at it until its status is no longer `requested`. The processor's fee does not come back."""
    return RefundOut.of(
        refund_requests.request_refund(
            access,
            donation_id=donation_id,
            amount=body.money(),
            reason=_REASONS[body.reason],
            key=idempotency_key,
        )
    )


@refund_router.get(
    "/{refund_id}", summary="See how a refund stands", responses=responses(*PROBLEMS, RefundNotFound)
)
def show_refund(
    donation_id: Identifier,
    refund_id: Identifier,
    access: Annotated[Access, allowed(Permission.GIFTS_READ)],
) -> RefundOut:
    with access.transaction() as session:
        found = refund_requests.find_refund(session, access, donation_id=donation_id, refund_id=refund_id)
    return RefundOut.of(found)
