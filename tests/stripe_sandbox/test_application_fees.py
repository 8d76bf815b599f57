"""The platform's part of a direct charge, on both sides."""

import pytest
import stripe

from tests.stripe_sandbox.onboarding import donate, wanted
from tests.stripe_sandbox.running import Endpoint

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def charge_of(client: stripe.StripeClient, account: str) -> stripe.Charge:
    """The charge of a donation of 25.00 EUR, of which the platform gets 1.00."""
    paid = donate(client, account, application_fee_amount=100)
    return client.v1.charges.retrieve(
        str(paid.latest_charge), {"expand": ["balance_transaction"]}, {"stripe_account": account}
    )


def fee_of(client: stripe.StripeClient, charge: stripe.Charge) -> stripe.ApplicationFee:
    (found,) = client.v1.application_fees.list({"charge": charge.id}).data
    return found


def rows(client: stripe.StripeClient, account: str | None = None) -> list[tuple[str, str, int]]:
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    found = client.v1.balance_transactions.list({}, options).data
    return [(moved.type, moved.reporting_category, moved.net) for moved in found]


def test_the_fee_leaves_the_one_balance_and_comes_to_the_other(
    client: stripe.StripeClient, account: str
) -> None:
    charge = charge_of(client, account)
    assert (charge.application_fee_amount, charge.application) == (100, "ca_sandboxplatform")
    moved = charge.balance_transaction
    assert isinstance(moved, stripe.BalanceTransaction)
    assert (moved.amount, moved.fee, moved.net) == (2500, 163, 2337)
    assert [(detail.type, detail.amount, detail.application) for detail in moved.fee_details] == [
        ("stripe_fee", 63, None),
        ("application_fee", 100, "ca_sandboxplatform"),
    ]
    fee = fee_of(client, charge)
    assert (charge.application_fee, fee.account, fee.charge) == (fee.id, account, charge.id)
    assert (fee.amount, fee.amount_refunded, fee.refunded, fee.refunds.data) == (100, 0, False, [])
    assert rows(client) == [("application_fee", "platform_earning", 100)]


def test_the_fee_is_the_platforms_own_and_comes_with_the_settlement(
    client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    charge = charge_of(client, account)
    told = {}
    for _ in range(5):
        event = endpoint.take().event
        told[event["type"]] = event
    assert "account" not in told["application_fee.created"]
    assert told["application_fee.created"]["data"]["object"]["charge"] == charge.id
    assert told["charge.succeeded"]["data"]["object"]["application_fee"] is None
    assert told["charge.updated"]["data"]["previous_attributes"] == {
        "application_fee": None,
        "balance_transaction": None,
    }


def test_a_refund_keeps_the_fee_unless_told_otherwise(client: stripe.StripeClient, account: str) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    charge = charge_of(client, account)
    client.v1.refunds.create({"charge": charge.id, "amount": 500}, options)
    assert fee_of(client, charge).amount_refunded == 0
    made = client.v1.refunds.create(
        {
            "charge": charge.id,
            "amount": 1000,
            "refund_application_fee": True,
            "expand": ["balance_transaction"],
        },
        options,
    )
    # 1.00 of 25.00 is 4 %: of these 10.00 the platform gives 0.40 back.
    assert isinstance(made.balance_transaction, stripe.BalanceTransaction)
    assert (made.balance_transaction.fee, made.balance_transaction.net) == (-40, -960)
    fee = fee_of(client, charge)
    assert (fee.amount_refunded, fee.refunded, [given.amount for given in fee.refunds.data]) == (
        40,
        False,
        [40],
    )
    assert rows(client)[0] == ("application_fee_refund", "platform_earning_refund", -40)
    (event,) = client.v1.events.list({"type": "application_fee.refunded"}).data
    assert event.data.object["amount_refunded"] == 40


def test_a_fee_can_be_given_back_by_itself(client: stripe.StripeClient, account: str) -> None:
    charge = charge_of(client, account)
    fee = fee_of(client, charge)
    given = client.v1.application_fees.refunds.create(fee.id, {"amount": 30, "metadata": {"case": "7"}})
    assert (given.amount, given.fee) == (30, fee.id)
    assert rows(client, account)[0] == ("adjustment", "other_adjustment", 30)
    moved = client.v1.balance_transactions.list(
        {"limit": 1, "expand": ["data.source"]}, {"stripe_account": account}
    ).data[0]
    # It is the platform's object, which the account cannot look into.
    assert moved.source == given.id
    rest = client.v1.application_fees.refunds.create(fee.id)
    assert (rest.amount, fee_of(client, charge).refunded) == (70, True)
    listed = client.v1.application_fees.refunds.list(fee.id, {"limit": 1}).data
    assert [found.id for found in listed] == [rest.id]
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.application_fees.refunds.create(fee.id)


def test_a_dispute_does_not_give_the_fee_back(client: stripe.StripeClient, account: str) -> None:
    paid = donate(client, account, "pm_card_createDispute", application_fee_amount=100)
    assert client.v1.disputes.list({"payment_intent": paid.id}, {"stripe_account": account}).data
    (fee,) = client.v1.application_fees.list().data
    assert (fee.amount_refunded, rows(client)) == (0, [("application_fee", "platform_earning", 100)])


@pytest.mark.parametrize("fee", [0, -1, 2501])
def test_an_impossible_fee_is_refused(client: stripe.StripeClient, account: str, fee: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(wanted(application_fee_amount=fee), {"stripe_account": account})
    assert refused.value.param == "application_fee_amount"


def test_there_is_no_fee_without_a_connected_account(client: stripe.StripeClient, account: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="direct payment"):
        client.v1.payment_intents.create(wanted(application_fee_amount=100))
    paid = donate(client, account)
    with pytest.raises(stripe.InvalidRequestError, match="no application fee"):
        client.v1.refunds.create(
            {"payment_intent": paid.id, "refund_application_fee": True}, {"stripe_account": account}
        )
