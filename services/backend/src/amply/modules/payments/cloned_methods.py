"""One payment method for payments on several accounts: saved on the platform, and cloned to each account.

https://docs.stripe.com/connect/direct-charges-multiple-accounts: the donor enters it once, in a setup that belongs to the
platform; every payment stays a direct charge on the organisation's own account. No money passes through the platform.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Paid(StrEnum):
    """What became of trying to pay. `NEEDS_DONOR`: the bank asks them; `UNKNOWN`: nobody answered, ask again."""

    PAID = "paid"
    UNDER_WAY = "under_way"
    NEEDS_DONOR = "needs_donor"
    DECLINED = "declined"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A SetupIntent on the platform, whose `client_secret` lets the donor's browser enter a payment method."""

    remote_id: str
    client_secret: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Outcome of one payment. `client_secret` lets the browser authenticate it on the organisation's account."""

    paid: Paid
    client_secret: str | None = None


class PaymentMethodCloning(Protocol):
    """A processor that clones payment methods to connected accounts.

    Every method raises `ProcessorUnavailable` when no answer came and `ProcessorRefused` when the answer was no.
    No method may be called inside a transaction.
    """

    @property
    def publishable_key(self) -> str:
        """The key a donor's browser uses."""

    def open_payer(self, *, split_id: str) -> str:
        """Create a platform customer for a gift, without personal data. Idempotent by gift."""

    def open_setup(self, *, split_id: str, payer_id: str, number: int) -> Setup:
        """Create a SetupIntent. Idempotent by gift and number."""

    def method_of(self, *, setup_id: str) -> str | None:
        """The payment method that the donor entered, or None."""

    def pay(self, *, remote_id: str, account_id: str, payer_id: str, method_id: str) -> Outcome:
        """Clone the method to an account and confirm an intent there, unless it is paid or under way.

        An intent is paid once, whoever asks how often: what was paid stays paid, and is told again.
        """

    def release(self, *, payer_id: str) -> None:
        """Delete the customer with all saved methods. Idempotent."""
