"""One donation as a direct charge, driven by the vendor's own client."""

import pytest
import stripe

from tests.stripe_sandbox.at_stripe import also_at_stripe
from tests.stripe_sandbox.onboarding import donate, wanted
from tests.stripe_sandbox.running import Sandbox

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_confirmed_payment_succeeds_and_carries_its_fee(client: stripe.StripeClient, account: str) -> None:
    paid = donate(client, account)
    assert (paid.status, paid.amount_received, paid.livemode) == ("succeeded", 2500, False)
    found = client.v1.payment_intents.retrieve(
        paid.id, {"expand": ["latest_charge.balance_transaction"]}, {"stripe_account": account}
    )
    charge = found.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.captured, charge.amount_captured) == (True, True, 2500)
    movement = charge.balance_transaction
    assert isinstance(movement, stripe.BalanceTransaction)
    # 1.5 % of 25.00 rounded half up, and 0.25.
    assert (movement.amount, movement.fee, movement.net) == (2500, 63, 2437)
    assert movement.source == charge.id


@also_at_stripe
def test_the_answer_to_a_confirmation_has_no_balance_transaction_yet(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted())
    paid = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
    )
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert paid.latest_charge.balance_transaction is None


@also_at_stripe
def test_synchronous_capture_has_its_balance_transaction_at_once(client: stripe.StripeClient) -> None:
    paid = client.v1.payment_intents.create(
        wanted(
            capture_method="automatic",
            confirm=True,
            payment_method="pm_card_mastercard",
            expand=["latest_charge.balance_transaction"],
        )
    )
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert isinstance(paid.latest_charge.balance_transaction, stripe.BalanceTransaction)


@also_at_stripe
def test_an_unexpanded_answer_holds_ids(client: stripe.StripeClient) -> None:
    paid = donate(client)
    assert isinstance(paid.latest_charge, str)
    assert paid.latest_charge.startswith("ch_")
    assert client.v1.charges.retrieve(paid.latest_charge).payment_intent == paid.id


@also_at_stripe
def test_expanding_what_is_no_reference_is_refused(client: stripe.StripeClient) -> None:
    paid = donate(client)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.payment_intents.retrieve(paid.id, {"expand": ["amount"]})


@also_at_stripe
def test_a_connected_account_sees_only_its_own_objects(client: stripe.StripeClient, account: str) -> None:
    paid = donate(client, account)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.retrieve(paid.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


@also_at_stripe
def test_confirming_without_a_return_url_is_refused_where_redirects_are_possible(
    client: stripe.StripeClient,
) -> None:
    intent = client.v1.payment_intents.create({"amount": 2500, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="you must provide a `return_url`"):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    paid = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa", "return_url": "https://rivers.example/thanks"}
    )
    assert paid.status == "succeeded"


@also_at_stripe
def test_a_paid_intent_is_neither_confirmed_again_nor_canceled(client: stripe.StripeClient) -> None:
    paid = donate(client)
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.payment_intents.confirm(paid.id, {"payment_method": "pm_card_visa"})
    assert again.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError) as late:
        client.v1.payment_intents.cancel(paid.id)
    assert late.value.code == "payment_intent_unexpected_state"
    assert len(client.v1.charges.list({"payment_intent": paid.id}).data) == 1


@also_at_stripe
def test_a_canceled_intent_cannot_be_paid(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted())
    canceled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at is not None
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


@also_at_stripe
def test_an_unpaid_intent_can_be_changed(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted(metadata={"donation_id": "don_1", "fund": "wells"}))
    changed = client.v1.payment_intents.update(intent.id, {"amount": 3000, "metadata": {"fund": ""}})
    assert changed.amount == 3000
    assert changed.metadata.to_dict() == {"donation_id": "don_1"}


def test_a_refund_returns_the_amount_and_keeps_the_fee(client: stripe.StripeClient, account: str) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    paid = donate(client, account)
    part = client.v1.refunds.create(
        {"payment_intent": paid.id, "amount": 1000, "expand": ["balance_transaction"]}, options
    )
    assert (part.status, part.amount) == ("succeeded", 1000)
    assert isinstance(part.balance_transaction, stripe.BalanceTransaction)
    assert (part.balance_transaction.net, part.balance_transaction.fee) == (-1000, 0)
    rest = client.v1.refunds.create(
        {"charge": str(paid.latest_charge), "reason": "requested_by_customer"}, options
    )
    assert rest.amount == 1500
    charge = client.v1.charges.retrieve(str(paid.latest_charge), {"expand": ["refunds"]}, options)
    assert (charge.refunded, charge.amount_refunded) == (True, 2500)
    assert charge.refunds is not None
    assert [refund.id for refund in charge.refunds.data] == [rest.id, part.id]


@also_at_stripe
def test_a_refund_above_what_is_left_is_refused(client: stripe.StripeClient) -> None:
    paid = donate(client)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": paid.id, "amount": 2501})
    client.v1.refunds.create({"payment_intent": paid.id})
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.refunds.create({"payment_intent": paid.id})
    assert again.value.code == "charge_already_refunded"


@also_at_stripe
def test_a_refund_of_an_unpaid_intent_is_refused(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(wanted())
    with pytest.raises(stripe.InvalidRequestError, match="successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})


def test_the_balance_adds_up(client: stripe.StripeClient, account: str) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    paid = donate(client, account)
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 500}, options)
    movements = client.v1.balance_transactions.list({"currency": "eur"}, options).data
    assert [(movement.type, movement.net) for movement in movements] == [("refund", -500), ("charge", 2437)]


def test_health_answers(sandbox: Sandbox) -> None:
    assert sandbox.http.get("/_sandbox/health").json() == {"status": "ok"}
