"""Parameters that Stripe.js sends with a publishable key. Not part of the public API, so not in the SDK's types."""

from typing import Literal, NotRequired, TypedDict


class Address(TypedDict):
    """Of the card's owner."""

    city: NotRequired[str]
    country: NotRequired[str]
    line1: NotRequired[str]
    line2: NotRequired[str]
    postal_code: NotRequired[str]
    state: NotRequired[str]


class BillingDetails(TypedDict):
    """Of the card's owner."""

    address: NotRequired[Address]
    email: NotRequired[str]
    name: NotRequired[str]
    phone: NotRequired[str]


class Card(TypedDict):
    """As typed into the form."""

    number: str
    exp_month: str
    exp_year: str
    cvc: str


class PaymentMethodData(TypedDict):
    """A card that is not stored yet."""

    type: str
    card: Card
    billing_details: NotRequired[BillingDetails]


class Retrieve(TypedDict):
    """GET of one PaymentIntent."""

    client_secret: str
    key: NotRequired[str]


class Confirm(TypedDict):
    """POST to confirm one PaymentIntent."""

    client_secret: str
    key: NotRequired[str]
    payment_method: NotRequired[str]
    payment_method_data: NotRequired[PaymentMethodData]
    receipt_email: NotRequired[str]
    return_url: NotRequired[str]
    use_stripe_sdk: NotRequired[bool]


class Authenticate(TypedDict):
    """The bank's decision."""

    client_secret: str
    outcome: Literal["succeed", "fail"]
