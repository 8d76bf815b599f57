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
        """Make somebody to keep methods for; the same plan always gets the same customer. Tells nothing personal."""

    def intent(self, *, remote_id: str, account_id: str) -> Intent:
        """An intent with what lets the donor's browser confirm it."""

    def charge(self, *, remote_id: str, account_id: str, method_id: str, idempotency_key: str) -> Charged:
        """Pay an intent with a kept method while its owner is not there; the same key is the same attempt.

        An intent is paid once, however often this is called.
        """

    def standing(self, *, remote_id: str, account_id: str) -> Charged:
        """How an intent stands."""

    def cancel(self, *, remote_id: str, account_id: str) -> PaymentStatus:
        """Give an intent up; its status afterwards, which is another one than canceled when it was paid before."""

    def method_of_intent(self, *, remote_id: str, account_id: str) -> SavedMethod | None:
        """What an intent was paid with, once it is kept; None before."""

    def begin_setup(self, *, customer_id: str, account_id: str, idempotency_key: str) -> Intent:
        """Let the donor's browser store another way to pay. The same key is the same setup."""

    def method_of_setup(self, *, remote_id: str, account_id: str) -> SavedMethod | None:
        """What was stored by a setup; None while it is not done."""
