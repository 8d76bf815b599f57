"""Cards and bank accounts that are stored with a customer now and pay later, here and on connected accounts."""

from typing import Any

import pytest
import stripe

from tests.stripe_sandbox.onboarding import CARDS_WITHOUT_REDIRECTS, wanted
from tests.stripe_sandbox.running import PUBLISHABLE_KEY, Endpoint, Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def customer(client: stripe.StripeClient) -> str:
    return client.v1.customers.create({"name": "Grace", "email": "grace@example.org"}).id


def set_up(client: stripe.StripeClient, customer: str, method: str = "pm_card_visa") -> stripe.SetupIntent:
    """A card of this customer, stored for payments without them."""
    return client.v1.setup_intents.create(
        {
            "customer": customer,
            "payment_method": method,
            "confirm": True,
            "automatic_payment_methods": CARDS_WITHOUT_REDIRECTS,
        }
    )


def pay_later(client: stripe.StripeClient, customer: str, method: str, **more: Any) -> stripe.PaymentIntent:
    """25.00 EUR while the donor is away."""
    return client.v1.payment_intents.create(
        wanted(customer=customer, payment_method=method, confirm=True, off_session=True, **more)
    )


def test_a_stored_card_pays_later(client: stripe.StripeClient, customer: str, endpoint: Endpoint) -> None:
    stored = set_up(client, customer)
    assert (stored.status, stored.usage, stored.customer) == ("succeeded", "off_session", customer)
    told = {event["type"]: event["data"]["object"] for event in (endpoint.take().event for _ in range(4))}
    assert set(told) == {
        "customer.created",
        "payment_method.attached",
        "setup_intent.created",
        "setup_intent.succeeded",
    }
    assert told["customer.created"]["id"] == customer
    paid = pay_later(client, customer, str(stored.payment_method))
    assert (paid.status, paid.customer) == ("succeeded", customer)
    charge = client.v1.charges.retrieve(str(paid.latest_charge), {"expand": ["customer"]})
    assert isinstance(charge.customer, stripe.Customer)
    (listed,) = client.v1.payment_intents.list({"customer": customer}).data
    assert listed.id == paid.id


def test_a_card_that_asks_its_bank_once_is_set_up_with_the_donor_present(
    sandbox: Sandbox, client: stripe.StripeClient, customer: str
) -> None:
    waiting = set_up(client, customer, "pm_card_authenticationRequiredOnSetup")
    assert waiting.status == "requires_action"
    method = str(waiting.payment_method)
    with pytest.raises(stripe.CardError) as asked:
        pay_later(client, customer, method)
    assert asked.value.code == "authentication_required"
    assert waiting.next_action is not None
    assert waiting.next_action.use_stripe_sdk is not None
    page = str(waiting.next_action.use_stripe_sdk["stripe_js"]).removeprefix(sandbox.settings.public_url)
    assert sandbox.http.post(page, data={"outcome": "succeed"}).json()["status"] == "succeeded"
    assert pay_later(client, customer, method).status == "succeeded"


def test_a_failed_authentication_stores_nothing(
    sandbox: Sandbox, client: stripe.StripeClient, customer: str
) -> None:
    intent = client.v1.setup_intents.create({"customer": customer})
    waiting = client.v1.setup_intents.confirm(
        intent.id,
        {"payment_method": "pm_card_authenticationRequired", "return_url": "https://rivers.example/card"},
    )
    assert waiting.next_action is not None
    assert waiting.next_action.redirect_to_url is not None
    page = str(waiting.next_action.redirect_to_url.url).removeprefix(sandbox.settings.public_url)
    back = sandbox.http.post(page, data={"outcome": "fail"})
    assert back.headers["location"].startswith(f"https://rivers.example/card?setup_intent={intent.id}&")
    failed = client.v1.setup_intents.retrieve(intent.id)
    assert (failed.status, failed.payment_method) == ("requires_payment_method", None)
    assert failed.last_setup_error is not None
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    assert client.v1.customers.payment_methods.list(customer).data == []


def test_a_card_can_be_stored_and_refused_later(client: stripe.StripeClient, customer: str) -> None:
    stored = set_up(client, customer, "pm_card_chargeCustomerFail")
    assert stored.status == "succeeded"
    with pytest.raises(stripe.CardError) as declined:
        pay_later(client, customer, str(stored.payment_method))
    assert declined.value.code == "card_declined"


def test_a_declined_card_is_not_stored(client: stripe.StripeClient, customer: str) -> None:
    with pytest.raises(stripe.CardError) as declined:
        set_up(client, customer, "pm_card_chargeDeclined")
    assert declined.value.code == "card_declined"
    (intent,) = client.v1.setup_intents.list({"customer": customer}).data
    assert intent.status == "requires_payment_method"
    assert (
        client.v1.setup_intents.cancel(intent.id, {"cancellation_reason": "abandoned"}).status == "canceled"
    )
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        client.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


def test_each_card_that_a_setup_does_not_take_is_told_of_and_listed(
    client: stripe.StripeClient, customer: str, endpoint: Endpoint
) -> None:
    intent = client.v1.setup_intents.create(
        {"customer": customer, "automatic_payment_methods": CARDS_WITHOUT_REDIRECTS}
    )
    for method in ("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds"):
        with pytest.raises(stripe.CardError):
            client.v1.setup_intents.confirm(intent.id, {"payment_method": method})
    stored = client.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    newest, *declined = client.v1.setup_attempts.list({"setup_intent": intent.id}).data
    assert (newest.status, newest.id) == ("succeeded", stored.latest_attempt)
    assert [tried.status for tried in declined] == ["failed", "failed"]
    assert [tried.setup_error and tried.setup_error.decline_code for tried in declined] == [
        "insufficient_funds",
        "generic_decline",
    ]
    cards = [tried.payment_method_details.card for tried in declined]
    assert len({getattr(card, "fingerprint", None) for card in cards}) == 2
    told = [endpoint.take().event for _ in range(6)]
    failed = [event["data"]["object"] for event in told if event["type"] == "setup_intent.setup_failed"]
    assert {each["last_setup_error"]["decline_code"] for each in failed} == {
        "generic_decline",
        "insufficient_funds",
    }


def test_a_payment_can_store_its_card(client: stripe.StripeClient, customer: str) -> None:
    paid = client.v1.payment_intents.create(
        wanted(
            customer=customer, setup_future_usage="off_session", payment_method="pm_card_visa", confirm=True
        )
    )
    (stored,) = client.v1.payment_methods.list({"customer": customer, "type": "card"}).data
    assert stored.id == paid.payment_method


def test_a_customers_card_pays_for_nobody_else(client: stripe.StripeClient, customer: str) -> None:
    method = str(set_up(client, customer).payment_method)
    other = client.v1.customers.create({"name": "Ada"}).id
    for payer in (None, other):
        with pytest.raises(stripe.InvalidRequestError, match="attached to a customer"):
            client.v1.payment_intents.create(
                wanted(payment_method=method, confirm=True, **({"customer": payer} if payer else {}))
            )
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        client.v1.payment_methods.attach(method, {"customer": other})


def test_a_stored_card_is_copied_to_every_organisation_it_gives_to(
    client: stripe.StripeClient, customer: str, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    method = str(set_up(client, customer).payment_method)
    copy = client.v1.payment_methods.create({"customer": customer, "payment_method": method}, options)
    assert (copy.id != method, copy.customer) == (True, None)
    paid = client.v1.payment_intents.create(wanted(payment_method=copy.id, confirm=True), options)
    assert paid.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="connected account"):
        client.v1.payment_methods.create({"customer": customer, "payment_method": method})
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        client.v1.payment_methods.create({"payment_method": method}, options)


def test_a_copy_is_charged_as_the_card_that_is_stored_and_none_is_made_of_a_forgotten_customers(
    client: stripe.StripeClient, customer: str, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    broke = str(set_up(client, customer, "pm_card_chargeCustomerFail").payment_method)
    copy = client.v1.payment_methods.create({"customer": customer, "payment_method": broke}, options)
    with pytest.raises(stripe.CardError, match="declined"):
        client.v1.payment_intents.create(wanted(payment_method=copy.id, confirm=True), options)
    client.v1.customers.delete(customer)
    with pytest.raises(stripe.InvalidRequestError, match="deleted customer"):
        client.v1.payment_methods.create({"customer": customer, "payment_method": broke}, options)


def test_a_card_can_be_taken_from_its_customer(client: stripe.StripeClient, customer: str) -> None:
    method = str(set_up(client, customer).payment_method)
    assert client.v1.payment_methods.detach(method).customer is None
    assert client.v1.customers.payment_methods.list(customer).data == []
    with pytest.raises(stripe.InvalidRequestError, match="detachment is impossible"):
        client.v1.payment_methods.detach(method)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(method, {"customer": customer})
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_intents.create(wanted(payment_method=method, confirm=True))


def test_a_customer_is_changed_found_and_forgotten(client: stripe.StripeClient, customer: str) -> None:
    changed = client.v1.customers.update(customer, {"name": "Grace Hopper", "metadata": {"donor": "1"}})
    assert (changed.name, changed.email) == ("Grace Hopper", "grace@example.org")
    assert [found.id for found in client.v1.customers.list({"email": "grace@example.org"}).data] == [customer]
    set_up(client, customer)
    assert client.v1.customers.delete(customer).deleted
    assert client.v1.customers.list().data == []
    gone = client.v1.customers.retrieve(customer)
    assert (gone.deleted, "email" in gone.to_dict()) == (True, False)
    with pytest.raises(stripe.InvalidRequestError, match="deleted customer"):
        client.v1.setup_intents.create({"customer": customer})


def test_a_browser_stores_a_card_with_the_client_secret_alone(sandbox: Sandbox, customer: str) -> None:
    intent = sandbox.client().v1.setup_intents.create({"customer": customer, "metadata": {"donor": "1"}})
    path = f"/v1/setup_intents/{intent.id}"
    form = {
        "client_secret": str(intent.client_secret),
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": "4242424242424242",
        "payment_method_data[card][exp_month]": "12",
        "payment_method_data[card][exp_year]": "34",
        "payment_method_data[card][cvc]": "123",
    }
    stored = sandbox.call("POST", f"{path}/confirm", key=PUBLISHABLE_KEY, data=form).json()
    assert (stored["status"], "metadata" in stored, "customer" in stored) == ("succeeded", False, False)
    secret = {"client_secret": f"{intent.id}_secret_other"}
    assert sandbox.call("GET", path, key=PUBLISHABLE_KEY, params=secret).status_code == 403
    assert sandbox.call("GET", path, key=PUBLISHABLE_KEY).status_code == 400


def test_a_bank_account_is_stored_with_its_mandate_and_debited_later(
    client: stripe.StripeClient, customer: str
) -> None:
    data: Any = {
        "type": "sepa_debit",
        "sepa_debit": {"iban": "DE89370400440532013000"},
        "billing_details": {"name": "Grace", "email": "grace@example.org"},
    }
    asked: Any = {
        "customer": customer,
        "confirm": True,
        "payment_method_data": data,
        "automatic_payment_methods": CARDS_WITHOUT_REDIRECTS,
    }
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.setup_intents.create(asked)
    assert refused.value.code == "setup_intent_mandate_invalid"
    agreed = {"mandate_data": {"customer_acceptance": {"type": "offline"}}, "expand": ["mandate"]}
    stored = client.v1.setup_intents.create(asked | agreed)
    assert isinstance(stored.mandate, stripe.Mandate)
    assert (stored.status, stored.mandate.status, stored.mandate.payment_method) == (
        "succeeded",
        "active",
        stored.payment_method,
    )
    debited = pay_later(client, customer, str(stored.payment_method), expand=["latest_charge"])
    assert debited.status == "processing"
    assert isinstance(debited.latest_charge, stripe.Charge)
    details = debited.latest_charge.payment_method_details
    assert details is not None
    assert details.sepa_debit is not None
    assert details.sepa_debit.mandate == stored.mandate.id
    assert client.v1.mandates.retrieve(stored.mandate.id).id == stored.mandate.id
