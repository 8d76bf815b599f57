"""Disputes through their whole life, as a connected account sees them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.onboarding import donate, onboard
from tests.stripe_sandbox.running import Endpoint, Sandbox, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

OF_A_DONATION = ["charge.succeeded", "charge.updated", "payment_intent.created", "payment_intent.succeeded"]
WITHDRAWN = (-2500, 1500, -4000, "adjustment", "dispute")


def disputed(
    client: stripe.StripeClient, account: str, method: str = "pm_card_createDispute"
) -> stripe.Dispute:
    """The dispute that a donation of 25.00 EUR with this card brings."""
    paid = donate(client, account, method)
    (found,) = client.v1.disputes.list({"payment_intent": paid.id}, {"stripe_account": account}).data
    return found


def movements(dispute: stripe.Dispute) -> list[tuple[int, int, int, str, str]]:
    return [
        (moved.amount, moved.fee, moved.net, moved.type, moved.reporting_category)
        for moved in dispute.balance_transactions
    ]


def answer(client: stripe.StripeClient, dispute: stripe.Dispute, account: str, text: str) -> stripe.Dispute:
    """Submit evidence, and look again."""
    options: stripe.RequestOptions = {"stripe_account": account}
    submitted = client.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": text}, "submit": True}, options
    )
    assert submitted.status.endswith("under_review")
    return client.v1.disputes.retrieve(dispute.id, {}, options)


@pytest.mark.parametrize(
    ("method", "reason", "code"),
    [
        ("pm_card_createDispute", "fraudulent", "10.4"),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "13.1"),
    ],
)
def test_a_chargeback_withdraws_the_amount_and_a_fee(
    client: stripe.StripeClient, account: str, endpoint: Endpoint, method: str, reason: str, code: str
) -> None:
    found = disputed(client, account, method)
    assert (found.status, found.reason, found.network_reason_code) == ("needs_response", reason, code)
    assert (found.amount, found.currency, found.is_charge_refundable) == (2500, "eur", False)
    assert movements(found) == [WITHDRAWN]
    charge = client.v1.charges.retrieve(str(found.charge), {}, {"stripe_account": account})
    assert (charge.disputed, charge.amount_refunded) == (True, 0)
    # Paid with 63 of fees, then taken back with 1500 more.
    booked = client.v1.balance_transactions.list({}, {"stripe_account": account}).data
    assert sum(moved.net for moved in booked) == -1563
    expected = [*OF_A_DONATION, "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert endpoint.take_types(len(expected)) == sorted(expected)


def test_the_events_of_a_dispute_carry_it_with_its_movement(
    client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    found = disputed(client, account)
    event = endpoint.take_type("charge.dispute.funds_withdrawn").event
    assert event["account"] == account
    assert event["data"]["object"]["id"] == found.id
    (moved,) = event["data"]["object"]["balance_transactions"]
    assert (moved["net"], moved["source"]) == (-4000, found.id)


def test_a_refund_of_a_charged_back_payment_is_refused(client: stripe.StripeClient, account: str) -> None:
    found = disputed(client, account)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": str(found.charge)}, {"stripe_account": account})
    assert refused.value.code == "charge_disputed"


def test_winning_gives_amount_and_fee_back(
    client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    found = disputed(client, account)
    endpoint.take_type("charge.dispute.funds_withdrawn")
    won = answer(client, found, account, "winning_evidence")
    assert (won.status, won.evidence_details.submission_count) == ("won", 1)
    assert movements(won) == [WITHDRAWN, (2500, -1500, 4000, "adjustment", "dispute_reversal")]
    assert endpoint.take_type("charge.dispute.closed").event["data"]["object"]["status"] == "won"
    # Nobody holds the money any more.
    assert client.v1.refunds.create({"charge": str(found.charge)}, {"stripe_account": account}).amount == 2500


def test_the_fee_can_be_kept_whatever_the_outcome(settings: Settings) -> None:
    with running(replace(settings, dispute_fee_returned=False)) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        won = answer(client, disputed(client, account), account, "winning_evidence")
        assert movements(won) == [WITHDRAWN, (2500, 0, 2500, "adjustment", "dispute_reversal")]


def test_what_a_dispute_tells_on_its_way_to_being_won(client: stripe.StripeClient, account: str) -> None:
    answer(client, disputed(client, account), account, "winning_evidence")
    types = [event.type for event in client.v1.events.list({"limit": 20}, {"stripe_account": account}).data]
    assert types[::-1][4:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]


def test_losing_moves_nothing_more(client: stripe.StripeClient, account: str) -> None:
    lost = answer(client, disputed(client, account), account, "losing_evidence")
    assert (lost.status, movements(lost), lost.is_charge_refundable) == ("lost", [WITHDRAWN], False)


def test_a_dispute_can_be_accepted_as_lost_once(client: stripe.StripeClient, account: str) -> None:
    found = disputed(client, account)
    options: stripe.RequestOptions = {"stripe_account": account}
    assert client.v1.disputes.close(found.id, {}, options).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        client.v1.disputes.close(found.id, {}, options)


def test_words_that_decide_nothing_leave_it_under_review(client: stripe.StripeClient, account: str) -> None:
    waiting = answer(client, disputed(client, account), account, "The gift was made at our bazaar.")
    assert waiting.status == "under_review"
    with pytest.raises(stripe.InvalidRequestError, match="submitted once"):
        answer(client, waiting, account, "winning_evidence")


def test_a_bank_decides_without_being_asked(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    waiting = answer(client, disputed(client, account), account, "The gift was made at our bazaar.")
    decided = sandbox.hook(f"disputes/{waiting.id}/conclude", {"verdict": "winning_evidence"})
    assert decided.json()["status"] == "won"
    again = sandbox.hook(f"disputes/{waiting.id}/conclude", {"verdict": "losing_evidence"})
    assert (again.status_code, "already closed" in again.text) == (400, True)
    assert sandbox.hook(f"disputes/{waiting.id}/conclude", {"verdict": "maybe"}).status_code == 400


def test_evidence_can_be_staged_before_it_is_submitted(client: stripe.StripeClient, account: str) -> None:
    found = disputed(client, account)
    options: stripe.RequestOptions = {"stripe_account": account}
    staged = client.v1.disputes.update(
        found.id,
        {"evidence": {"customer_name": "Grace"}, "submit": False, "metadata": {"case": "7"}},
        options,
    )
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    assert staged.evidence_details.submission_count == 0
    (event,) = client.v1.events.list({"type": "charge.dispute.updated"}, options).data
    assert event.data.previous_attributes is not None
    assert event.data.previous_attributes.to_dict()["metadata"] == {}
    submitted = client.v1.disputes.update(found.id, {"submit": True}, options)
    assert (submitted.status, submitted.evidence.customer_name) == ("under_review", "Grace")


def test_the_bank_takes_its_time(settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(replace(settings, dispute_delay=timedelta(days=60)), lambda: moment[0]) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        found = answer(client, disputed(client, account), account, "losing_evidence")
        assert found.status == "under_review"
        moment[0] += timedelta(days=60)
        client.v1.disputes.list({}, {"stripe_account": account})
        assert client.v1.disputes.retrieve(found.id, {}, {"stripe_account": account}).status == "lost"


def test_an_inquiry_moves_nothing_and_its_payment_can_be_refunded(
    client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    found = disputed(client, account, "pm_card_createDisputeInquiry")
    assert (found.status, found.balance_transactions) == ("warning_needs_response", [])
    assert found.payment_method_details is not None
    assert found.payment_method_details.card is not None
    assert found.payment_method_details.card.case_type == "inquiry"
    expected = [*OF_A_DONATION, "charge.dispute.created"]
    assert endpoint.take_types(len(expected)) == sorted(expected)
    options: stripe.RequestOptions = {"stripe_account": account}
    assert client.v1.refunds.create({"charge": str(found.charge)}, options).status == "succeeded"


@pytest.mark.parametrize("text", ["winning_evidence", "losing_evidence"])
def test_an_answered_inquiry_is_closed_without_money(
    client: stripe.StripeClient, account: str, text: str
) -> None:
    closed = answer(client, disputed(client, account, "pm_card_createDisputeInquiry"), account, text)
    assert (closed.status, closed.balance_transactions) == ("warning_closed", [])


def test_an_inquiry_can_become_a_chargeback(client: stripe.StripeClient, account: str) -> None:
    inquiry = disputed(client, account, "pm_card_createDisputeInquiry")
    escalated = answer(client, inquiry, account, "escalate_inquiry_evidence")
    assert (escalated.status, escalated.network_reason_code) == ("needs_response", "10.4")
    assert movements(escalated) == [WITHDRAWN]
    (event,) = client.v1.events.list(
        {"type": "charge.dispute.funds_withdrawn"}, {"stripe_account": account}
    ).data
    assert event.data.object["id"] == inquiry.id
    assert answer(client, escalated, account, "losing_evidence").status == "lost"


def test_what_was_refunded_is_not_disputed(
    sandbox: Sandbox, client: stripe.StripeClient, account: str
) -> None:
    options: stripe.RequestOptions = {"stripe_account": account}
    charge = str(donate(client, account).latest_charge)
    client.v1.refunds.create({"charge": charge, "amount": 1000}, options)
    dispute = sandbox.hook(f"charges/{charge}/dispute", {"claim": "product_not_received"}).json()
    assert (dispute["amount"], dispute["balance_transactions"][0]["net"]) == (1500, -3000)
    assert sandbox.hook(f"charges/{charge}/dispute").status_code == 400
    other = str(donate(client, account).latest_charge)
    assert sandbox.hook(f"charges/{other}/dispute", {"amount": 2501}).status_code == 400
    assert sandbox.hook(f"charges/{other}/dispute", {"claim": "boredom"}).status_code == 400
    assert sandbox.hook(f"charges/{other}/dispute", {"amount": 100}).json()["amount"] == 100


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"amount": "5"}, "amount must be of type int"),
        ({"colour": "red"}, "it takes claim, amount"),
    ],
)
def test_a_hook_says_what_it_takes(
    sandbox: Sandbox, client: stripe.StripeClient, account: str, body: dict[str, object], words: str
) -> None:
    charge = donate(client, account).latest_charge
    refused = sandbox.hook(f"charges/{charge}/dispute", body)
    assert (refused.status_code, words in refused.json()["error"]["message"]) == (400, True)
    assert sandbox.hook("charges/ch_unknown/dispute").status_code == 404


def test_evidence_that_the_sandbox_cannot_hold_is_refused(client: stripe.StripeClient, account: str) -> None:
    found = disputed(client, account)
    options: stripe.RequestOptions = {"stripe_account": account}
    with pytest.raises(stripe.APIError, match="words alone") as unmodelled:
        client.v1.disputes.update(found.id, {"evidence": {"receipt": "file_1"}}, options)
    assert unmodelled.value.http_status == 501
    with pytest.raises(stripe.InvalidRequestError, match="150000"):
        client.v1.disputes.update(found.id, {"evidence": {"uncategorized_text": "x" * 150_001}}, options)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.update(found.id, {"evidence": {"colour": "red"}}, options)  # type: ignore[arg-type]  # a key the API does not have
    assert client.v1.disputes.retrieve(found.id, {}, options).status == "needs_response"


def test_disputes_are_kept_apart_by_account(client: stripe.StripeClient, account: str) -> None:
    found = disputed(client, account)
    assert client.v1.disputes.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.retrieve(found.id)


@pytest.mark.parametrize(("hook", "disputes"), [("dispute", 1), ("refund", 0)])
def test_a_card_disputes_nothing_that_is_gone_already(settings: Settings, hook: str, disputes: int) -> None:
    with running(replace(settings, settlement_delay=timedelta(hours=1))) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        options: stripe.RequestOptions = {"stripe_account": account}
        charge = donate(client, account, "pm_card_createDispute").latest_charge
        assert sandbox.hook(f"charges/{charge}/{hook}").status_code == 200
        assert sandbox.hook("clock", {"seconds": 3600}).status_code == 200
        assert len(client.v1.disputes.list({}, options).data) == disputes
        assert client.v1.charges.retrieve(str(charge), {}, options).balance_transaction is not None


def test_a_dispute_waits_for_its_payment_to_be_settled(settings: Settings) -> None:
    moment = [datetime(2026, 11, 21, 8, 0, tzinfo=UTC)]
    with running(replace(settings, settlement_delay=timedelta(hours=1)), lambda: moment[0]) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        options: stripe.RequestOptions = {"stripe_account": account}
        donate(client, account, "pm_card_createDispute")
        assert client.v1.disputes.list({}, options).data == []
        moment[0] += timedelta(hours=1)
        client.v1.disputes.list({}, options)
        assert len(client.v1.disputes.list({"expand": ["data.charge"]}, options).data) == 1
