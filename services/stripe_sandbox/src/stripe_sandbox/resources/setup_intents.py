"""SetupIntents: store a card or bank account for later payments, on-session.

https://docs.stripe.com/api/setup_intents
"""

from stripe_sandbox.errors import CardError, InvalidRequestError, Json, ParameterError
from stripe_sandbox.ids import new_client_secret, new_id
from stripe_sandbox.lists import LIST_PARAMETERS, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.objects import APPLICATION, PLATFORM
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import (
    charges,
    client_secrets,
    confirmation,
    customers,
    direct_debits,
    mandates,
    payment_methods,
    setup_attempts,
)

KIND = "setup_intent"
_OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
_AUTHENTICATION_FAILED = (
    "The latest attempt to set up the payment method has failed because authentication failed."
)
# What Stripe.js may see.
_PUBLIC_FIELDS = (
    "id",
    "object",
    "automatic_payment_methods",
    "cancellation_reason",
    "client_secret",
    "created",
    "description",
    "last_setup_error",
    "livemode",
    "next_action",
    "payment_method",
    "payment_method_types",
    "status",
    "usage",
)


def create(call: Call) -> Json:
    """A new SetupIntent, confirmed at once with `confirm`."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    if "return_url" in params and not params.get("confirm"):
        raise ParameterError(
            "`return_url` can only be used together with `confirm=true`.", param="return_url"
        )
    if "customer" in params:
        customers.get(call, params["customer"])
    intent = call.objects.add(_new(call))
    call.emit("setup_intent.created", intent)
    if "payment_method" in params:
        method = payment_methods.resolve(call, params["payment_method"], param="payment_method")
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
        call.objects.save(intent)
    return _confirm(call, intent) if params.get("confirm") else intent


def retrieve(call: Call) -> Json:
    """One SetupIntent; a browser sees its public part."""
    return seen_by(call, client_secrets.opened(call, KIND))


def confirm(call: Call) -> Json:
    """Try to store, by the platform or by a browser that holds the client secret."""
    intent = client_secrets.opened(call, KIND)
    try:
        return seen_by(call, _confirm(call, intent))
    except CardError as error:
        error.more["setup_intent"] = seen_by(call, error.more["setup_intent"])
        raise


def update(call: Call) -> Json:
    """Change what a SetupIntent is for."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    intent = call.objects.get(KIND, call.path["id"], param="intent")
    if "customer" in params:
        _require_open(intent, "update")
        intent["customer"] = customers.get(call, params["customer"])["id"]
    if "description" in params:
        intent["description"] = params["description"]
    if "metadata" in params:
        intent["metadata"] = merged(intent["metadata"], params["metadata"])
    return call.objects.save(intent)


def cancel(call: Call) -> Json:
    """End a SetupIntent that has not succeeded."""
    intent = call.objects.get(KIND, call.path["id"], param="intent")
    _require_open(intent, "cancel")
    intent |= {
        "status": "canceled",
        "cancellation_reason": call.params.get("cancellation_reason"),
        "next_action": None,
    }
    call.objects.save(intent)
    call.emit("setup_intent.canceled", intent)
    return intent


def list_(call: Call) -> Json:
    """SetupIntents, newest first, by customer or PaymentMethod."""
    filters = {"customer": "customer", "payment_method": "payment_method"}
    return listed(call, KIND, "/v1/setup_intents", filters=filters)


def finish_authentication(call: Call, intent: Json, *, succeeded: bool) -> Json:
    """What the donor's bank says after its own page. Raises InvalidRequestError when nothing was asked of it."""
    if intent["status"] != "requires_action":
        raise InvalidRequestError(
            f"This SetupIntent's status is {intent['status']}: no authentication is under way.",
            code="setup_intent_unexpected_state",
        )
    method = call.objects.get("payment_method", intent["payment_method"])
    if succeeded:
        return _succeed(call, intent, method)
    error = {
        "code": "setup_intent_authentication_failure",
        "message": _AUTHENTICATION_FAILED,
        "type": "invalid_request_error",
    }
    return _failed(call, intent, error | {"payment_method": method})


def seen_by(call: Call, intent: Json) -> Json:
    """The whole object for the platform, its public fields for a browser."""
    return intent if call.caller.secret else {name: intent[name] for name in _PUBLIC_FIELDS}


def _confirm(call: Call, intent: Json) -> Json:
    _require_open(intent, "confirm")
    method = _method(call, intent)
    payment_methods.require_usable(call, method, intent["customer"])
    confirmation.check_return_url(call, intent)
    intent |= {"payment_method": method["id"], "last_setup_error": None, "next_action": None}
    if intent["status"] == "requires_action":
        setup_attempts.note(call, intent, "abandoned")
    setup_attempts.begin(call, intent, method)
    if method["type"] in direct_debits.CURRENCIES:
        intent["mandate"] = mandates.required(call, method, "setup_intent_mandate_invalid")["id"]
        return _succeed(call, intent, method)
    card = payment_methods.card_of(method)
    if card.behaviour == "decline":
        raise _declined(call, intent, method, str(card.decline_code))
    if confirmation.asks_the_bank(call, method):
        intent |= {"status": "requires_action", "next_action": confirmation.next_action(call, intent)}
        call.objects.save(intent)
        setup_attempts.note(call, intent, "requires_action")
        call.emit("setup_intent.requires_action", intent)
        return intent
    return _succeed(call, intent, method)


def _method(call: Call, intent: Json) -> Json:
    if "payment_method_data" in call.params:
        return confirmation.new_payment_method(call, call.params["payment_method_data"])
    name = call.params.get("payment_method") or intent["payment_method"]
    if name is None:
        raise InvalidRequestError(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with "
            "a payment method and then confirm it again.",
            code="setup_intent_unexpected_state",
            setup_intent=intent,
        )
    return payment_methods.resolve(call, name, param="payment_method")


def _succeed(call: Call, intent: Json, method: Json) -> Json:
    intent |= {"status": "succeeded", "last_setup_error": None, "next_action": None}
    call.objects.save(intent)
    setup_attempts.note(call, intent, "succeeded")
    if intent["customer"] is not None:
        payment_methods.keep_with(call, method, intent["customer"])
    call.emit("setup_intent.succeeded", intent)
    return intent


def _declined(call: Call, intent: Json, method: Json, decline_code: str) -> CardError:
    error: Json = {
        "code": "card_declined",
        "decline_code": decline_code,
        "message": charges.decline_message(decline_code),
        "type": "card_error",
    }
    _failed(call, intent, error | {"payment_method": method})
    return CardError(
        error["message"],
        code="card_declined",
        decline_code=decline_code,
        setup_intent=intent,
        payment_method=method,
    )


def _failed(call: Call, intent: Json, error: Json) -> Json:
    """The attempt has failed, and the SetupIntent waits for another method: any number of times."""
    setup_attempts.note(call, intent, "failed", error)
    return confirmation.back_to_start(call, intent, error)


def _require_open(intent: Json, verb: str) -> None:
    if intent["status"] not in _OPEN:
        raise InvalidRequestError(
            f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}.",
            code="setup_intent_unexpected_state",
            setup_intent=intent,
        )


def _new(call: Call) -> Json:
    params, intent_id = call.params, new_id("seti")
    automatic = params.get("automatic_payment_methods", {"enabled": True})
    if automatic["enabled"]:
        automatic = {"allow_redirects": "always"} | automatic
    return {
        "id": intent_id,
        "object": KIND,
        "application": None if call.objects.account == PLATFORM else APPLICATION,
        "automatic_payment_methods": automatic if automatic["enabled"] else None,
        "cancellation_reason": None,
        "client_secret": new_client_secret(intent_id),
        "created": call.now,
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": merged({}, params.get("metadata", {})),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card", *direct_debits.CURRENCIES],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }


_CONFIRM = "mandate_data payment_method payment_method_data return_url use_stripe_sdk expand"
OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/setup_intents",
        shape=shape(
            "_setup_intent_create_params:SetupIntentCreateParams",
            f"{_CONFIRM} automatic_payment_methods confirm customer description metadata usage",
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/setup_intents",
        shape=shape(
            "_setup_intent_list_params:SetupIntentListParams", f"{LIST_PARAMETERS} customer payment_method"
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/setup_intents/{id}",
        shape=shape("_setup_intent_retrieve_params:SetupIntentRetrieveParams", "client_secret expand"),
        client_shape=shape("stripe_sandbox.page.parameters:Retrieve", "client_secret"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/setup_intents/{id}",
        shape=shape(
            "_setup_intent_update_params:SetupIntentUpdateParams", "customer description metadata expand"
        ),
        handler=update,
    ),
    Operation(
        method="POST",
        path="/v1/setup_intents/{id}/confirm",
        shape=shape("_setup_intent_confirm_params:SetupIntentConfirmParams", _CONFIRM),
        client_shape=shape(
            "stripe_sandbox.page.parameters:Confirm",
            "client_secret payment_method payment_method_data return_url use_stripe_sdk",
        ),
        handler=confirm,
    ),
    Operation(
        method="POST",
        path="/v1/setup_intents/{id}/cancel",
        shape=shape("_setup_intent_cancel_params:SetupIntentCancelParams", "cancellation_reason expand"),
        handler=cancel,
    ),
)
