"""The objects' fields, against the classes of the installed SDK."""

import types
import typing
from typing import Any, Union

import pytest
import stripe
from stripe.v2.core import Account

from tests.stripe_sandbox.onboarding import donate
from tests.stripe_sandbox.running import Sandbox

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

    def get(path: str) -> dict[str, Any]:
        body: dict[str, Any] = shared.call("GET", path).json()
        return body

    return {
        "PaymentIntent": get(f"/v1/payment_intents/{paid.id}"),
        "Charge": get(f"/v1/charges/{paid.latest_charge}"),
        "Refund": get(f"/v1/refunds/{refund.id}"),
        "BalanceTransaction": get(f"/v1/balance_transactions/{refund.balance_transaction}"),
        "PaymentMethod": get(f"/v1/payment_methods/{paid.payment_method}"),
        "Event": get("/v1/events?limit=1")["data"][0],
    }


@pytest.mark.parametrize(
    "kind", ["PaymentIntent", "Charge", "Refund", "BalanceTransaction", "PaymentMethod", "Event"]
)
def test_objects_have_the_fields_of_this_api_version(bodies: dict[str, dict[str, Any]], kind: str) -> None:
    declared, body = fields(getattr(stripe, kind)), bodies[kind]
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
