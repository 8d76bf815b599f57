"""A gift split among several organisations: its parts, and its state as a whole. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from amply.kernel.errors import Conflict, NotFound
from amply.kernel.money import Money
from amply.modules import payments
from amply.modules.donations.domain import DonationStatus, Gift

KEPT: Final = timedelta(days=1)
"""How long a payment method is kept for parts that failed."""


class SplitStatus(StrEnum):
    """Of the gift as a whole. `PARTLY_SUCCEEDED`: nothing is open, some arrived, and the rest can be tried again."""

    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    PARTLY_SUCCEEDED = "partly_succeeded"
    FAILED = "failed"


class SplitGiftNotFound(NotFound):
    """No gift to several organisations has this id."""

    code = "split_gift_not_found"


class SplitGiftClosed(Conflict):
    """The gift's payment method is forgotten: all parts are paid, or a day has passed."""

    code = "split_gift_closed"


class PaymentMethodMissing(Conflict):
    """The donor has not entered a payment method yet."""

    code = "payment_method_missing"


class SetupsUsedUp(Conflict):
    """As many payment methods were asked for as may be, or too many cards declined."""

    code = "setups_used_up"


@dataclass(frozen=True, kw_only=True)
class SplitPart:
    """One organisation's part: a donation of its own, with its own payment, receipt and ledger entry.

    `amount` is what the donor pays for it, `fee_cover` what of that they add for the fee. `outcome` is what the processor has
    just said; None where it was not asked.
    """

    donation_id: str
    organization_id: str
    amount: Money
    fee_cover: Money
    status: DonationStatus
    account_id: str
    outcome: payments.SharedOutcome | None = None


@dataclass(frozen=True, kw_only=True)
class SplitGift:
    """One gift to 2 to 10 organisations, in one currency, from one donor, with one payment method."""

    id: str
    parts: tuple[SplitPart, ...]
    created_at: datetime

    @property
    def status(self) -> SplitStatus:
        """The status of the gift as a whole."""
        return status_of_parts([part.status for part in self.parts])


@dataclass(frozen=True, kw_only=True)
class NewSplitGift:
    """A split gift to open: one gift for each organisation."""

    gifts: tuple[Gift, ...]


def status_of_parts(statuses: Collection[DonationStatus]) -> SplitStatus:
    """The status of a split gift with these parts. Open parts take precedence."""
    told = set(statuses)
    if told == {DonationStatus.SUCCEEDED}:
        return SplitStatus.SUCCEEDED
    if DonationStatus.PENDING in told:
        return SplitStatus.PENDING
    if DonationStatus.PROCESSING in told:
        return SplitStatus.PROCESSING
    return SplitStatus.PARTLY_SUCCEEDED if DonationStatus.SUCCEEDED in told else SplitStatus.FAILED
