"""Clones one payment method to several connected accounts (https://docs.stripe.com/connect/direct-charges-multiple-accounts)."""

from typing import Final

import stripe

from amply.adapters.stripe.payouts import translated
from amply.adapters.stripe.processor import client_for
from amply.infra.settings import StripeSettings
from amply.modules.payments import Paid, SharedOutcome, SharedSetup

_OPEN: Final = frozenset({"requires_payment_method", "requires_confirmation"})
_STANDING: Final = {
    "succeeded": Paid.PAID,
    "processing": Paid.UNDER_WAY,
    "requires_action": Paid.NEEDS_DONOR,
}
_MISSING: Final = "resource_missing"
_UNEXPECTED: Final = "payment_intent_unexpected_state"


class StripeMethodCloning:
    """Implements `payments.PaymentMethodCloning`. Thread-safe; built once per process."""

    def __init__(self, settings: StripeSettings) -> None:
        self._publishable_key = settings.publishable_key
        self._client = client_for(settings)

    @property
    def publishable_key(self) -> str:
        return self._publishable_key

    def open_payer(self, *, split_id: str) -> str:
        with translated("create customer"):
            made = self._client.v1.customers.create(
                {"metadata": {"amply_split_id": split_id}}, {"idempotency_key": f"split:{split_id}:payer"}
            )
            return made.id

    def open_setup(self, *, split_id: str, payer_id: str, number: int) -> SharedSetup:
        """Create an on-session SetupIntent. Redirect-based methods cannot be cloned."""
        with translated("create setup intent"):
            made = self._client.v1.setup_intents.create(
                {
                    "customer": payer_id,
                    "usage": "on_session",
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                    "metadata": {"amply_split_id": split_id},
                },
                {"idempotency_key": f"split:{split_id}:setup:{number}"},
            )
            return SharedSetup(remote_id=made.id, client_secret=made.client_secret or "")

    def method_of(self, *, setup_id: str) -> str | None:
        with translated("retrieve setup intent"):
            found = self._client.v1.setup_intents.retrieve(setup_id)
            method = found.payment_method
            if found.status != "succeeded" or method is None:
                return None
            return method if isinstance(method, str) else method.id

    def pay(self, *, remote_id: str, account_id: str, payer_id: str, method_id: str) -> SharedOutcome:
        """Confirm a payment. The intent serialises attempts: Stripe allows one confirmation, and none after success."""
        with translated("pay with a copied method"):
            intent = self._retrieve(remote_id, account_id)
            if intent.status not in _OPEN:
                return _told(intent)
            try:
                copy = self._client.v1.payment_methods.create(
                    {"customer": payer_id, "payment_method": method_id}, {"stripe_account": account_id}
                )
                return _told(
                    self._client.v1.payment_intents.confirm(
                        remote_id,
                        {"payment_method": copy.id, "use_stripe_sdk": True},
                        {"stripe_account": account_id},
                    )
                )
            except stripe.CardError:
                return SharedOutcome(paid=Paid.DECLINED)
            except stripe.InvalidRequestError as error:
                if error.code != _UNEXPECTED:
                    raise
                # Another request was first: its result counts.
                return _told(self._retrieve(remote_id, account_id))

    def release(self, *, payer_id: str) -> None:
        with translated("delete customer"):
            try:
                self._client.v1.customers.delete(payer_id)
            except stripe.InvalidRequestError as error:
                if error.code != _MISSING:
                    raise

    def _retrieve(self, remote_id: str, account_id: str) -> stripe.PaymentIntent:
        return self._client.v1.payment_intents.retrieve(remote_id, None, {"stripe_account": account_id})


def _told(intent: stripe.PaymentIntent) -> SharedOutcome:
    paid = _STANDING.get(intent.status, Paid.DECLINED)
    secret = intent.client_secret if paid is Paid.NEEDS_DONOR else None
    return SharedOutcome(paid=paid, client_secret=secret)
