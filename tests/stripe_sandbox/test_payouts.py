"""Balance and payouts: what an account has, what leaves it for the bank, and what comes back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.onboarding import donate, onboard
from tests.stripe_sandbox.running import Endpoint, Sandbox, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NET = 2437  # of 25.00 EUR, less 63 of fees


def money(client: stripe.StripeClient, account: str) -> tuple[int, int]:
    """Available and pending, in euro cents."""
    found = client.v1.balance.retrieve({}, {"stripe_account": account})
    (available,), (pending,) = found.available, found.pending
    return available.amount, pending.amount


def pay_out(sandbox: Sandbox, account: str, **body: Any) -> dict[str, Any]:
    """An automatic payout of everything, pending money included, paid at once."""
    response = sandbox.hook(f"accounts/{account}/payout", {"include_pending": True, "paid": True} | body)
    assert response.status_code == 200, response.text
    paid: dict[str, Any] = response.json()
    return paid


def rows(client: stripe.StripeClient, account: str, **filters: Any) -> list[tuple[str, str, int]]:
    found = client.v1.balance_transactions.list(filters or {}, {"stripe_account": account})  # type: ignore[arg-type]  # filters by name
    return [(moved.type, moved.reporting_category, moved.net) for moved in found.auto_paging_iter()]


def test_an_empty_balance_shows_nothing(client: stripe.StripeClient, account: str) -> None:
    assert money(client, account) == (0, 0)


def test_money_is_pending_for_days_before_it_is_available(settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(settings, lambda: moment[0]) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        donate(client, account)
        assert money(client, account) == (0, NET)
        moment[0] += timedelta(days=7)
        assert money(client, account) == (NET, 0)
        (moved,) = client.v1.balance_transactions.list({}, {"stripe_account": account}).data
        assert moved.status == "available"


def test_one_test_card_does_not_wait(client: stripe.StripeClient, account: str) -> None:
    donate(client, account, "pm_card_bypassPending")
    assert money(client, account) == (NET, 0)


def test_a_refund_of_pending_money_takes_pending_money(client: stripe.StripeClient, account: str) -> None:
    paid = donate(client, account)
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 1000}, {"stripe_account": account})
    assert money(client, account) == (0, NET - 1000)


def test_an_automatic_payout_pays_out_everything_and_names_it(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    first = donate(client, account)
    client.v1.refunds.create({"payment_intent": first.id, "amount": 500}, options)
    donate(client, account, "pm_card_createDispute")
    donate(client, account, amount=10_000)
    paid = pay_out(sandbox, account)
    assert (paid["automatic"], paid["status"], paid["reconciliation_status"]) == (True, "paid", "completed")
    assert rows(client, account, payout=paid["id"], limit=2) == [
        ("payout", "payout", -paid["amount"]),
        ("charge", "charge", 9825),
        ("adjustment", "dispute", -4000),
        ("charge", "charge", NET),
        ("refund", "refund", -500),
        ("charge", "charge", NET),
    ]
    assert paid["amount"] == 9825 - 4000 + NET - 500 + NET
    assert money(client, account) == (0, 0)


def test_every_movement_is_paid_out_once(sandbox: Sandbox, client: stripe.StripeClient, account: str) -> None:
    donate(client, account)
    first = pay_out(sandbox, account)
    donate(client, account, amount=5000)
    second = pay_out(sandbox, account)
    assert rows(client, account, payout=second["id"]) == [
        ("payout", "payout", -4900),
        ("charge", "charge", 4900),
    ]
    assert len(rows(client, account, payout=first["id"])) == 2
    empty = sandbox.hook(f"accounts/{account}/payout")
    assert (empty.status_code, "Nothing to pay out" in empty.text) == (400, True)


def test_what_a_payout_tells_until_it_is_paid(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    donate(client, account)
    paid = pay_out(sandbox, account)
    told = client.v1.events.list({"type": "payout.*"}, {"stripe_account": account}).data[::-1]
    assert [(event.type, event.data.object["status"]) for event in told] == [
        ("payout.created", "pending"),
        ("payout.updated", "in_transit"),
        ("payout.reconciliation_completed", "in_transit"),
        ("payout.paid", "paid"),
        ("payout.updated", "paid"),
    ]
    assert [event.data.object["trace_id"]["status"] for event in told[-2:]] == ["pending", "supported"]
    found = client.v1.payouts.retrieve(
        paid["id"], {"expand": ["balance_transaction"]}, {"stripe_account": account}
    )
    assert isinstance(found.balance_transaction, stripe.BalanceTransaction)
    assert (found.balance_transaction.net, found.balance_transaction.source) == (-NET, paid["id"])


def test_a_payout_goes_its_way_by_itself(settings: Settings, endpoint: Endpoint) -> None:
    with running(replace(settings, payout_delay=timedelta(milliseconds=50))) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        donate(client, account, "pm_card_bypassPending")
        made = sandbox.hook(f"accounts/{account}/payout").json()
        assert made["status"] == "pending"
        event = endpoint.take_type("payout.paid").event
        assert (event["account"], event["data"]["object"]["id"]) == (account, made["id"])


def test_a_payout_takes_days_when_it_should(settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(replace(settings, payout_delay=timedelta(days=2)), lambda: moment[0]) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        options: stripe.RequestOptions = {"stripe_account": account}
        donate(client, account, "pm_card_bypassPending")
        made = sandbox.hook(f"accounts/{account}/payout").json()
        assert made["arrival_date"] == int((moment[0] + timedelta(days=2)).timestamp())
        seen = []
        for _ in range(2):
            moment[0] += timedelta(days=1)
            client.v1.payouts.list({}, options)
            seen.append(client.v1.payouts.retrieve(made["id"], {}, options).status)
        assert seen == ["in_transit", "paid"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("DE62 3704 0044 0532 0130 01", "no_account"),
        ("000111111113", "account_closed"),
        ("22222227", "insufficient_funds"),
    ],
)
def test_a_bank_that_refuses_sends_the_money_back(
    sandbox: Sandbox, client: stripe.StripeClient, account: str, number: str, code: str
) -> None:
    donate(client, account)
    assert sandbox.hook(f"accounts/{account}/bank_account", {"number": number}).status_code == 200
    failed = pay_out(sandbox, account)
    assert (failed["status"], failed["failure_code"]) == ("failed", code)
    assert failed["failure_message"]
    assert money(client, account) == (NET, 0)
    assert rows(client, account, type="payout_failure") == [("payout_failure", "payout_reversal", NET)]
    (event,) = client.v1.events.list({"type": "payout.failed"}, {"stripe_account": account}).data
    assert event.data.object["failure_balance_transaction"].startswith("txn_")


def test_a_payout_can_come_back_after_it_was_paid(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    donate(client, account)
    paid = pay_out(sandbox, account)
    failed = sandbox.hook(f"payouts/{paid['id']}/fail", {"failure_code": "account_closed"}).json()
    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    assert money(client, account) == (NET, 0)
    assert sandbox.hook(f"payouts/{paid['id']}/fail").status_code == 400
    # What came back is part of the next one.
    again = pay_out(sandbox, account)
    assert rows(client, account, payout=again["id"]) == [
        ("payout", "payout", -NET),
        ("payout_failure", "payout_reversal", NET),
    ]


def test_a_manual_payout_takes_what_is_asked_and_cannot_be_itemised(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    donate(client, account, "pm_card_bypassPending")
    made = client.v1.payouts.create({"amount": 1000, "currency": "eur", "expand": ["destination"]}, options)
    assert (made.status, made.automatic, made.reconciliation_status) == ("pending", False, "not_applicable")
    assert isinstance(made.destination, stripe.BankAccount)
    assert money(client, account) == (NET - 1000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="automatic"):
        client.v1.balance_transactions.list({"payout": made.id}, options)
    assert sandbox.hook(f"payouts/{made.id}/pay").json()["status"] == "paid"
    types = [event.type for event in client.v1.events.list({"type": "payout.*"}, options).data]
    assert "payout.reconciliation_completed" not in types


def test_more_than_is_available_is_not_paid_out(client: stripe.StripeClient, account: str) -> None:
    donate(client, account)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payouts.create({"amount": 1, "currency": "eur"}, {"stripe_account": account})
    assert refused.value.code == "balance_insufficient"


def test_a_manual_payout_is_canceled_while_it_is_pending(settings: Settings) -> None:
    """Time stands still: two seconds later the bank has it."""
    with running(settings, lambda: datetime(2026, 11, 21, 8, 0, tzinfo=UTC)) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        options: stripe.RequestOptions = {"stripe_account": account}
        donate(client, account, "pm_card_bypassPending")
        made = client.v1.payouts.create({"amount": 1000, "currency": "eur"}, options)
        canceled = client.v1.payouts.cancel(made.id, {}, options)
        assert (canceled.status, money(client, account)) == ("canceled", (NET, 0))
        assert rows(client, account, type="payout_cancel") == [("payout_cancel", "payout_reversal", 1000)]
        with pytest.raises(stripe.InvalidRequestError, match="pending"):
            client.v1.payouts.cancel(made.id, {}, options)
        assert sandbox.hook(f"payouts/{made.id}/pay").json()["status"] == "canceled"
        automatic = sandbox.hook(f"accounts/{account}/payout").json()
        with pytest.raises(stripe.InvalidRequestError, match="Automatic"):
            client.v1.payouts.cancel(automatic["id"], {}, options)


def test_payouts_are_listed(sandbox: Sandbox, client: stripe.StripeClient, account: str) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    donate(client, account)
    paid = pay_out(sandbox, account)
    assert [found.id for found in client.v1.payouts.list({"status": "paid"}, options).data] == [paid["id"]]
    assert client.v1.payouts.list({"status": "failed"}, options).data == []
    assert client.v1.payouts.list({"arrival_date": {"gt": paid["arrival_date"]}}, options).data == []
    changed = client.v1.payouts.update(paid["id"], {"metadata": {"statement": "7"}}, options)
    assert changed.metadata is not None
    assert changed.metadata["statement"] == "7"
    assert client.v1.payouts.list().data == []


def test_movements_are_listed_by_time_and_source(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    donate(client, account)
    paid = pay_out(sandbox, account)
    assert rows(client, account, source=paid["id"]) == [("payout", "payout", -NET)]
    assert rows(client, account, created={"lt": paid["created"] - 3600}) == []
    assert len(rows(client, account, created={"gte": paid["created"] - 3600})) == 2


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("bank_account", {}, "number is missing"),
        ("bank_account", {"number": "12!"}, "letters and digits"),
        ("payout", {"currency": "xxx"}, "Invalid currency"),
        ("payout", {"paid": "yes"}, "of type bool"),
    ],
)
def test_a_hook_refuses_what_it_cannot_do(
    sandbox: Sandbox, account: str, path: str, body: dict[str, Any], words: str
) -> None:
    refused = sandbox.hook(f"accounts/{account}/{path}", body)
    assert (refused.status_code, words in refused.json()["error"]["message"]) == (400, True)
    assert sandbox.hook(f"accounts/acct_unknown/{path}").status_code == 404


def test_the_platform_is_paid_out_what_it_was_given(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    donate(client, account, application_fee_amount=100)
    paid = pay_out(sandbox, "platform")
    assert (paid["amount"], paid["status"]) == (100, "paid")
    (event,) = client.v1.events.list({"type": "payout.paid"}).data
    assert "account" not in event.to_dict()
    assert money(client, account) == (0, 2337)


def test_time_can_be_taken_out_of_a_balance(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    donate(client, account)
    shown = sandbox.hook(f"accounts/{account}/available").json()
    assert (shown["object"], shown["available"][0]["amount"]) == ("balance", NET)
    assert money(client, account) == (NET, 0)
