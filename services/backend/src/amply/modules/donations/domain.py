"""A donation's states and its transitions when its payment changes. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from amply.kernel.errors import InvalidRequest, NotFound
from amply.kernel.money import Money
from amply.modules.donations.data_sharing import DataSharing
from amply.modules.donations.options import GiftOptions
from amply.modules.payments import DisputeState, FeeCover, Method, PaymentStatus
from amply.modules.receipts import DonorFacts

RECEIPT_ATTEMPTS_MAX: Final = 10
DEDICATION_ATTEMPTS_MAX: Final = 5


class DonationStatus(StrEnum):
    """What a donor and an organisation see."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class Channel(StrEnum):
    """Whether a gift came through the processor, or the organisation recorded what it received itself."""

    ONLINE = "online"
    OFFLINE = "offline"


class RequestState(StrEnum):
    """Of a refund that an organisation asked for. `RECORDED`: there is a refund of this id, which says how it stands."""

    WAITING = "waiting"
    RECORDED = "recorded"
    REFUSED = "refused"


class OfflineMethod(StrEnum):
    """How an offline gift came."""

    CASH = "cash"
    CHEQUE = "cheque"
    BANK_TRANSFER = "bank_transfer"
    IN_KIND = "in_kind"


class Standing(StrEnum):
    """A gift's status and, once succeeded, refunds and disputes since.

    `CHARGED_BACK`: a dispute was lost, and the donor's bank has kept what it was about. `REVERSED`: it had been recorded
    wrongly.
    """

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"
    REVERSED = "reversed"


_OF_PAYMENT: Final = {
    PaymentStatus.CREATED: DonationStatus.PENDING,
    PaymentStatus.PENDING: DonationStatus.PENDING,
    PaymentStatus.PROCESSING: DonationStatus.PROCESSING,
    PaymentStatus.SUCCEEDED: DonationStatus.SUCCEEDED,
    PaymentStatus.FAILED: DonationStatus.FAILED,
    PaymentStatus.CANCELED: DonationStatus.CANCELED,
}

_OF_DISPUTE: Final = {DisputeState.OPEN: Standing.DISPUTED, DisputeState.LOST: Standing.CHARGED_BACK}


class Withheld(StrEnum):
    """Why a receipt is not sent. `SUPPRESSED`: the address bounced for good, or its owner complained.

    `NO_ADDRESS`: the donor of an offline gift gave no e-mail address; the receipt is issued, and staff print it.
    """

    SUPPRESSED = "suppressed"
    REFUNDED = "refunded"
    NO_ADDRESS = "no_address"


class FeeCoverChanged(InvalidRequest):
    """What the donor agreed to add is not what covers the fee."""

    code = "fee_cover_changed"


@dataclass(frozen=True, kw_only=True)
class CoveredFees:
    """Gifts with fee cover, summed by organisation, currency and payment method.

    Attributes:
        gifts: How many have arrived.
        fee_cover: What their donors added.
        known: How many of their fees are known.
        processor_fee: What those were.
        difference: What was added for those less what they were; below zero: it was not enough.
    """

    method: Method
    gifts: int
    fee_cover: Money
    known: int
    processor_fee: Money
    difference: Money


class DonationNotFound(NotFound):
    """No donation has this id."""

    code = "donation_not_found"


@dataclass(frozen=True, kw_only=True)
class Donor:
    """The donor. Personal: never in the log, erasable."""

    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class Gift:
    """A gift to be opened. `fee_cover` is added to `amount`. `data_sharing`: consent to share facts about it."""

    organization_id: str
    amount: Money
    donor: Donor
    message: str | None
    for_receipt: DonorFacts = field(default_factory=DonorFacts)
    options: GiftOptions = field(default_factory=GiftOptions)
    fee_cover: FeeCover | None = None
    data_sharing: DataSharing | None = None

    @property
    def total(self) -> Money:
        """Gift plus fee cover."""
        return self.amount if self.fee_cover is None else self.amount + self.fee_cover.amount


@dataclass(frozen=True, kw_only=True)
class Costs:
    """The donor's fee cover, and the processor's actual fee.

    Attributes:
        fee_cover: A part of the donation's amount; zero where the donor added nothing.
        method: The way to pay that it was quoted for.
        processor_fee: None while it is not known, and where it was taken in another currency.
    """

    fee_cover: Money
    method: Method | None
    processor_fee: Money | None

    @property
    def difference(self) -> Money | None:
        """Fee cover minus actual fee. None without cover, or if the fee is unknown."""
        if self.processor_fee is None or self.fee_cover.minor_units == 0:
            return None
        return self.fee_cover - self.processor_fee


@dataclass(frozen=True, kw_only=True)
class Donation:
    """One gift to one organisation. `entry_id` names its ledger entry once it has succeeded.

    `amount` is what the donor pays in all, with what they added for the processor's fee (`costs`).
    `refunded` is what went back to the donor by refunds that hold; nothing of it is below zero.
    `plan_id` names the plan of recurring gifts that it belongs to.
    """

    id: str
    organization_id: str
    amount: Money
    status: DonationStatus
    entry_id: str | None
    created_at: datetime
    refunded: Money
    dispute: DisputeState | None
    costs: Costs
    method: OfflineMethod | None = None
    is_reversed: bool = False
    fund_id: str | None = None
    plan_id: str | None = None
    is_erased: bool = False

    @property
    def channel(self) -> Channel:
        """Whether the processor saw it."""
        return Channel.ONLINE if self.method is None else Channel.OFFLINE

    @property
    def standing(self) -> Standing:
        """The gift's current state. A dispute, open or lost, hides refunds, since it is about the rest."""
        if self.status is not DonationStatus.SUCCEEDED:
            return Standing(self.status)
        if self.is_reversed:
            return Standing.REVERSED
        if self.dispute is not None:
            return _OF_DISPUTE[self.dispute]
        if self.refunded.minor_units == 0:
            return Standing.SUCCEEDED
        whole = self.refunded.minor_units >= self.amount.minor_units
        return Standing.REFUNDED if whole else Standing.PARTIALLY_REFUNDED

    @property
    def is_open(self) -> bool:
        """Whether it may still succeed."""
        return self.status in (DonationStatus.PENDING, DonationStatus.PROCESSING)


def status_of_payment(status: PaymentStatus) -> DonationStatus:
    """A donation's status for its payment's."""
    return _OF_PAYMENT[status]
