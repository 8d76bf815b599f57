"""What the `data` of each type of event says. Nothing else is recorded, and the API's document shows these as its webhooks.

The values are those of the modules that record, which stand above this one; tests/backend/unit/test_event_payloads.py holds them equal.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

from amply.kernel.money import Money
from amply.modules.public_events.domain import EventType


class GiftMethod(StrEnum):
    """How a gift came that did not come through the processor."""

    CASH = "cash"
    CHEQUE = "cheque"
    BANK_TRANSFER = "bank_transfer"
    IN_KIND = "in_kind"


class GiftDispute(StrEnum):
    """How the dispute of a gift stands. `lost`: the donor's bank has kept the money."""

    OPEN = "open"
    LOST = "lost"


class PlanReason(StrEnum):
    """Why a recurring gift is paused or over (docs/webhooks.md)."""

    DONOR = "donor"
    STAFF = "staff"
    DECLINED = "declined"
    REFUSED = "refused"
    ORGANIZATION = "organization"
    UNREACHABLE = "unreachable"
    CONDITIONS = "conditions"
    CONTESTED = "contested"
    ERASED = "erased"


class Payload(BaseModel):
    """What an event says. Nothing in it is personal: ids, amounts, states."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EventAmount(Payload):
    """An amount as the API writes amounts: minor units as a string, beside the currency."""

    minor_units: str
    currency: str

    @classmethod
    def of(cls, amount: Money) -> Self:
        """What is said of `amount`."""
        return cls(minor_units=str(amount.minor_units), currency=amount.currency)


class GiftSucceeded(Payload):
    """A gift has arrived and is booked."""

    donation_id: str
    amount: EventAmount = Field(description="What the donor gave in all.")
    fund_id: str | None
    method: GiftMethod | None = Field(description="Null: it came through the processor.")
    plan_id: str | None = Field(description="The recurring gift it was collected for; null for a single one.")


class GiftRefunded(Payload):
    """How much of a gift went back has changed."""

    donation_id: str
    refunded: EventAmount = Field(description="All that stands as gone back now.")


class GiftDisputed(Payload):
    """How a gift's dispute stands has changed."""

    donation_id: str
    dispute_state: GiftDispute | None = Field(
        description="Null: nothing is disputed any more, and the money is back."
    )


class GiftReversed(Payload):
    """A gift that did not come through the processor was taken out of the books."""

    donation_id: str


class PayoutChanged(Payload):
    """A payout has arrived, or came back."""

    payout_id: str
    amount: EventAmount = Field(description="Below zero: it was taken from the bank account.")
    arrives_on: date


class PlanChanged(Payload):
    """A recurring gift began, was paused, goes on or is over."""

    plan_id: str
    amount: EventAmount = Field(
        description="What is given each time, without what is added for the processor's fee."
    )
    reason: PlanReason | None = Field(description="Null where it began or goes on.")


PAYLOADS: Final[Mapping[EventType, type[Payload]]] = {
    EventType.DONATION_SUCCEEDED: GiftSucceeded,
    EventType.DONATION_REFUNDED: GiftRefunded,
    EventType.DONATION_DISPUTED: GiftDisputed,
    EventType.DONATION_REVERSED: GiftReversed,
    EventType.PAYOUT_PAID: PayoutChanged,
    EventType.PAYOUT_FAILED: PayoutChanged,
    EventType.PLAN_STARTED: PlanChanged,
    EventType.PLAN_PAUSED: PlanChanged,
    EventType.PLAN_RESUMED: PlanChanged,
    EventType.PLAN_ENDED: PlanChanged,
}
