"""Confirms an intent: succeeded, declined, or requires action (https://docs.stripe.com/payments/paymentintents/lifecycle)."""

from urllib.parse import urlencode

from stripe_sandbox.cards import SandboxCard
from stripe_sandbox.errors import CardError, InvalidRequestError, Json, NotModelledError
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import charges, direct_debits, invoice_payments, payment_methods

_CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
_FAILED = {
    "payment_intent": ("last_payment_error", "payment_intent.payment_failed"),
    "setup_intent": ("last_setup_error", "setup_intent.setup_failed"),
}
"""The field that holds what went wrong, and the event."""
_AUTHENTICATION_FAILED = "We are unable to authenticate your payment method. Please choose a different payment method and try again."


def confirm(call: Call, intent: Json) -> Json:
    """Confirm a stored PaymentIntent. Raises CardError (what happened is kept) and InvalidRequestError."""
    _check_state(intent)
    method = _payment_method(call, intent)
    payment_methods.require_usable(call, method, intent["customer"])
    check_return_url(call, intent)
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    if "receipt_email" in call.params:
        intent["receipt_email"] = call.params["receipt_email"] or None
    if method["type"] in direct_debits.CURRENCIES:
        return direct_debits.begin(call, intent, method)
    card = payment_methods.card_of(method)
    if asks_the_bank(call, method):
        return _ask_for_authentication(call, intent, method)
    refused = _refusal(call, card, method)
    if refused is not None:
        raise _declined(call, intent, method, refused)
    return succeed(call, intent, method, authenticated=False)


def succeed(call: Call, intent: Json, method: Json, *, authenticated: bool) -> Json:
    """Take the money."""
    charge = charges.add_succeeded(call, intent, method, authenticated=authenticated)
    intent |= {
        "status": "succeeded",
        "latest_charge": charge["id"],
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "next_action": None,
    }
    call.objects.save(intent)
    if intent["setup_future_usage"] is not None and intent["customer"] is not None:
        payment_methods.keep_with(call, method, intent["customer"])
    call.emit("payment_intent.succeeded", intent)
    invoice_payments.tell(call, intent)
    return intent


def finish_authentication(call: Call, intent: Json, *, succeeded: bool) -> Json:
    """What the donor's bank says after its own page. Raises InvalidRequestError when nothing was asked of it."""
    if intent["status"] != "requires_action":
        raise InvalidRequestError(
            f"This PaymentIntent's status is {intent['status']}: no authentication is under way.",
            code="payment_intent_unexpected_state",
        )
    method = call.objects.get("payment_method", intent["payment_method"])
    if succeeded:
        return succeed(call, intent, method, authenticated=True)
    error = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": _AUTHENTICATION_FAILED,
        "type": "invalid_request_error",
    }
    return back_to_start(call, intent, error | {"payment_method": method})


def asks_the_bank(call: Call, method: Json) -> bool:
    """Whether a payment with this card needs its owner before the bank's page."""
    card = payment_methods.card_of(method)
    if card.behaviour == "authenticate_once":
        return not payment_methods.is_set_up(call, method)
    return card.behaviour == "authenticate"


def _refusal(call: Call, card: SandboxCard, method: Json) -> str | None:
    stored = payment_methods.is_stored(call, method)
    return card.decline_code if card.behaviour == "decline" or stored else None


def _check_state(intent: Json) -> None:
    if intent["status"] in _CONFIRMABLE:
        return
    if intent["status"] == "succeeded":
        reason = "it has already succeeded after being previously confirmed"
    else:
        reason = f"it has a status of {intent['status']}"
    raise InvalidRequestError(
        f"You cannot confirm this PaymentIntent because {reason}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def _payment_method(call: Call, intent: Json) -> Json:
    if "payment_method_data" in call.params:
        return new_payment_method(call, call.params["payment_method_data"])
    name = call.params.get("payment_method") or intent["payment_method"]
    if name is None:
        raise InvalidRequestError(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    return payment_methods.resolve(call, name, param="payment_method")


def new_payment_method(call: Call, data: Json) -> Json:
    """Store what came as `payment_method_data`. Raises CardError, InvalidRequestError, NotModelledError."""
    if data["type"] in direct_debits.CURRENCIES:
        return direct_debits.payment_method(call, data)
    if data["type"] == "card" and not call.caller.secret:
        return payment_methods.from_typed_card(call, data)
    raise NotModelledError(
        f"This sandbox does not model payment_method_data of type {data['type']} here.",
        param="payment_method_data",
    )


def check_return_url(call: Call, intent: Json) -> None:
    """Raises InvalidRequestError when methods that redirect are allowed and there is nowhere to come back to."""
    automatic = intent["automatic_payment_methods"]
    redirects = automatic is not None and automatic["allow_redirects"] == "always"
    # Stripe.js deals with redirects itself.
    handled_in_browser = not call.caller.secret or call.params.get("use_stripe_sdk")
    if redirects and not handled_in_browser and "return_url" not in call.params:
        raise InvalidRequestError(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these payment methods might redirect your customer off of your page, you must provide a `return_url`. "
            "If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
            "`true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
            "Payment Intents.",
            param="return_url",
        )


def _ask_for_authentication(call: Call, intent: Json, method: Json) -> Json:
    if call.params.get("off_session"):
        raise _declined(call, intent, method, "authentication_required")
    if call.params.get("error_on_requires_action"):
        raise _declined(call, intent, method, "authentication_required")
    intent |= {"status": "requires_action", "next_action": next_action(call, intent)}
    call.objects.save(intent)
    call.emit("payment_intent.requires_action", intent)
    invoice_payments.tell(call, intent)
    return intent


def next_action(call: Call, intent: Json) -> Json:
    """The way to the bank's page: by redirect when there is a `return_url`, else by Stripe.js."""
    query = urlencode({"account": call.objects.account, "client_secret": intent["client_secret"]})
    page = f"{call.settings.public_url}/_sandbox/authentications/{intent['id']}?{query}"
    return_url = call.params.get("return_url")
    if return_url and not call.params.get("use_stripe_sdk"):
        page = f"{page}&{urlencode({'return_url': return_url})}"
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
    }


def _declined(call: Call, intent: Json, method: Json, decline_code: str) -> CardError:
    charge = charges.add_failed(call, intent, method, decline_code)
    intent["latest_charge"] = charge["id"]
    code = "authentication_required" if decline_code == "authentication_required" else "card_declined"
    error = {
        "charge": charge["id"],
        "code": code,
        "decline_code": decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": charges.decline_message(decline_code),
        "type": "card_error",
    }
    back_to_start(call, intent, error | {"payment_method": method})
    return CardError(
        error["message"],
        code=code,
        charge=charge["id"],
        decline_code=decline_code,
        payment_intent=intent,
        payment_method=method,
    )


def back_to_start(call: Call, intent: Json, error: Json) -> Json:
    """Take a method off an intent that it did not serve; each kind of intent tells of it in its own words."""
    told, event = _FAILED[intent["object"]]
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        told: error,
    }
    call.objects.save(intent)
    call.emit(event, intent)
    invoice_payments.tell(call, intent)
    return intent
