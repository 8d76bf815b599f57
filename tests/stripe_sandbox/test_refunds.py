"""Refunds that do not end where they began: pending, failed, canceled, and made on Stripe's own pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.onboarding import donate, onboard
from tests.stripe_sandbox.running import Endpoint, Sandbox, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NET = 2437  # of 25.00 EUR, less 63 of fees


def refund(client: stripe.StripeClient, account: str, method: str, amount: int = 1000) -> stripe.Refund:
    """A part of a donation of 25.00 EUR with this card, given back."""
    paid = donate(client, account, method)
    return client.v1.refunds.create(
        {"payment_intent": paid.id, "amount": amount}, {"stripe_account": account}
    )


def pending(client: stripe.StripeClient, account: str) -> int:
    return client.v1.balance.retrieve({}, {"stripe_account": account}).pending[0].amount


@pytest.mark.parametrize(
    ("method", "first", "last", "refunded", "balance"),
    [
        ("pm_card_pendingRefund", "pending", "succeeded", 1000, NET - 1000),
        ("pm_card_refundFail", "succeeded", "failed", 0, NET),
    ],
)
def test_a_refund_may_end_otherwise_than_it_began(
    settings: Settings, method: str, first: str, last: str, refunded: int, balance: int
) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(replace(settings, refund_delay=timedelta(days=5)), lambda: moment[0]) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        options: stripe.RequestOptions = {"stripe_account": account}
        made = refund(client, account, method)
        assert (made.status, pending(client, account)) == (first, NET - 1000)
        charge = client.v1.charges.retrieve(str(made.charge), {}, options)
        assert (charge.amount_refunded, charge.refunded) == (1000, False)
        moment[0] += timedelta(days=5)
        client.v1.refunds.list({}, options)
        ended = client.v1.refunds.retrieve(made.id, {}, options)
        charge = client.v1.charges.retrieve(str(made.charge), {}, options)
        assert (ended.status, charge.amount_refunded, pending(client, account)) == (last, refunded, balance)


def test_a_failed_refund_says_why_and_where_its_money_is(settings: Settings, endpoint: Endpoint) -> None:
    with running(replace(settings, refund_delay=timedelta(milliseconds=50))) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        made = refund(client, account, "pm_card_refundFail", amount=2500)
        told = endpoint.take_type("refund.failed").event["data"]["object"]
        assert (told["id"], told["failure_reason"]) == (made.id, "expired_or_canceled_card")
        found = client.v1.refunds.retrieve(
            made.id, {"expand": ["failure_balance_transaction", "charge"]}, {"stripe_account": account}
        )
        back = found.failure_balance_transaction
        assert isinstance(back, stripe.BalanceTransaction)
        assert (back.type, back.reporting_category, back.net) == ("refund_failure", "refund_failure", 2500)
        assert isinstance(found.charge, stripe.Charge)
        assert (found.charge.refunded, found.charge.amount_refunded) == (False, 0)


def test_every_change_of_a_refund_is_told_twice(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    made = refund(client, account, "pm_card_visa")
    sandbox.hook(f"refunds/{made.id}/fail", {"reason": "lost_or_stolen_card"})
    told = client.v1.events.list({"limit": 5}, options).data[::-1]
    assert [event.type for event in told] == [
        "refund.created",
        "charge.refunded",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
    ]
    assert told[2].data.previous_attributes is not None
    assert told[2].data.previous_attributes["status"] == "succeeded"
    again = sandbox.hook(f"refunds/{made.id}/fail")
    assert (again.status_code, "back already" in again.text) == (400, True)
    assert sandbox.hook(f"refunds/{made.id}/fail", {"reason": "boredom"}).status_code == 400


def test_parts_add_up_and_what_failed_can_be_refunded_again(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    first = refund(client, account, "pm_card_visa")
    charge = str(first.charge)
    client.v1.refunds.create({"charge": charge}, options)
    assert client.v1.charges.retrieve(charge, {}, options).refunded
    sandbox.hook(f"refunds/{first.id}/fail")
    partly = client.v1.charges.retrieve(charge, {}, options)
    assert (partly.refunded, partly.amount_refunded) == (False, 1500)
    assert client.v1.refunds.create({"charge": charge}, options).amount == 1000
    assert client.v1.charges.retrieve(charge, {}, options).refunded


def test_a_pending_refund_can_be_canceled_in_the_dashboard(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    made = refund(client, account, "pm_card_pendingRefund")
    canceled = sandbox.hook(f"refunds/{made.id}/cancel").json()
    assert (canceled["status"], canceled["failure_reason"]) == ("canceled", "merchant_request")
    assert client.v1.charges.retrieve(str(made.charge), {}, options).amount_refunded == 0
    assert pending(client, account) == NET
    done = refund(client, account, "pm_card_visa")
    assert sandbox.hook(f"refunds/{done.id}/cancel").status_code == 400


def test_a_refund_made_in_the_dashboard_belongs_to_no_request_of_ours(
    sandbox: Sandbox, client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    charge = str(donate(client, account).latest_charge)
    made = sandbox.hook(f"charges/{charge}/refund", {"amount": 700, "reason": "requested_by_customer"}).json()
    assert (made["amount"], made["status"], made["metadata"]) == (700, "succeeded", {})
    event = endpoint.take_type("refund.created").event
    assert (event["account"], event["request"]) == (account, {"id": None, "idempotency_key": None})
    assert client.v1.charges.retrieve(charge, {}, options).amount_refunded == 700
    odd = sandbox.hook(f"charges/{charge}/refund", {"reason": "boredom"})
    assert (odd.status_code, "requested_by_customer" in odd.text) == (400, True)
    above = sandbox.hook(f"charges/{charge}/refund", {"amount": 1801})
    assert (above.status_code, "greater than unrefunded" in above.text) == (400, True)


def test_a_refunds_metadata_can_change(client: stripe.StripeClient, account: str) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    made = refund(client, account, "pm_card_visa")
    changed = client.v1.refunds.update(made.id, {"metadata": {"case": "7"}}, options)
    assert changed.metadata is not None
    assert changed.metadata["case"] == "7"
    (event,) = client.v1.events.list({"type": "refund.updated"}, options).data
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes.to_dict() == {"metadata": {}}
