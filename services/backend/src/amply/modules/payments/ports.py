"""Port of the payment processor. One contract suite runs against every implementation."""

from typing import Protocol

from amply.kernel.money import Money
from amply.modules.payments.domain import (
    Account,
    Attempt,
    Customer,
    Intent,
    OnboardingLink,
    RemoteDecline,
    Settlement,
)
from amply.modules.payments.returns import RefundReason, RemoteDispute, RemoteRefund, RemoteWarning


class Processor(Protocol):
    """A payment processor with direct charges: money goes to the organisation's own account, never through ours.

    Every method raises `ProcessorUnavailable` when no answer came and `ProcessorRefused` when the answer was no;
    `AccountUnreachable`, which is one of the latter, when we are shut out of the account. No method may be called inside a
    transaction.
    """

    @property
    def publishable_key(self) -> str:
        """The key a donor's browser uses."""

    def create_account(
        self, *, organization_id: str, name: str, country: str, email: str, number: int = 0
    ) -> Account:
        """Create an account for an organisation. Idempotent by organisation and number.

        `number` counts the accounts it had before, which are closed.
        """

    def account(self, *, account_id: str) -> Account:
        """The account's current state. `AccountUnreachable` if access is denied."""

    def create_intent(
        self,
        *,
        payment_id: str,
        donation_id: str,
        account_id: str,
        amount: Money,
        idempotency_key: str,
        customer: Customer | None = None,
    ) -> Intent:
        """Create a PaymentIntent. Idempotent by key."""

    def find_intent(self, *, payment_id: str, account_id: str) -> Intent | None:
        """The intent with our payment id, if there is one."""

    def cancel_intent(self, *, remote_id: str, account_id: str) -> None:
        """Cancel a payment that has not succeeded: no card can be tried on it any more.

        `ProcessorRefused` where there is nothing left to end.
        """

    def cancel_abandoned(self, *, remote_id: str, account_id: str) -> bool:
        """Cancel an unpaid payment; False if its donor holds something to pay it with (such as a voucher), and it stays
        open.

        A voucher, or a transfer's details: their day comes later. `ProcessorRefused` as of `cancel_intent`.
        """

    def cancel_setup(self, *, remote_id: str, account_id: str | None) -> None:
        """Cancel a setup that stores no card yet, on the platform if there is no account.

        `ProcessorRefused` where there is nothing left to end.
        """

    def declines(self, *, remote_id: str, account_id: str) -> tuple[RemoteDecline, ...]:
        """The latest hundred declined attempts of a payment, oldest first."""

    def setup_declines(self, *, remote_id: str, account_id: str | None) -> tuple[RemoteDecline, ...]:
        """The latest hundred declined attempts of a setup, oldest first."""

    def attempt(self, *, remote_id: str, account_id: str) -> Attempt:
        """A payment's current state, with its latest attempt."""

    def settlement(self, *, remote_id: str, account_id: str) -> Settlement:
        """Amounts that a succeeded payment moved."""

    def refunds(self, *, remote_id: str, account_id: str) -> tuple[RemoteRefund, ...]:
        """All refunds of a payment, oldest first, whoever made them."""

    def create_refund(
        self,
        *,
        refund_id: str,
        payment_id: str,
        remote_id: str,
        account_id: str,
        amount: Money,
        reason: RefundReason | None,
        idempotency_key: str,
    ) -> RemoteRefund:
        """Refund some or all of a payment. Idempotent by key."""

    def disputes(self, *, remote_id: str, account_id: str) -> tuple[RemoteDispute, ...]:
        """All disputes of a payment, oldest first, inquiries included."""

    def answer_dispute(self, *, dispute_id: str, account_id: str, words: str, submits: bool) -> RemoteDispute:
        """Attach a statement to a dispute; `submits` sends it to the bank, once and for all."""

    def fraud_warning(self, *, warning_id: str, account_id: str) -> RemoteWarning:
        """An early fraud warning."""


class AccountLinks(Protocol):
    """Creates links to hosted onboarding. May not be called inside a transaction."""

    def onboarding(self, *, account_id: str, again_url: str, back_url: str) -> OnboardingLink:
        """A new link for this account. It returns to `back_url`, or to `again_url` if used or expired.

        Raises:
            ProcessorUnavailable, ProcessorRefused, AccountUnreachable: As `Processor` says.
        """
