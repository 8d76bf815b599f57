"""Days that pass at once."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from stripe_sandbox.settings import Settings
from tests.stripe_sandbox.onboarding import donate, onboard
from tests.stripe_sandbox.running import WEBHOOK_SECRET, Endpoint, running

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

WEEK = 7 * 24 * 3600


def test_days_pass_at_once_and_stay_passed(settings: Settings, endpoint: Endpoint) -> None:
    slow = replace(settings, payout_delay=timedelta(days=2))
    with running(slow) as sandbox:
        client = sandbox.client()
        account = onboard(client)
        donate(client, account)
        assert sandbox.hook(f"accounts/{account}/payout").status_code == 400
        assert sandbox.hook("clock", {"seconds": WEEK}).json()["ahead_seconds"] == WEEK
        payout = sandbox.hook(f"accounts/{account}/payout").json()
        assert payout["status"] == "pending"
    with running(slow) as sandbox:
        assert sandbox.http.get("/_sandbox/clock").json()["ahead_seconds"] == WEEK
        sandbox.hook("clock", {"seconds": 2 * 24 * 3600})
        client = sandbox.client()
        found = client.v1.payouts.retrieve(payout["id"], {}, {"stripe_account": account})
        assert found.status == "paid"
        received = endpoint.take_type("payout.paid")
        event = client.construct_event(received.payload, received.signature, WEBHOOK_SECRET)
        signed = int(received.signature.split(",")[0].removeprefix("t="))
        # The object is of the sandbox's time, the signature of the true one.
        assert signed <= time.time() < event.created - WEEK


@pytest.mark.parametrize("seconds", [0, -1, "60", 1.5, None, True, 10**10])
def test_the_clock_goes_forward_by_whole_seconds(settings: Settings, seconds: object) -> None:
    with running(settings) as sandbox:
        refused = sandbox.hook("clock", {"seconds": seconds})
        assert (refused.status_code, "whole number" in refused.text) == (400, True)
