"""Saved cards and bank accounts on the organisations' Stripe accounts, and off-session charges with them.

Setting up: docs.stripe.com/payments/save-during-payment. Charging: docs.stripe.com/payments/save-and-reuse, "Charge the
saved payment method later". Customers are made without name or address: the organisation knows its donors from us.
"""

from typing import Any, Final

import stripe

from amply.adapters.stripe.processor import client_for, translated
from amply.infra.settings import StripeSettings
from amply.modules.payments import Charged, Decline, Intent, PaymentStatus, SavedMethod

_ASKS_THE_DONOR: Final = "authentication_required"
_UNEXPECTED: Final = "payment_intent_unexpected_state"
_STATUS: Final = {
    "canceled": PaymentStatus.CANCELED,
    "processing": PaymentStatus.PROCESSING,
    "requires_action": PaymentStatus.FAILED,
    "requires_confirmation": PaymentStatus.PENDING,
    "requires_payment_method": PaymentStatus.PENDING,
    "succeeded": PaymentStatus.SUCCEEDED,
}


class StripeSavedMethods:
    """Implements `payments.SavedMethods`. Thread-safe; built once per process."""

    def __init__(self, settings: StripeSettings) -> None:
        self._client = client_for(settings)

    def create_customer(self, *, plan_id: str, account_id: str) -> str:
        with translated("create customer"):
            return self._client.v1.customers.create(
                {"metadata": {"amply_plan_id": plan_id}},
                {"idempotency_key": f"plan:{plan_id}:customer", "stripe_account": account_id},
            ).id

    def intent(self, *, remote_id: str, account_id: str) -> Intent:
        with translated("retrieve payment intent"):
            found = self._client.v1.payment_intents.retrieve(remote_id, {}, {"stripe_account": account_id})
            return Intent(remote_id=found.id, client_secret=found.client_secret or "")

    def charge(self, *, remote_id: str, account_id: str, method_id: str, idempotency_key: str) -> Charged:
        """Confirm off session. An intent that is paid already says so, and is not paid again."""
        with translated("confirm payment intent off session"):
            try:
                intent = self._client.v1.payment_intents.confirm(
                    remote_id,
                    {"payment_method": method_id, "off_session": True},
                    {"idempotency_key": idempotency_key, "stripe_account": account_id},
                )
            except stripe.CardError as error:
                body: Any = error.json_body or {}
                told = body.get("error") or {}
                return Charged(status=PaymentStatus.FAILED, decline=_decline(told))
            except stripe.InvalidRequestError as error:
                if error.code != _UNEXPECTED:
                    raise
                intent = self._client.v1.payment_intents.retrieve(
                    remote_id, {}, {"stripe_account": account_id}
                )
            return _charged(intent)

    def standing(self, *, remote_id: str, account_id: str) -> Charged:
        with translated("retrieve payment intent"):
            return _charged(
                self._client.v1.payment_intents.retrieve(remote_id, {}, {"stripe_account": account_id})
            )

    def cancel(self, *, remote_id: str, account_id: str) -> PaymentStatus:
        with translated("cancel payment intent"):
            try:
                intent = self._client.v1.payment_intents.cancel(
                    remote_id, {"cancellation_reason": "abandoned"}, {"stripe_account": account_id}
                )
            except stripe.InvalidRequestError as error:
                if error.code != _UNEXPECTED:
                    raise
                intent = self._client.v1.payment_intents.retrieve(
                    remote_id, {}, {"stripe_account": account_id}
                )
            return _STATUS.get(intent.status, PaymentStatus.PENDING)

    def method_of_intent(self, *, remote_id: str, account_id: str) -> SavedMethod | None:
        """The mandate stands with the charge; a method without a customer is not kept."""
        with translated("retrieve payment intent"):
            intent = self._client.v1.payment_intents.retrieve(
                remote_id, {"expand": ["payment_method", "latest_charge"]}, {"stripe_account": account_id}
            ).to_dict()
        charge = intent.get("latest_charge")
        details = charge["payment_method_details"] if isinstance(charge, dict) else {}
        return _saved(
            intent.get("payment_method"), mandate=(details.get(details.get("type")) or {}).get("mandate")
        )

    def begin_setup(self, *, customer_id: str, account_id: str, idempotency_key: str) -> Intent:
        with translated("create setup intent"):
            made = self._client.v1.setup_intents.create(
                {
                    "customer": customer_id,
                    "usage": "off_session",
                    "automatic_payment_methods": {"enabled": True},
                },
                {"idempotency_key": idempotency_key, "stripe_account": account_id},
            )
            return Intent(remote_id=made.id, client_secret=made.client_secret or "")

    def method_of_setup(self, *, remote_id: str, account_id: str) -> SavedMethod | None:
        with translated("retrieve setup intent"):
            setup = self._client.v1.setup_intents.retrieve(
                remote_id, {"expand": ["payment_method"]}, {"stripe_account": account_id}
            ).to_dict()
        if setup["status"] != "succeeded":
            return None
        return _saved(setup.get("payment_method"), mandate=setup.get("mandate"))


def _charged(intent: stripe.PaymentIntent) -> Charged:
    """An intent that waits for the donor's bank does not succeed while nobody is there."""
    told = intent.to_dict().get("last_payment_error") or {}
    if intent.status == "requires_action":
        told = {"code": _ASKS_THE_DONOR}
    declined = _decline(told) if told else None
    status = _STATUS.get(intent.status, PaymentStatus.PENDING)
    if status is PaymentStatus.PENDING and declined is not None:
        status = PaymentStatus.FAILED
    return Charged(status=status, decline=declined)


def _decline(told: Any) -> Decline:
    """The issuer's reason where there is one: `card_declined` says nothing."""
    return Decline(
        code=told.get("decline_code") or told.get("code") or "unknown", advice=told.get("advice_code")
    )


def _saved(method: Any, *, mandate: Any) -> SavedMethod | None:
    if not isinstance(method, dict) or method.get("customer") is None:
        return None
    kind = str(method["type"])
    return SavedMethod(
        id=method["id"],
        kind=kind,
        last4=(method.get(kind) or {}).get("last4") or "",
        mandate_id=mandate if isinstance(mandate, str) else None,
    )
