"""Warnings of fraud before anybody disputes."""

import pytest
import stripe

from tests.stripe_sandbox.onboarding import donate
from tests.stripe_sandbox.running import Endpoint, Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_bank_may_report_fraud(client: stripe.StripeClient, account: str, endpoint: Endpoint) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    paid = donate(client, account, "pm_card_createIssuerFraudRecord")
    (warning,) = client.v1.radar.early_fraud_warnings.list({"payment_intent": paid.id}, options).data
    assert (warning.actionable, warning.charge) == (True, paid.latest_charge)
    event = endpoint.take_type("radar.early_fraud_warning.created").event
    assert (event["account"], event["data"]["object"]["id"]) == (account, warning.id)
    # A warning is not a dispute: the money is still there.
    assert client.v1.disputes.list({}, options).data == []


@pytest.mark.parametrize(("hook", "body"), [("refund", {}), ("dispute", {"claim": "fraudulent"})])
def test_a_warning_asks_for_nothing_once_the_money_is_gone(
    sandbox: Sandbox, client: stripe.StripeClient, account: str, hook: str, body: dict[str, str]
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    charge = str(donate(client, account).latest_charge)
    warned = sandbox.hook(f"charges/{charge}/fraud_warning").json()
    assert sandbox.hook(f"charges/{charge}/{hook}", body).status_code == 200
    found = client.v1.radar.early_fraud_warnings.retrieve(warned["id"], {"expand": ["charge"]}, options)
    assert (found.actionable, isinstance(found.charge, stripe.Charge)) == (False, True)
    (event,) = client.v1.events.list({"type": "radar.early_fraud_warning.updated"}, options).data
    assert event.data.object["id"] == warned["id"]


def test_a_part_given_back_leaves_the_warning_as_it_is(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    charge = str(donate(client, account).latest_charge)
    warned = sandbox.hook(f"charges/{charge}/fraud_warning").json()
    sandbox.hook(f"charges/{charge}/refund", {"amount": 100})
    found = client.v1.radar.early_fraud_warnings.retrieve(warned["id"], {}, {"stripe_account": account})
    assert found.actionable


def test_a_failed_charge_is_no_fraud(sandbox: Sandbox, client: stripe.StripeClient, account: str) -> None:
    with pytest.raises(stripe.CardError) as declined:
        donate(client, account, "pm_card_chargeDeclined")
    assert declined.value.error is not None
    assert sandbox.hook(f"charges/{declined.value.error.charge}/fraud_warning").status_code == 400
