"""Every parameter against the SDK's own types, and Stripe's rules beyond types."""

from typing import Any

import pytest
import stripe

from stripe_sandbox.app import operations
from stripe_sandbox.parameters import Shape, _load, _request_options
from tests.stripe_sandbox.onboarding import donate, wanted
from tests.stripe_sandbox.running import Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

GOOD = {"amount": "2500", "currency": "eur"}


@pytest.mark.parametrize(
    ("form", "param", "code"),
    [
        ({"currency": "eur"}, "amount", "parameter_missing"),
        ({"amount": "2500"}, "currency", "parameter_missing"),
        (GOOD | {"colour": "red"}, "colour", "parameter_unknown"),
        (GOOD | {"api_key": "sk_test_x"}, "api_key", "parameter_unknown"),
        (GOOD | {"payment_method_types[0]": "card"}, "payment_method_types", "parameter_unknown"),
        (
            GOOD | {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[x]": "1"},
            "automatic_payment_methods[x]",
            "parameter_unknown",
        ),
        (
            GOOD | {"automatic_payment_methods[allow_redirects]": "never"},
            "automatic_payment_methods[enabled]",
            "parameter_missing",
        ),
        (GOOD | {"amount": "25.00"}, "amount", "parameter_invalid_integer"),
        (GOOD | {"amount": "1e3"}, "amount", "parameter_invalid_integer"),
        (GOOD | {"amount": " 2500"}, "amount", "parameter_invalid_integer"),
        (GOOD | {"amount": "9" * 40}, "amount", "parameter_invalid_integer"),
        (GOOD | {"amount": "0"}, "amount", "parameter_invalid_integer"),
        (GOOD | {"amount": "-2500"}, "amount", "parameter_invalid_integer"),
        (GOOD | {"amount": "49"}, "amount", "amount_too_small"),
        (GOOD | {"amount": "5124", "currency": "kwd"}, "amount", "invalid_amount"),
        (GOOD | {"amount": "100000000"}, "amount", "amount_too_large"),
        (GOOD | {"currency": "xyz"}, "currency", None),
        (GOOD | {"currency": ""}, "currency", "parameter_invalid_empty"),
        (GOOD | {"confirm": "yes"}, "confirm", None),
        (GOOD | {"capture_method": "later"}, "capture_method", None),
        (GOOD | {"metadata": "x"}, "metadata", None),
        (GOOD | {"metadata[" + "k" * 41 + "]": "x"}, "metadata", None),
        (GOOD | {"metadata[k]": "x" * 501}, "metadata[k]", None),
        (GOOD | {"receipt_email": "nobody"}, "receipt_email", "email_invalid"),
        (GOOD | {"return_url": "https://rivers.example"}, "return_url", None),
        (GOOD | {"expand[0][x]": "1"}, "expand[0]", None),
    ],
)
def test_a_bad_parameter_is_refused_by_name(
    shared: Sandbox, form: dict[str, str], param: str, code: str | None
) -> None:
    response = shared.call("POST", "/v1/payment_intents", data=form)
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error.get("code")) == (param, code)
    assert shared.client().v1.payment_intents.list().data == []


@pytest.mark.parametrize(
    "param", ["transfer_data[destination]", "on_behalf_of", "customer_account", "transfer_group"]
)
def test_what_stripe_can_do_and_the_sandbox_cannot_is_never_ignored(shared: Sandbox, param: str) -> None:
    response = shared.call("POST", "/v1/payment_intents", data=GOOD | {param: "x_1"})
    assert response.status_code == 501
    assert "does not model" in response.json()["error"]["message"]


def _unknown_names(of: Shape) -> list[str]:
    """Modelled names that the SDK's type does not have."""
    return sorted(of.modelled - (_load(of.source).__annotations__.keys() - _request_options()))


def test_every_parameter_the_sandbox_acts_upon_exists_in_the_sdk() -> None:
    assert {f"{found.method} {found.path}": _unknown_names(found.shape) for found in operations()} == {
        f"{found.method} {found.path}": [] for found in operations()
    }


@pytest.mark.parametrize(
    ("currency", "amount", "fee"),
    [("gbp", 1000, 35), ("usd", 1000, 59), ("jpy", 1000, 36), ("chf", 1000, 59)],
)
def test_fees_follow_the_currency(client: stripe.StripeClient, currency: str, amount: int, fee: int) -> None:
    donate(client, currency=currency, amount=amount)
    (movement,) = client.v1.balance_transactions.list().data
    assert (movement.fee, movement.net, movement.currency) == (fee, amount - fee, currency)


def test_a_currency_may_be_written_in_capitals(client: stripe.StripeClient) -> None:
    assert client.v1.payment_intents.create(wanted(currency="EUR")).currency == "eur"


def test_an_unknown_url_is_answered_in_stripes_shape(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.coupons.list()


@pytest.mark.parametrize(
    "body", [b"amount=1&amount[x]=2", b"amount[x]=2&amount=1", b"[x]=1", b"\xff=1", b"a" * 2_000_000]
)
def test_a_malformed_body_is_refused(shared: Sandbox, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = shared.call("POST", "/v1/payment_intents", content=body, headers=headers)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("body", [b"{", b"[]", b"3", b"\xff"])
def test_a_malformed_json_body_is_refused(shared: Sandbox, body: bytes) -> None:
    headers = {"Stripe-Version": stripe.api_version}
    response = shared.call("POST", "/v2/core/accounts", content=body, headers=headers)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


def test_json_values_must_have_their_own_type(shared: Sandbox) -> None:
    capability: dict[str, Any] = {"merchant": {"capabilities": {"card_payments": {"requested": "true"}}}}
    response = shared.call(
        "POST",
        "/v2/core/accounts",
        json={"configuration": capability},
        headers={"Stripe-Version": stripe.api_version},
    )
    expected = "configuration[merchant][capabilities][card_payments][requested]"
    assert (response.status_code, response.json()["error"]["param"]) == (400, expected)
