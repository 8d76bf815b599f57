"""The objects' fields, against the classes of the installed SDK."""

import types
import typing
from typing import Any, Union

import pytest
import stripe
from stripe.v2.core import Account

from tests.stripe_sandbox.onboarding import donate, onboard
from tests.stripe_sandbox.running import Sandbox
from tests.stripe_sandbox.subscribing import at, donor

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def is_optional(hint: Any) -> bool:
    return typing.get_origin(hint) in (Union, types.UnionType) and type(None) in typing.get_args(hint)


def fields(of: type) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in of.__annotations__.items()
        if not name.startswith("_") and not str(hint).startswith("typing.ClassVar")
    }


@pytest.fixture
def bodies(shared: Sandbox) -> dict[str, dict[str, Any]]:
    """One object of each kind, as JSON."""
    client = shared.client()
    paid = donate(client, metadata={"donation_id": "don_1"})
    refund = client.v1.refunds.create({"payment_intent": paid.id, "amount": 100})
    customer = client.v1.customers.create({"name": "Grace"}).id
    stored = client.v1.setup_intents.create(
        {
            "customer": customer,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )

    def get(path: str) -> dict[str, Any]:
        body: dict[str, Any] = shared.call("GET", path).json()
        return body

    return {
        "PaymentIntent": get(f"/v1/payment_intents/{paid.id}"),
        "Charge": get(f"/v1/charges/{paid.latest_charge}"),
        "Refund": get(f"/v1/refunds/{refund.id}"),
        "BalanceTransaction": get(f"/v1/balance_transactions/{refund.balance_transaction}"),
        "Customer": get(f"/v1/customers/{customer}"),
        "SetupIntent": get(f"/v1/setup_intents/{stored.id}"),
        "SetupAttempt": get(f"/v1/setup_attempts?setup_intent={stored.id}")["data"][0],
        "PaymentMethod": get(f"/v1/payment_methods/{paid.payment_method}"),
        "Event": get("/v1/events?limit=1")["data"][0],
    }


@pytest.fixture
def money_bodies(shared: Sandbox) -> dict[type, dict[str, Any]]:
    """What comes after a payment, of a connected account and of the platform, as JSON."""
    client = shared.client()
    account = onboard(client)

    def get(path: str, of: str | None = account) -> dict[str, Any]:
        headers = {"Stripe-Account": of} if of else {}
        body: dict[str, Any] = shared.call("GET", path, headers=headers).json()
        return body

    charge = donate(client, account, application_fee_amount=100).latest_charge
    shared.hook(f"charges/{charge}/fraud_warning")
    failed = shared.hook(f"charges/{charge}/refund", {"amount": 100, "refund_application_fee": True}).json()
    shared.hook(f"refunds/{failed['id']}/fail")
    payout = shared.hook(f"accounts/{account}/payout", {"include_pending": True, "paid": True}).json()
    shared.hook(f"charges/{charge}/dispute")
    (fee,) = get(f"/v1/application_fees?charge={charge}", None)["data"]
    return {
        stripe.Dispute: get("/v1/disputes")["data"][0],
        stripe.Payout: get(f"/v1/payouts/{payout['id']}"),
        stripe.BankAccount: get(f"/v1/payouts/{payout['id']}?expand[]=destination")["destination"],
        stripe.Balance: get("/v1/balance"),
        stripe.Refund: get(f"/v1/refunds/{failed['id']}"),
        stripe.ApplicationFee: fee,
        stripe.ApplicationFeeRefund: fee["refunds"]["data"][0],
        stripe.radar.EarlyFraudWarning: get("/v1/radar/early_fraud_warnings")["data"][0],
        stripe.v2.core.Event: shared.call(
            "GET", "/v2/core/events?limit=1", headers={"Stripe-Version": stripe.api_version}
        ).json()["data"][0],
    }


@pytest.fixture
def billed_bodies(shared: Sandbox) -> dict[type, dict[str, Any]]:
    """What Billing makes, in the middle of a period, as JSON."""
    grace = donor(shared.client(), at(2027, 1, 1))
    made = grace.subscribe(grace.price(3100))
    grace.advance(at(2027, 1, 11))
    grace.update(made.id, items=[{"id": made["items"].data[0].id, "quantity": 2}])

    def get(path: str) -> dict[str, Any]:
        body: dict[str, Any] = shared.call("GET", path).json()
        return body

    invoice = get(f"/v1/invoices/{made.latest_invoice}?expand[]=payments&expand[]=confirmation_secret")
    item = get(f"/v1/subscriptions/{made.id}")["items"]["data"][0]
    return {
        stripe.Subscription: get(f"/v1/subscriptions/{made.id}"),
        stripe.SubscriptionItem: item,
        stripe.Price: item["price"],
        stripe.Plan: item["plan"],
        stripe.Product: get(f"/v1/products/{item['price']['product']}"),
        stripe.Invoice: invoice,
        stripe.InvoiceLineItem: invoice["lines"]["data"][0],
        stripe.InvoicePayment: invoice["payments"]["data"][0],
        stripe.InvoiceItem: get(f"/v1/invoiceitems?customer={grace.customer}")["data"][0],
        stripe.test_helpers.TestClock: get(f"/v1/test_helpers/test_clocks/{grace.clock}"),
        stripe.Customer: get(f"/v1/customers/{grace.customer}"),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "PaymentIntent",
        "Charge",
        "Refund",
        "BalanceTransaction",
        "Customer",
        "SetupIntent",
        "SetupAttempt",
        "PaymentMethod",
        "Event",
    ],
)
def test_objects_have_the_fields_of_this_api_version(bodies: dict[str, dict[str, Any]], kind: str) -> None:
    check(getattr(stripe, kind), bodies[kind])


def test_what_comes_after_a_payment_has_the_fields_of_this_api_version(
    money_bodies: dict[type, dict[str, Any]],
) -> None:
    for of, body in money_bodies.items():
        check(of, body)


def test_what_is_billed_has_the_fields_of_this_api_version(billed_bodies: dict[type, dict[str, Any]]) -> None:
    for of, body in billed_bodies.items():
        check(of, body)


def check(of: type, body: dict[str, Any]) -> None:
    """No field that the class does not have, and none missing or empty that it always has."""
    declared = fields(of)
    # Events carry a reference that only their own classes declare.
    if of is stripe.v2.core.Event:
        declared = declared | {"related_object": Any}
    assert body.keys() - declared.keys() == set()
    required = {name for name, hint in declared.items() if not is_optional(hint)}
    assert required - body.keys() == set()
    assert {name for name in required if body[name] is None} == set()


def test_accounts_have_the_fields_of_this_api_version(shared: Sandbox) -> None:
    made = shared.client().v2.core.accounts.create({"display_name": "Clean Rivers"})
    headers = {"Stripe-Version": stripe.api_version}
    body = shared.call("GET", f"/v2/core/accounts/{made.id}", headers=headers).json()
    declared = fields(Account)
    assert body.keys() - declared.keys() == set()
    assert {name for name, hint in declared.items() if not is_optional(hint)} - body.keys() == set()
