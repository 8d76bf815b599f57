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
        """Open an account for an organisation; the same organisation and number always get the same account.

        `number` counts the accounts it had before, which are closed.
        """

    def account(self, *, account_id: str) -> Account:
        """The account as it stands. `AccountUnreachable` where we are shut out of it."""

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
        """Announce a payment. The same idempotency key always yields the same intent."""

    def find_intent(self, *, payment_id: str, account_id: str) -> Intent | None:
        """The intent that carries our payment id, if one was ever made."""

    def cancel_intent(self, *, remote_id: str, account_id: str) -> None:
        """End a payment that has not succeeded: no card can be tried for it any more.

        `ProcessorRefused` where there is nothing left to end.
        """

    def cancel_abandoned(self, *, remote_id: str, account_id: str) -> bool:
        """The same of a payment that nobody pays; False where its donor has something in hand to pay it with, and it stays open.

        A voucher, or a transfer's details: their day comes later. `ProcessorRefused` as of `cancel_intent`.
        """

    def cancel_setup(self, *, remote_id: str, account_id: str | None) -> None:
        """End a setup that stores no card yet; on the platform itself where there is no account.

        `ProcessorRefused` where there is nothing left to end.
        """

    def declines(self, *, remote_id: str, account_id: str) -> tuple[RemoteDecline, ...]:
        """The newest hundred declined attempts of a payment, the oldest first."""

    def setup_declines(self, *, remote_id: str, account_id: str | None) -> tuple[RemoteDecline, ...]:
        """The same of a setup: the newest hundred attempts to store a card that were declined."""

    def attempt(self, *, remote_id: str, account_id: str) -> Attempt:
        """How a payment stands now, and which attempt to pay is the newest."""

    def settlement(self, *, remote_id: str, account_id: str) -> Settlement:
        """What a succeeded payment moved."""

    def refunds(self, *, remote_id: str, account_id: str) -> tuple[RemoteRefund, ...]:
        """Every refund of a payment as it stands, the oldest first, whoever made it."""

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
        """Give some or all of a payment back. The same idempotency key always yields the same refund."""

    def disputes(self, *, remote_id: str, account_id: str) -> tuple[RemoteDispute, ...]:
        """Every dispute of a payment as it stands, the oldest first, inquiries included."""

    def answer_dispute(self, *, dispute_id: str, account_id: str, words: str, submits: bool) -> RemoteDispute:
        """Lay a statement beside a dispute; `submits` hands it to the bank, once and for all."""

    def fraud_warning(self, *, warning_id: str, account_id: str) -> RemoteWarning:
        """A card issuer's warning of fraud."""


class AccountLinks(Protocol):
    """Creates links to hosted onboarding. May not be called inside a transaction."""

    def onboarding(self, *, account_id: str, again_url: str, back_url: str) -> OnboardingLink:
        """A new link for this account. It leads back to `back_url`, or to `again_url` when it was used or is too old.

        Raises:
            ProcessorUnavailable, ProcessorRefused, AccountUnreachable: As `Processor` says.
        """
