"""Direct charges on the organisations' own Stripe accounts (Connect, Accounts v2: docs.stripe.com/connect/accounts-v2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import stripe
import structlog
from stripe.params import PaymentIntentCreateParams, RefundCreateParams

from amply.adapters.stripe.connections import SharedConnections
from amply.adapters.stripe.returns import REASONS, remote_dispute, remote_refund, remote_warning
from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.settings import StripeSettings
from amply.kernel.money import Money
from amply.modules.payments import (
    Account,
    AccountStatus,
    AccountUnreachable,
    Attempt,
    Customer,
    Intent,
    PaymentStatus,
    ProcessorRefused,
    ProcessorUnavailable,
    RefundReason,
    RemoteDecline,
    RemoteDispute,
    RemoteRefund,
    RemoteWarning,
    Settlement,
)

_log = structlog.get_logger()

_RETRIES_MAX: Final = 2
_HTTP_CONFLICT: Final = 409
_HTTP_NOT_FOUND: Final = 404
_SHUT_OUT: Final = "account_invalid"
"""Stripe's error code for an account that the platform cannot access (any more)."""
_MERCHANT: Final = "configuration.merchant"
_PAGE: Final = 100
_RETURNS_MAX: Final = 1_000
"""Refunds or disputes read for one payment; usually a handful."""
_ATTEMPTS: Final = {
    "processing": PaymentStatus.PROCESSING,
    "succeeded": PaymentStatus.SUCCEEDED,
    "canceled": PaymentStatus.CANCELED,
}
_AT_ONCE: Final = frozenset({"redirect_to_url", "use_stripe_sdk"})
"""Next actions that happen while the donor is at the form (docs.stripe.com/api/payment_intents/object, "next_action")."""
_CAPABILITY: Final = frozenset({"active", "pending", "rejected", "restricted", "unsupported"})
_MOVEMENTS: Final = ("balance_transaction", "failure_balance_transaction")


class StripeProcessor:
    """Implements `payments.Processor`. Thread-safe; built once per process."""

    def __init__(self, settings: StripeSettings) -> None:
        self._publishable_key = settings.publishable_key
        self._client = client_for(settings)

    @property
    def publishable_key(self) -> str:
        return self._publishable_key

    def create_account(
        self, *, organization_id: str, name: str, country: str, email: str, number: int = 0
    ) -> Account:
        """Create an account with a full dashboard, for which Stripe and the organisation bear fees and losses.

        `losses_collector: stripe` allows direct charges only: money can never pass through an account of ours.
        """
        with translated("create account"):
            account = self._client.v2.core.accounts.create(
                {
                    "display_name": name,
                    "contact_email": email,
                    "dashboard": "full",
                    "identity": {"country": country.lower(), "entity_type": "non_profit"},
                    "defaults": {
                        "responsibilities": {"fees_collector": "stripe", "losses_collector": "stripe"}
                    },
                    "configuration": {"merchant": {"capabilities": {"card_payments": {"requested": True}}}},
                    "metadata": {"amply_organization_id": organization_id},
                    "include": [_MERCHANT],
                },
                {
                    "idempotency_key": f"organization:{organization_id}:account{f':{number}' if number else ''}"
                },
            )
            return _account(account)

    def account(self, *, account_id: str) -> Account:
        try:
            with translated("retrieve account"):
                return _account(self._client.v2.core.accounts.retrieve(account_id, {"include": [_MERCHANT]}))
        except ProcessorRefused as refused:
            if getattr(refused.__cause__, "http_status", None) == _HTTP_NOT_FOUND:
                raise AccountUnreachable(refused.detail) from refused
            raise

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
        asked: PaymentIntentCreateParams = {
            "amount": amount.minor_units,
            "currency": amount.currency.lower(),
            "automatic_payment_methods": {"enabled": True},
            "metadata": {"amply_payment_id": payment_id, "amply_donation_id": donation_id},
        }
        if customer is not None:
            _keep(asked, customer)
        with translated("create payment intent"):
            intent = self._client.v1.payment_intents.create(
                asked, {"idempotency_key": idempotency_key, "stripe_account": account_id}
            )
            return _intent(intent)

    def find_intent(self, *, payment_id: str, account_id: str) -> Intent | None:
        """Search by our id in the metadata. The index may lag by a minute, which is why the completer waits that long."""
        with translated("search payment intents"):
            found = self._client.v1.payment_intents.search(
                {"query": f"metadata['amply_payment_id']:'{payment_id}'", "limit": 1},
                {"stripe_account": account_id},
            )
            return _intent(found.data[0]) if found.data else None

    def cancel_intent(self, *, remote_id: str, account_id: str) -> None:
        """Cancel with a neutral reason, which says nothing about the donor."""
        with translated("cancel payment intent"):
            self._client.v1.payment_intents.cancel(
                remote_id, {"cancellation_reason": "abandoned"}, {"stripe_account": account_id}
            )

    def cancel_abandoned(self, *, remote_id: str, account_id: str) -> bool:
        """What leads to the donor's bank at once has been left by now; vouchers and transfers take days."""
        with translated("retrieve payment intent"):
            intent = self._client.v1.payment_intents.retrieve(remote_id, None, {"stripe_account": account_id})
        action = intent.next_action
        if intent.status == "processing" or (action is not None and action.type not in _AT_ONCE):
            return False
        self.cancel_intent(remote_id=remote_id, account_id=account_id)
        return True

    def cancel_setup(self, *, remote_id: str, account_id: str | None) -> None:
        with translated("cancel setup intent"):
            self._client.v1.setup_intents.cancel(
                remote_id, {"cancellation_reason": "abandoned"}, _on(account_id)
            )

    def declines(self, *, remote_id: str, account_id: str) -> tuple[RemoteDecline, ...]:
        """Each attempt is a charge of its own (docs.stripe.com/api/charges): those that failed."""
        with translated("list charges"):
            listed = self._client.v1.charges.list(
                {"payment_intent": remote_id, "limit": _PAGE}, {"stripe_account": account_id}
            )
            return tuple(_decline(charge) for charge in reversed(listed.data) if charge.status == "failed")

    def setup_declines(self, *, remote_id: str, account_id: str | None) -> tuple[RemoteDecline, ...]:
        """Each attempt to store a card is a SetupAttempt (docs.stripe.com/api/setup_attempts): those that failed."""
        with translated("list setup attempts"):
            listed = self._client.v1.setup_attempts.list(
                {"setup_intent": remote_id, "limit": _PAGE}, _on(account_id)
            )
            return tuple(_decline(tried) for tried in reversed(listed.data) if tried.status == "failed")

    def attempt(self, *, remote_id: str, account_id: str) -> Attempt:
        with translated("retrieve payment intent"):
            intent = self._client.v1.payment_intents.retrieve(remote_id, None, {"stripe_account": account_id})
            charge: Any = intent.latest_charge
            has_failed = intent.status == "requires_payment_method" and intent.last_payment_error is not None
            return Attempt(
                status=PaymentStatus.FAILED
                if has_failed
                else _ATTEMPTS.get(intent.status, PaymentStatus.PENDING),
                name=charge if isinstance(charge, str) or charge is None else str(charge.id),
            )

    def settlement(self, *, remote_id: str, account_id: str) -> Settlement:
        """The gross is what the donor paid; the fee is the processor's own, and counts only in the gift's currency.

        An account that settles in another currency has its fee booked from its payout, where the exchange is known.
        """
        with translated("retrieve payment intent"):
            intent = self._client.v1.payment_intents.retrieve(
                remote_id, {"expand": ["latest_charge.balance_transaction"]}, {"stripe_account": account_id}
            )
            currency = intent.currency.upper()
            balance: Any = getattr(intent.latest_charge, "balance_transaction", None)
            settled_here = (
                isinstance(balance, stripe.BalanceTransaction) and balance.currency.upper() == currency
            )
            return Settlement(
                gross=Money(minor_units=intent.amount_received, currency=currency),
                fee=Money(minor_units=_own_fee(balance), currency=currency) if settled_here else None,
            )

    def refunds(self, *, remote_id: str, account_id: str) -> tuple[RemoteRefund, ...]:
        with translated("list refunds"):
            listed = self._client.v1.refunds.list(
                {
                    "payment_intent": remote_id,
                    "limit": _PAGE,
                    "expand": [f"data.{name}" for name in _MOVEMENTS],
                },
                {"stripe_account": account_id},
            )
            newest_first = [remote_refund(each) for each in islice(listed.auto_paging_iter(), _RETURNS_MAX)]
            return tuple(reversed(newest_first))

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
        """Refund a charge on the organisation's account, without refunding the application fee."""
        asked: RefundCreateParams = {
            "payment_intent": remote_id,
            "amount": amount.minor_units,
            "metadata": {"amply_refund_id": refund_id, "amply_payment_id": payment_id},
            "expand": list(_MOVEMENTS),
        }
        if reason is not None:
            asked["reason"] = REASONS[reason]
        with translated("create refund"):
            made = self._client.v1.refunds.create(
                asked, {"idempotency_key": idempotency_key, "stripe_account": account_id}
            )
            return remote_refund(made)

    def disputes(self, *, remote_id: str, account_id: str) -> tuple[RemoteDispute, ...]:
        with translated("list disputes"):
            listed = self._client.v1.disputes.list(
                {"payment_intent": remote_id, "limit": _PAGE}, {"stripe_account": account_id}
            )
            newest_first = [remote_dispute(each) for each in islice(listed.auto_paging_iter(), _RETURNS_MAX)]
            return tuple(reversed(newest_first))

    def answer_dispute(self, *, dispute_id: str, account_id: str, words: str, submits: bool) -> RemoteDispute:
        with translated("update dispute"):
            return remote_dispute(
                self._client.v1.disputes.update(
                    dispute_id,
                    {"evidence": {"uncategorized_text": words}, "submit": submits},
                    {"stripe_account": account_id},
                )
            )

    def fraud_warning(self, *, warning_id: str, account_id: str) -> RemoteWarning:
        with translated("retrieve early fraud warning"):
            return remote_warning(
                self._client.v1.radar.early_fraud_warnings.retrieve(
                    warning_id, None, {"stripe_account": account_id}
                )
            )


def client_for(settings: StripeSettings) -> stripe.StripeClient:
    """An SDK client with our limits of time and retries."""
    return stripe.StripeClient(
        settings.secret_key.get_secret_value(),
        base_addresses={"api": settings.api_url},
        max_network_retries=_RETRIES_MAX,
        http_client=SharedConnections(),
    )


@contextmanager
def translated(call: str) -> Iterator[None]:
    """Translate the SDK's errors into the port's, and refuse to run inside a transaction."""
    forbid_transaction(f"Stripe: {call}")
    try:
        with tracing.call(f"Stripe: {call}"):
            yield
    except (stripe.InvalidRequestError, stripe.PermissionError, stripe.CardError) as error:
        if error.http_status == _HTTP_CONFLICT:
            raise ProcessorUnavailable(
                "The same payment is being made right now; repeat the request shortly."
            ) from error
        code = error.code or getattr(error.error, "code", None)
        _log.warning("stripe_refused", call=call, code=code, stripe_request=error.request_id)
        if code == _SHUT_OUT:
            raise AccountUnreachable(
                "The payment processor no longer lets us act for this organisation; ask it for another way to give."
            ) from error
        raise ProcessorRefused(
            "The payment processor refused this payment; check the organisation's account and the amount."
        ) from error
    except stripe.StripeError as error:
        _log.warning(
            "stripe_did_not_answer", call=call, error=type(error).__name__, stripe_request=error.request_id
        )
        raise ProcessorUnavailable(
            "The payment processor does not answer; repeat the request with the same Idempotency-Key."
        ) from error


def _keep(asked: PaymentIntentCreateParams, customer: Customer) -> None:
    """The first gift of a plan stores what pays it; the others are paid with that, and lead nobody to another page."""
    asked["customer"] = customer.id
    if customer.keeps_method:
        asked["setup_future_usage"] = "off_session"
    else:
        asked["automatic_payment_methods"] = {"enabled": True, "allow_redirects": "never"}


def _own_fee(moved: stripe.BalanceTransaction) -> int:
    """Without what an application took: the transaction adds both up, and the books have an entry for each."""
    taken = (detail.amount for detail in moved.fee_details if detail.type == "application_fee")
    return moved.fee - sum(taken)


def _intent(intent: stripe.PaymentIntent) -> Intent:
    return Intent(remote_id=intent.id, client_secret=intent.client_secret or "")


def _on(account_id: str | None) -> stripe.RequestOptions:
    """Where a call is about: an organisation's account, or the platform itself."""
    return {} if account_id is None else {"stripe_account": account_id}


def _decline(tried: stripe.Charge | stripe.SetupAttempt) -> RemoteDecline:
    details = tried.payment_method_details
    card = getattr(details, "card", None)
    return RemoteDecline(
        remote_id=tried.id,
        card=getattr(card, "fingerprint", None),
        declined_at=datetime.fromtimestamp(tried.created, UTC),
    )


def _account(account: Any) -> Account:
    """Ready means the card payments capability is active (Accounts v2 has no `charges_enabled`)."""
    if account.closed:
        return Account(id=account.id, status=AccountStatus.CLOSED)
    merchant = account.configuration.merchant if account.configuration else None
    cards = getattr(merchant.capabilities, "card_payments", None) if merchant else None
    if cards is None or cards.status not in _CAPABILITY:
        return Account(id=account.id, status=AccountStatus.PENDING)
    details = cards.status_details or []
    return Account(
        id=account.id,
        status=AccountStatus(cards.status),
        reason=details[0].code if details else None,
    )
