"""What each test card does, and what is left behind when the bank says no."""

import pytest
import stripe

from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.onboarding import donate, wanted
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@also_at_stripe
@pytest.mark.parametrize(
    ("method", "decline_code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_a_declined_card_leaves_a_failed_charge_and_lets_the_donor_try_again(
    client: stripe.StripeClient, method: str, decline_code: str
) -> None:
    intent = client.v1.payment_intents.create(wanted())
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": method})
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert declined.value.error is not None
    assert declined.value.error.decline_code == decline_code
    found = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert found.status == "requires_payment_method"
    assert found.payment_method is None
    assert found.last_payment_error is not None
    assert found.last_payment_error.decline_code == decline_code
    assert isinstance(found.latest_charge, stripe.Charge)
    assert (found.latest_charge.status, found.latest_charge.balance_transaction) == ("failed", None)
    assert client.v1.balance_transactions.list({"source": found.latest_charge.id}).data == []
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("succeeded", None)


def test_a_card_that_needs_its_bank_waits_for_it(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 2500, "currency": "eur"})
    waiting = client.v1.payment_intents.confirm(
        intent.id,
        {
            "payment_method": "pm_card_authenticationRequired",
            "return_url": "https://rivers.example/thanks?a=1",
        },
    )
    assert waiting.status == "requires_action"
    assert waiting.next_action is not None
    assert waiting.next_action.redirect_to_url is not None
    page = waiting.next_action.redirect_to_url.url
    assert page is not None
    target = page.removeprefix(sandbox.settings.public_url)
    assert "Complete authentication" in sandbox.http.get(target).text
    back = sandbox.http.post(target, data={"outcome": "succeed"})
    assert back.status_code == 303
    assert back.headers["location"].startswith("https://rivers.example/thanks?a=1&payment_intent=pi_")
    assert back.headers["location"].endswith("redirect_status=succeeded")
    paid = client.v1.payment_intents.retrieve(intent.id)
    assert (paid.status, paid.next_action) == ("succeeded", None)


def test_a_failed_authentication_takes_no_money(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    waiting = donate(client, method="pm_card_authenticationRequired")
    assert waiting.next_action is not None
    assert waiting.next_action.use_stripe_sdk is not None
    target = str(waiting.next_action.use_stripe_sdk["stripe_js"]).removeprefix(sandbox.settings.public_url)
    assert sandbox.http.post(target, data={"outcome": "fail"}).status_code == 200
    failed = client.v1.payment_intents.retrieve(waiting.id)
    assert (failed.status, failed.latest_charge) == ("requires_payment_method", None)
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert sandbox.http.post(target, data={"outcome": "succeed"}).status_code == 400


@also_at_stripe
def test_off_session_a_card_that_needs_its_bank_is_declined(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        client.v1.payment_intents.create(
            wanted(confirm=True, off_session=True, payment_method="pm_card_authenticationRequired")
        )
    assert declined.value.code == "authentication_required"


@also_at_stripe
def test_card_numbers_are_not_taken_from_the_platform(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="generally unsafe"):
        client.v1.payment_methods.create({"type": "card", "card": {"number": "4242424242424242"}})


@also_at_stripe
def test_a_test_token_makes_a_payment_method(client: stripe.StripeClient) -> None:
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("visa", "4242")
    assert donate(client, method=method.id).payment_method == method.id


def typed(number: str, **more: str) -> dict[str, str]:
    card = {"number": number, "exp_month": "12", "exp_year": "34", "cvc": "123"} | more
    return {"payment_method_data[type]": "card"} | {
        f"payment_method_data[card][{name}]": value for name, value in card.items()
    }


@pytest.mark.parametrize(
    ("number", "more", "code"),
    [
        ("4242424242424241", {}, "incorrect_number"),
        ("4242424242424242", {"exp_year": "19"}, "invalid_expiry_year"),
        ("4242424242424242", {"exp_month": "13"}, "invalid_expiry_month"),
        ("4242424242424242", {"cvc": "1"}, "invalid_cvc"),
        ("4111111111111111", {}, "card_declined"),
        ("4000000000000002", {}, "card_declined"),
        ("4000000000009995", {}, "card_declined"),
    ],
)
def test_a_typed_card_that_cannot_pay_is_refused_with_its_reason(
    shared: Sandbox, number: str, more: dict[str, str], code: str
) -> None:
    client = shared.client()
    intent = client.v1.payment_intents.create(wanted())
    form = {"client_secret": str(intent.client_secret)} | typed(number, **more)
    response = shared.call("POST", f"/v1/payment_intents/{intent.id}/confirm", key=PUBLISHABLE_KEY, data=form)
    assert response.status_code == 402
    assert response.json()["error"]["code"] == code
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_a_typed_card_pays(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted())
    form = {"client_secret": str(intent.client_secret)} | typed("4242 4242 4242 4242")
    response = sandbox.call(
        "POST", f"/v1/payment_intents/{intent.id}/confirm", key=PUBLISHABLE_KEY, data=form
    )
    assert response.json()["status"] == "succeeded"
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
