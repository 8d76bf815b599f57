"""PaymentMethods: test cards only (https://docs.stripe.com/api/payment_methods)."""

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
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

_BILLING_FIELDS = ("address", "email", "name", "phone", "tax_id")
_ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(call: Call) -> Json:
    """A card from a test token (`tok_visa`)."""
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
            "_payment_method_create_params:PaymentMethodCreateParams", "type card billing_details expand"
        ),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/payment_methods/{id}",
        shape=shape("_payment_method_retrieve_params:PaymentMethodRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
