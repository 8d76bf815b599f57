"""Port for saved payment methods and off-session charges."""

from dataclasses import dataclass
from typing import Protocol

from amply.modules.payments.domain import Intent, PaymentStatus


@dataclass(frozen=True, kw_only=True)
class SavedMethod:
    """A payment method saved with a customer.

    Attributes:
        kind: The processor's word: `card`, `sepa_debit`, …
        last4: Its last four characters, for the donor to recognise it; empty where it has none.
        mandate_id: The donor's word that it may be debited; None where the kind knows none.
    """

    id: str
    kind: str
    last4: str
    mandate_id: str | None


@dataclass(frozen=True, kw_only=True)
class Decline:
    """Decline code of a charge; `advice` is the card issuer's, if given."""

    code: str
    advice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Charged:
    """An intent's state after a charge. `decline`: why it failed, if known."""

    status: PaymentStatus
    decline: Decline | None = None


class SavedMethods(Protocol):
    """A processor that saves payment methods on the organisations' own accounts.

    Every method raises `ProcessorUnavailable` when no answer came and `ProcessorRefused` when the answer was no.
    No method may be called inside a transaction.
    """

    def create_customer(self, *, plan_id: str, account_id: str) -> str:
        """Create a customer without personal data. Idempotent by plan."""

    def intent(self, *, remote_id: str, account_id: str) -> Intent:
        """Create an intent for on-session confirmation."""

    def charge(self, *, remote_id: str, account_id: str, method_id: str, idempotency_key: str) -> Charged:
        """Charge a saved method off-session. Idempotent by key.

        An intent is paid once, however often this is called.
        """

    def standing(self, *, remote_id: str, account_id: str) -> Charged:
        """An intent's state."""

    def cancel(self, *, remote_id: str, account_id: str) -> PaymentStatus:
        """Cancel an intent; returns its status, which is not canceled if it was paid before."""

    def method_of_intent(self, *, remote_id: str, account_id: str) -> SavedMethod | None:
        """The saved payment method of an intent, or None."""

    def begin_setup(self, *, customer_id: str, account_id: str, idempotency_key: str) -> Intent:
        """Create a SetupIntent to store another payment method. Idempotent by key."""

    def method_of_setup(self, *, remote_id: str, account_id: str) -> SavedMethod | None:
        """The payment method stored by a setup, or None."""
