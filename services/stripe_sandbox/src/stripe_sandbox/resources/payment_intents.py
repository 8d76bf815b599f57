"""PaymentIntents: one donation's payment from creation to its end (https://docs.stripe.com/api/payment_intents)."""

import re

from stripe_sandbox.currencies import check_amount, currency_of
from stripe_sandbox.errors import (
    InvalidRequestError,
    Json,
    NotModelledError,
    ParameterError,
    StripeError,
)
from stripe_sandbox.ids import new_client_secret, new_id
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.objects import APPLICATION, PLATFORM
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import (
    accounts,
    client_secrets,
    confirmation,
    customers,
    direct_debits,
    payment_intent_search,
    payment_methods,
)

_ONLY_WITH_CONFIRM = (
    "return_url",
    "off_session",
    "use_stripe_sdk",
    "error_on_requires_action",
    "payment_method_data",
    "mandate_data",
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_CANCELABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action", "processing"})
_CHANGEABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
# What Stripe.js may see of a PaymentIntent: no metadata, nothing about the merchant's side.
_PUBLIC_FIELDS = frozenset(
    {
        "id",
        "object",
        "amount",
        "amount_details",
        "automatic_payment_methods",
        "canceled_at",
        "cancellation_reason",
        "capture_method",
        "client_secret",
        "confirmation_method",
        "created",
        "currency",
        "description",
        "last_payment_error",
        "livemode",
        "next_action",
        "payment_method",
        "payment_method_types",
        "processing",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "status",
    }
)


def create(call: Call) -> Json:
    """A new PaymentIntent, confirmed at once with `confirm`."""
    params = call.params
    check_amount(params["amount"], currency_of(params["currency"]))
    _check_common(params)
    for name in _ONLY_WITH_CONFIRM:
        if name in params and not params.get("confirm"):
            raise ParameterError(f"`{name}` can only be used together with `confirm=true`.", param=name)
    _check_application_fee(call)
    if "customer" in params:
        customers.get(call, params["customer"])
    if params.get("capture_method") == "manual":
        raise NotModelledError("This sandbox does not model capture_method manual.", param="capture_method")
    if call.objects.account != PLATFORM:
        accounts.require_card_payments(call)
    intent = call.objects.add(new(call))
    call.emit("payment_intent.created", intent)
    if "payment_method" in params:
        method = payment_methods.resolve(call, params["payment_method"], param="payment_method")
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
        call.objects.save(intent)
    return confirmation.confirm(call, intent) if params.get("confirm") else intent


def retrieve(call: Call) -> Json:
    """One PaymentIntent; a browser sees its public part."""
    return seen_by(call, client_secrets.opened(call, "payment_intent"))


def confirm(call: Call) -> Json:
    """Try to pay, by the platform or by a browser that holds the client secret."""
    intent = client_secrets.opened(call, "payment_intent")
    _check_common(call.params)
    try:
        return seen_by(call, confirmation.confirm(call, intent))
    except StripeError as error:
        if "payment_intent" in error.more:
            error.more["payment_intent"] = seen_by(call, error.more["payment_intent"])
        raise


def cancel(call: Call) -> Json:
    """End a PaymentIntent that has not succeeded."""
    intent = call.objects.get("payment_intent", call.path["id"], param="intent")
    if intent["status"] not in _CANCELABLE:
        raise InvalidRequestError(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            "with one of the following statuses may be canceled: requires_payment_method, requires_capture, "
            "requires_confirmation, requires_action, processing.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    intent |= {
        "status": "canceled",
        "canceled_at": call.now,
        "cancellation_reason": call.params.get("cancellation_reason"),
        "next_action": None,
    }
    call.objects.save(intent)
    call.emit("payment_intent.canceled", intent)
    return intent


def update(call: Call) -> Json:
    """Change a PaymentIntent that has not been paid."""
    intent = call.objects.get("payment_intent", call.path["id"], param="intent")
    params = call.params
    _check_common(params)
    if {"amount", "currency"} & params.keys() and intent["status"] not in _CHANGEABLE:
        raise InvalidRequestError(
            f"This PaymentIntent's amount could not be updated because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    wanted = intent | params
    currency = currency_of(wanted["currency"])
    check_amount(wanted["amount"], currency)
    intent |= {"amount": wanted["amount"], "currency": currency.code}
    for name in ("description", "receipt_email"):
        if name in params:
            intent[name] = params[name] or None
    if "metadata" in params:
        intent["metadata"] = merged(intent["metadata"], params["metadata"])
    return call.objects.save(intent)


def list_(call: Call) -> Json:
    """PaymentIntents, newest first, by customer."""
    return listed(call, "payment_intent", "/v1/payment_intents", filters={"customer": "customer"})


def seen_by(call: Call, intent: Json) -> Json:
    """The whole object for the platform, its public fields for a browser."""
    return intent if call.caller.secret else {name: intent[name] for name in _PUBLIC_FIELDS}


def _check_common(params: Json) -> None:
    check_metadata(params.get("metadata", {}))
    email = params.get("receipt_email")
    if email and not _EMAIL.fullmatch(email):
        raise ParameterError(f"Invalid email address: {email}", code="email_invalid", param="receipt_email")
    suffix = params.get("statement_descriptor_suffix", "")
    if len(suffix) > 22 or any(sign in suffix for sign in "<>\\'\"*"):  # noqa: PLR2004  # card networks' limit
        raise ParameterError(
            "The statement descriptor suffix may have 22 characters, none of them < > \\ ' \" *.",
            param="statement_descriptor_suffix",
        )


def _check_application_fee(call: Call) -> None:
    fee = call.params.get("application_fee_amount")
    if fee is None:
        return
    name = "application_fee_amount"
    if call.objects.account == PLATFORM:
        raise ParameterError(
            f"Can only apply an {name} when the PaymentIntent is attempting a direct payment (using an OAuth key or "
            "Stripe-Account header) or destination payment (using `transfer_data[destination]`).",
            param=name,
        )
    if fee < 1:
        raise ParameterError("Invalid positive integer", code="parameter_invalid_integer", param=name)
    if fee > call.params["amount"]:
        raise ParameterError(f"The {name} must not be greater than the amount.", param=name)


def new(call: Call) -> Json:
    """The body of a PaymentIntent with the call's parameters, not yet stored."""
    params, intent_id = call.params, new_id("pi")
    automatic = params.get("automatic_payment_methods", {"enabled": True})
    if automatic["enabled"]:
        automatic = {"allow_redirects": "always"} | automatic
    return {
        "id": intent_id,
        "object": "payment_intent",
        **dict.fromkeys(_NONE_AT_FIRST),
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None if call.objects.account == PLATFORM else APPLICATION,
        "application_fee_amount": params.get("application_fee_amount"),
        "automatic_payment_methods": automatic if automatic["enabled"] else None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": new_client_secret(intent_id),
        "confirmation_method": "automatic",
        "created": call.now,
        "currency": params["currency"].lower(),
        "customer": params.get("customer"),
        "description": params.get("description"),
        "livemode": False,
        "metadata": merged({}, params.get("metadata", {})),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": [
            "card",
            *(kind for kind, code in direct_debits.CURRENCIES.items() if code == params["currency"].lower()),
        ],
        "receipt_email": params.get("receipt_email"),
        "setup_future_usage": params.get("setup_future_usage"),
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
    }


_NONE_AT_FIRST = (
    "allowed_payment_method_types",
    "canceled_at",
    "cancellation_reason",
    "customer_account",
    "excluded_payment_method_types",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "presentment_details",
    "processing",
    "review",
    "shipping",
    "source",
    "transfer_data",
    "transfer_group",
)
_CONFIRM = (
    "payment_method payment_method_data mandate_data return_url off_session use_stripe_sdk error_on_requires_action "
    "receipt_email expand"
)
_DESCRIBE = "amount currency description metadata receipt_email"
_CREATE = (
    f"{_DESCRIBE} {_CONFIRM} application_fee_amount automatic_payment_methods capture_method confirm customer "
    "setup_future_usage statement_descriptor statement_descriptor_suffix"
)
OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/payment_intents",
        shape=shape("_payment_intent_create_params:PaymentIntentCreateParams", _CREATE),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/payment_intents",
        shape=shape("_payment_intent_list_params:PaymentIntentListParams", f"{LIST_PARAMETERS} customer"),
        handler=list_,
    ),
    payment_intent_search.OPERATION,
    Operation(
        method="GET",
        path="/v1/payment_intents/{id}",
        shape=shape("_payment_intent_retrieve_params:PaymentIntentRetrieveParams", "client_secret expand"),
        client_shape=shape("stripe_sandbox.page.parameters:Retrieve", "client_secret"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/payment_intents/{id}",
        shape=shape("_payment_intent_update_params:PaymentIntentUpdateParams", f"{_DESCRIBE} expand"),
        handler=update,
    ),
    Operation(
        method="POST",
        path="/v1/payment_intents/{id}/confirm",
        shape=shape("_payment_intent_confirm_params:PaymentIntentConfirmParams", _CONFIRM),
        client_shape=shape(
            "stripe_sandbox.page.parameters:Confirm",
            "client_secret payment_method payment_method_data return_url receipt_email use_stripe_sdk",
        ),
        handler=confirm,
    ),
    Operation(
        method="POST",
        path="/v1/payment_intents/{id}/cancel",
        shape=shape("_payment_intent_cancel_params:PaymentIntentCancelParams", "cancellation_reason expand"),
        handler=cancel,
    ),
)
