"""Thin events: what an endpoint gets that asked for references in place of objects."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import stripe
from stripe.events import V1ChargeDisputeCreatedEventNotification

from stripe_sandbox.settings import Settings, settings_from
from tests.stripe_sandbox.onboarding import donate, onboard
from tests.stripe_sandbox.running import (
    PUBLISHABLE_KEY,
    SECRET_KEY,
    WEBHOOK_SECRET,
    Endpoint,
    Sandbox,
    running,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def thin(settings: Settings) -> Iterator[Sandbox]:
    with running(replace(settings, webhook_payload="thin")) as sandbox:
        yield sandbox


def test_the_vendors_client_reads_a_thin_event_and_fetches_what_it_names(
    thin: Sandbox, endpoint: Endpoint
) -> None:
    client = thin.client()
    account = onboard(client)
    donate(client, account, "pm_card_createDispute")
    received = endpoint.take_type("v1.charge.dispute.created")
    assert "data" not in received.event
    told = client.parse_event_notification(received.payload, received.signature, WEBHOOK_SECRET)
    assert isinstance(told, V1ChargeDisputeCreatedEventNotification)
    assert (str(told.context), told.reason) == (account, None)
    dispute = told.fetch_related_object()
    assert isinstance(dispute, stripe.Dispute)
    assert (dispute.id, dispute.status) == (told.related_object.id, "needs_response")
    event = told.fetch_event()
    assert (event.id, event.type) == (told.id, "v1.charge.dispute.created")
    assert event.snapshot_event is not None
    snapshot = client.v1.events.retrieve(event.snapshot_event, {}, {"stripe_account": account})
    assert snapshot.type == "charge.dispute.created"


def test_a_thin_event_says_who_asked_and_what_changed(thin: Sandbox, endpoint: Endpoint) -> None:
    client = thin.client()
    paid = donate(client)
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 100}, {"idempotency_key": "key-1"})
    received = endpoint.take_type("v1.charge.refunded")
    told = client.parse_event_notification(received.payload, received.signature, WEBHOOK_SECRET)
    assert told.reason is not None
    assert told.reason.request is not None
    assert told.reason.request.idempotency_key == "key-1"
    event = told.fetch_event()
    assert event.changes is not None
    assert event.changes.to_dict()["after"] == {"amount_refunded": 100, "refunded": False}


def test_thin_events_are_listed_by_object_and_type(shared: Sandbox) -> None:
    client = shared.client()
    paid = donate(client)
    of_the_intent = client.v2.core.events.list({"object_id": paid.id}).data
    assert [event.type for event in of_the_intent] == [
        "v1.payment_intent.succeeded",
        "v1.payment_intent.created",
    ]
    one = client.v2.core.events.list({"types": ["v1.charge.updated"], "limit": 1}).data
    assert [event.type for event in one] == ["v1.charge.updated"]
    with pytest.raises(stripe.InvalidRequestError):
        client.v2.core.events.retrieve("evt_test_unknown")


def test_an_unknown_payload_is_refused_by_name() -> None:
    environment = {
        "STRIPE_SANDBOX_STATE": "state",
        "STRIPE_SANDBOX_SECRET_KEY": SECRET_KEY,
        "STRIPE_SANDBOX_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
    }
    assert settings_from(environment).webhook_payload == "snapshot"
    with pytest.raises(ValueError, match="STRIPE_SANDBOX_WEBHOOK_PAYLOAD"):
        settings_from(environment | {"STRIPE_SANDBOX_WEBHOOK_PAYLOAD": "fat"})
    bus = {"STRIPE_SANDBOX_EVENT_BUS": "stripe"}
    for elsewhere in ({}, {"STRIPE_SANDBOX_EVENT_BUS_URL": "https://events.eu-west-1.amazonaws.com"}):
        with pytest.raises(ValueError, match="loopback"):
            settings_from(environment | bus | elsewhere)
    here = {"STRIPE_SANDBOX_EVENT_BUS_URL": "http://127.0.0.1:4566"}
    assert settings_from(environment | bus | here).has_destination
    with pytest.raises(ValueError, match="true or false"):
        settings_from(environment | {"STRIPE_SANDBOX_DISPUTE_FEE_RETURNED": "maybe"})
