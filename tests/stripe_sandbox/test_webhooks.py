"""Events: recorded, signed as Stripe signs, delivered at least once, and still owed after a crash."""

import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import stripe

from stripe_sandbox.clock import system_clock
from stripe_sandbox.settings import Settings
from tests.ports import free_port
from tests.stripe_sandbox.onboarding import donate, wanted
from tests.stripe_sandbox.running import WAIT_SECONDS_MAX, WEBHOOK_SECRET, Endpoint, Sandbox, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

OF_A_DONATION = ["charge.succeeded", "charge.updated", "payment_intent.created", "payment_intent.succeeded"]


def test_the_vendors_own_verification_accepts_the_signature(
    client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    paid = donate(client)
    received = endpoint.take_type("payment_intent.succeeded")
    event = client.construct_event(received.payload, received.signature, WEBHOOK_SECRET)
    assert event.data.object["id"] == paid.id
    assert (event.api_version, event.livemode) == (stripe.api_version, False)
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(received.payload + b" ", received.signature, WEBHOOK_SECRET)
    with pytest.raises(stripe.SignatureVerificationError):
        client.construct_event(received.payload, received.signature, "whsec_other")


def test_a_donation_makes_these_events_and_no_others(client: stripe.StripeClient, endpoint: Endpoint) -> None:
    donate(client)
    assert endpoint.take_types(len(OF_A_DONATION)) == OF_A_DONATION
    assert sorted(event.type for event in client.v1.events.list().data) == OF_A_DONATION


def test_events_of_a_connected_account_name_it(
    client: stripe.StripeClient, account: str, endpoint: Endpoint
) -> None:
    donate(client, account)
    assert endpoint.take().event["account"] == account
    donate(client)
    assert "account" not in next(iter(client.v1.events.list().data)).to_dict()


def test_the_balance_transaction_arrives_with_charge_updated(
    client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    donate(client)
    found = {
        received.event["type"]: received.event["data"]
        for received in (endpoint.take() for _ in OF_A_DONATION)
    }
    assert found["charge.succeeded"]["object"]["balance_transaction"] is None
    assert found["charge.updated"]["object"]["balance_transaction"].startswith("txn_")
    assert found["charge.updated"]["previous_attributes"] == {"balance_transaction": None}


def test_a_declined_card_a_cancellation_and_a_refund_make_their_events(
    client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    intent = client.v1.payment_intents.create(wanted())
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    client.v1.payment_intents.cancel(intent.id)
    assert endpoint.take_types(4) == [
        "charge.failed",
        "payment_intent.canceled",
        "payment_intent.created",
        "payment_intent.payment_failed",
    ]
    paid = donate(client)
    assert endpoint.take_types(4) == OF_A_DONATION
    client.v1.refunds.create({"payment_intent": paid.id})
    assert endpoint.take_types(2) == ["charge.refunded", "refund.created"]


def test_a_bank_that_asks_makes_requires_action(client: stripe.StripeClient, endpoint: Endpoint) -> None:
    donate(client, method="pm_card_authenticationRequired")
    assert endpoint.take_types(2) == ["payment_intent.created", "payment_intent.requires_action"]


def test_a_refused_delivery_is_tried_again(
    sandbox: Sandbox, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    endpoint.answers.put(500)
    endpoint.answers.put(302)
    client.v1.payment_intents.create(wanted())
    ids = {endpoint.take().event["id"] for _ in range(3)}
    assert len(ids) == 1
    (delivery,) = settled(sandbox, ids.pop())
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)


def test_retries_are_bounded(sandbox: Sandbox, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    for _ in range(10):
        endpoint.answers.put(500)
    client.v1.payment_intents.create(wanted())
    ids = {endpoint.take().event["id"] for _ in range(4)}
    (delivery,) = settled(sandbox, ids.pop())
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("given_up", 4, 500)
    (event,) = client.v1.events.list({"delivery_success": False}).data
    assert event.pending_webhooks == 0


def test_what_was_owed_is_delivered_after_a_restart(settings: Settings, endpoint: Endpoint) -> None:
    with running(settings) as sandbox:
        sandbox.hook("deliveries/pause")
        paid = donate(sandbox.client())
        assert endpoint.received.empty()
    with running(settings) as sandbox:
        assert endpoint.take_types(len(OF_A_DONATION)) == OF_A_DONATION
        found = sandbox.client().v1.payment_intents.retrieve(paid.id, {"expand": ["latest_charge"]})
        assert (found.status, found.amount_received) == ("succeeded", 2500)


def test_a_pause_holds_for_a_thread_that_was_about_to_send(settings: Settings, endpoint: Endpoint) -> None:
    held, reached = threading.Event(), threading.Event()

    def slow() -> datetime:
        """Holds up every thread that looks for what is due."""
        if threading.current_thread().name.startswith("webhook-sender"):
            reached.set()
            assert held.wait(WAIT_SECONDS_MAX)
        return system_clock()

    try:
        with running(settings, slow) as sandbox:
            assert reached.wait(WAIT_SECONDS_MAX)
            sandbox.hook("deliveries/pause")
            sandbox.client().v1.payment_intents.create(wanted())
            held.set()
        assert endpoint.received.empty()
    finally:
        held.set()


def test_a_delivery_cut_off_by_a_crash_is_made_again(settings: Settings, endpoint: Endpoint) -> None:
    with running(settings) as sandbox:
        sandbox.hook("deliveries/pause")
        sandbox.client().v1.payment_intents.create(wanted())
    with closing(sqlite3.connect(settings.state)) as state, state:
        state.execute("UPDATE deliveries SET state = 'sending'")
    with running(settings):
        assert endpoint.take().event["type"] == "payment_intent.created"


def test_an_endpoint_that_is_down_gets_its_events_when_it_is_back(
    settings: Settings, endpoint: Endpoint
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/"
    with running(replace(settings, webhook_url=nobody, retry_delays=(timedelta(0),))) as sandbox:
        event = sandbox.client().v1.payment_intents.create(wanted())
        found = sandbox.client().v1.events.list().data[0]
        (delivery,) = settled(sandbox, found.id)
        assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("given_up", 2, None)
    with running(settings) as sandbox:
        sandbox.hook(f"events/{found.id}/redeliver")
        assert endpoint.take().event["data"]["object"]["id"] == event.id


def test_events_can_be_sent_out_of_order_and_twice(
    sandbox: Sandbox, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    sandbox.hook("deliveries/pause")
    donate(client)
    ids = {event.type: event.id for event in client.v1.events.list().data}
    order = [ids["payment_intent.succeeded"], ids["payment_intent.succeeded"], ids["payment_intent.created"]]
    sent = sandbox.hook("deliveries", {"events": order})
    assert sent.json() == {"data": [{"status": 200, "error": None}] * 3}
    assert [endpoint.take().event["id"] for _ in order] == order


def test_an_event_can_be_delivered_again(
    sandbox: Sandbox, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    client.v1.payment_intents.create(wanted())
    event = endpoint.take().event
    assert sandbox.hook(f"events/{event['id']}/redeliver").status_code == 202
    assert endpoint.take().event["id"] == event["id"]
    assert sandbox.hook("events/evt_unknown/redeliver").status_code == 404


def test_events_can_be_listed_by_type(client: stripe.StripeClient) -> None:
    donate(client)
    assert {event.type for event in client.v1.events.list({"type": "charge.*"}).data} == {
        "charge.succeeded",
        "charge.updated",
    }
    found = client.v1.events.list({"types": ["payment_intent.created", "charge.failed"]}).data
    assert [event.type for event in found] == ["payment_intent.created"]
    assert client.v1.events.retrieve(found[0].id).id == found[0].id


def test_settlement_can_take_its_time(settings: Settings, endpoint: Endpoint) -> None:
    with running(replace(settings, settlement_delay=timedelta(hours=1))) as sandbox:
        paid = donate(sandbox.client())
        charge = sandbox.client().v1.charges.retrieve(str(paid.latest_charge))
        assert charge.balance_transaction is None
        assert endpoint.take_types(3) == [
            "charge.succeeded",
            "payment_intent.created",
            "payment_intent.succeeded",
        ]


def test_without_an_endpoint_events_are_recorded_and_nothing_is_owed(settings: Settings) -> None:
    with running(replace(settings, webhook_url=None)) as sandbox:
        donate(sandbox.client())
        events = sandbox.client().v1.events.list().data
        assert sorted(event.type for event in events) == OF_A_DONATION
        assert {event.pending_webhooks for event in events} == {0}
        assert sandbox.http.get("/_sandbox/deliveries").json() == {"data": []}


def settled(sandbox: Sandbox, event_id: str) -> list[dict[str, object]]:
    """The deliveries of an event, once none is under way: the endpoint answers a moment before that is recorded."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        rows: list[dict[str, object]] = sandbox.http.get(
            "/_sandbox/deliveries", params={"event": event_id}
        ).json()["data"]
        if all(row["state"] in ("delivered", "given_up") for row in rows):
            return rows
        assert time.monotonic() < deadline, rows
