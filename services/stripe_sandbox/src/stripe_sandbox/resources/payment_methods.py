"""PaymentMethods: test cards only, kept with a customer or not (https://docs.stripe.com/api/payment_methods)."""

from datetime import UTC, datetime

from stripe_sandbox.cards import (
    BY_FINGERPRINT,
    BY_PAYMENT_METHOD,
    BY_TOKEN,
    SandboxCard,
    card_by_number,
    fingerprint_of,
)
from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import Clause, listed
from stripe_sandbox.objects import PLATFORM
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape
from stripe_sandbox.resources import customers

_BILLING_FIELDS = ("address", "email", "name", "phone", "tax_id")
_RETIRED = "sandbox.retired_payment_method"
_COPY = "sandbox.copied_payment_method"
_LIST_PARAMETERS = "ending_before expand limit starting_after"
_ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(call: Call) -> Json:
    """A card from a test token (`tok_visa`), or a copy of one that a customer of the platform has."""
    if "payment_method" in call.params:
        return _copied(call)
    if call.params.get("type") != "card":
        raise ParameterError("This sandbox models payment methods of type card.", param="type")
    token = call.params.get("card", {}).get("token")
    if token is None:
        raise InvalidRequestError(
            "Sending credit card numbers directly to the Stripe API is generally unsafe. "
            "We suggest you use test tokens that map to the test card you are using."
        )
    if token not in BY_TOKEN:
        raise InvalidRequestError(f"No such token: '{token}'", code="resource_missing", param="card[token]")
    return add_card(call, BY_TOKEN[token], billing=call.params.get("billing_details"))


def retrieve(call: Call) -> Json:
    """One PaymentMethod; a test name such as `pm_card_visa` makes a new one of its kind."""
    return resolve(call, call.path["id"], param="payment_method")


def resolve(call: Call, name: str, *, param: str) -> Json:
    """A stored PaymentMethod by id, or a new one by test name. Raises NoSuchObjectError."""
    card = BY_PAYMENT_METHOD.get(name)
    return add_card(call, card) if card else call.objects.get("payment_method", name, param=param)


def from_typed_card(call: Call, data: Json) -> Json:
    """What the card form of Stripe.js sends as `payment_method_data`. Raises CardError."""
    card = card_by_number(data.get("card", {}), call.now)
    return add_card(call, card, billing=data.get("billing_details"))


def attach(call: Call) -> Json:
    """Keep a PaymentMethod with a customer, for payments to come."""
    customer = call.params.get("customer")
    if customer is None:
        raise ParameterError("Missing required param: customer.", code="parameter_missing", param="customer")
    method = resolve(call, call.path["id"], param="payment_method")
    return keep_with(call, method, customers.get(call, customer)["id"])


def keep_with(call: Call, method: Json, customer_id: str) -> Json:
    """Attach it, or leave it where it is. Raises InvalidRequestError when another customer has it."""
    if method["customer"] == customer_id:
        return method
    if method["customer"] is not None:
        raise InvalidRequestError(
            "The payment method you provided has already been attached to a customer.", param="payment_method"
        )
    require_usable(call, method, customer_id)
    method["customer"] = customer_id
    call.objects.save(method)
    call.emit("payment_method.attached", method)
    return method


def detach(call: Call) -> Json:
    """Take a PaymentMethod from its customer."""
    method = call.objects.get("payment_method", call.path["id"], param="payment_method")
    if method["customer"] is None:
        raise InvalidRequestError(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            param="payment_method",
        )
    previous = {"customer": method["customer"]}
    _retire(call, method)
    call.emit("payment_method.detached", method, previous=previous)
    return method


def _retire(call: Call, method: Json) -> None:
    """Without its customer it is of no use for ever."""
    method["customer"] = None
    call.objects.save(method)
    call.objects.add({"id": f"{method['id']}_retired", "object": _RETIRED})


def list_(call: Call) -> Json:
    """A customer's PaymentMethods, newest first, by type."""
    customer = call.path.get("id") or call.params.get("customer")
    if customer is None:
        raise ParameterError("Missing required param: customer.", code="parameter_missing", param="customer")
    url = f"/v1/customers/{customer}/payment_methods" if "id" in call.path else "/v1/payment_methods"
    more: list[Clause] = [("json_extract(body, '$.customer') = ?", (customers.get(call, customer)["id"],))]
    return listed(call, "payment_method", url, filters={"type": "type"}, more=more)


def require_usable(call: Call, method: Json, customer: str | None) -> None:
    """A customer's PaymentMethod pays for that customer alone, and one that was detached for nobody.

    Raises InvalidRequestError.
    """
    if call.objects.find(_RETIRED, f"{method['id']}_retired") is not None:
        raise InvalidRequestError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be "
            "used again.",
            param="payment_method",
        )
    if method["customer"] not in (None, customer):
        raise InvalidRequestError(
            "The payment method you provided is attached to a customer so for security purposes you must provide "
            "the customer in the request.",
            param="payment_method",
        )


def is_stored(call: Call, method: Json) -> bool:
    """Whether it is kept with a customer, or a copy of one that is."""
    return method["customer"] is not None or call.objects.find(_COPY, f"{method['id']}_copy") is not None


def is_set_up(call: Call, method: Json) -> bool:
    """Whether the bank has agreed to payments without the donor (https://docs.stripe.com/payments/setup-intents)."""
    agreed = {"payment_method": method["id"], "status": "succeeded"}
    return bool(
        call.objects.where("setup_intent", agreed)
        or call.objects.where("payment_intent", agreed | {"setup_future_usage": "off_session"})
    )


def card_of(payment_method: Json) -> SandboxCard:
    """Which test card a PaymentMethod stands for."""
    return BY_FINGERPRINT[payment_method["card"]["fingerprint"]]


def add_card(call: Call, card: SandboxCard, *, billing: Json | None = None) -> Json:
    """Store a new PaymentMethod of this test card."""
    return add(call, "card", _card(card, call.now), billing=billing or {})


def add(call: Call, kind: str, details: Json, *, billing: Json) -> Json:
    """Store a new PaymentMethod of type `kind`."""
    return call.objects.add(
        {
            "id": new_id("pm"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing_details(billing),
            "created": call.now,
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": {},
            "type": kind,
            kind: details,
        }
    )


def billing_details(given: Json) -> Json:
    """All fields, null where nothing was given."""
    details: Json = {name: given.get(name) for name in _BILLING_FIELDS}
    address = given.get("address") or {}
    return details | {"address": {name: address.get(name) for name in _ADDRESS_FIELDS}}


def _copied(call: Call) -> Json:
    """https://docs.stripe.com/connect/direct-charges-multiple-accounts: a copy for direct charges."""
    platform, customer = call.on(PLATFORM), call.params.get("customer")
    method = platform.objects.get("payment_method", call.params["payment_method"], param="payment_method")
    if call.objects.account == PLATFORM:
        raise ParameterError(
            "A PaymentMethod is copied to a connected account: name it with Stripe-Account.",
            param="payment_method",
        )
    if customer is None or method["customer"] != customer:
        raise InvalidRequestError(
            f"The customer {customer} does not have a payment method with the ID {method['id']}. "
            "The payment method must be attached to the customer.",
            param="payment_method",
        )
    customers.get(platform, customer)
    copy = add(call, method["type"], method[method["type"]], billing=method["billing_details"])
    call.objects.add({"id": f"{copy['id']}_copy", "object": _COPY})
    return copy


def _card(card: SandboxCard, now: int) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": 12,
        "exp_year": datetime.fromtimestamp(now, UTC).year + 3,
        "fingerprint": fingerprint_of(card),
        "funding": "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/payment_methods",
        shape=shape(
            "_payment_method_create_params:PaymentMethodCreateParams",
            "type card billing_details customer payment_method expand",
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/payment_methods",
        shape=shape(
            "_payment_method_list_params:PaymentMethodListParams", f"{_LIST_PARAMETERS} customer type"
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/customers/{id}/payment_methods",
        shape=shape(
            "_customer_list_payment_methods_params:CustomerListPaymentMethodsParams",
            f"{_LIST_PARAMETERS} type",
        ),
        handler=list_,
    ),
    Operation(
        method="POST",
        path="/v1/payment_methods/{id}/attach",
        shape=shape("_payment_method_attach_params:PaymentMethodAttachParams", "customer expand"),
        handler=attach,
    ),
    Operation(
        method="POST",
        path="/v1/payment_methods/{id}/detach",
        shape=shape("_payment_method_detach_params:PaymentMethodDetachParams", "expand"),
        handler=detach,
    ),
    Operation(
        method="GET",
        path="/v1/payment_methods/{id}",
        shape=shape("_payment_method_retrieve_params:PaymentMethodRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
