"""Webhooks over real HTTP: repeated, reordered, replayed, forged, of the wrong kind, and while nobody listens."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from stacks.contracts import TaskName
from stripe_sandbox.webhooks.signing import signature_header
from tests.faults.books import Books
from tests.faults.gifts import Gift
from tests.faults.platform import Organization, Platform
from tests.faults.processor import WEBHOOK_SECRET
from tests.faults.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.allow_hosts(["127.0.0.1"])]

SUCCESS, FEE = "payment_intent.succeeded", "charge.updated"
ACCEPTED, REFUSED = 202, 400


@pytest.fixture
def gift(platform: Platform, organization: Organization) -> Gift:
    made = Gift(platform=platform, organization=organization)
    made.send_until_answered()
    return made


@pytest.fixture
def held_back(platform: Platform) -> Iterator[None]:
    """Stripe sends nothing by itself before the test says so, or ends."""
    platform.processor.pause()
    yield
    platform.processor.resume()


def events_of(platform: Platform, gift: Gift) -> dict[str, str]:
    """The ids of the success and the fee, once both have happened."""

    def both() -> dict[str, str] | None:
        found = platform.processor.events(gift.organization.account, intent_id=gift.intent_id)
        return found if {SUCCESS, FEE} <= found.keys() else None

    return until(both, otherwise="the payment made no events")


def post(
    platform: Platform, event: dict[str, Any], *, age_seconds: int = 0, secret: str = WEBHOOK_SECRET
) -> httpx2.Response:
    """Send an event as if it had been signed a while ago."""
    payload = json.dumps(event).encode()
    signature = signature_header(payload, secret, timestamp=int(time.time()) - age_seconds)
    return platform.http.post(
        f"{platform.api_url}/v1/webhooks/stripe", content=payload, headers={"Stripe-Signature": signature}
    )


def stored(platform: Platform, event_id: str) -> int:
    count: int = platform.database.value("SELECT count(*) FROM provider_event WHERE id = %s", event_id)
    return count


@pytest.mark.usefixtures("held_back")
def test_repeated_and_reordered_events_are_one_gift(platform: Platform, books: Books, gift: Gift) -> None:
    gift.pay()
    events = events_of(platform, gift)
    order = [events[FEE], events[SUCCESS], events[SUCCESS], events[FEE], events[SUCCESS]]

    assert platform.processor.deliver(order) == [ACCEPTED] * len(order)
    platform.processor.resume()

    books.come_to_rest()
    assert gift.look()["status"] == "succeeded"
    assert platform.processor.deliver(order) == [ACCEPTED] * len(order), "late repetitions are welcome"
    books.come_to_rest()


def test_a_replayed_event_needs_a_fresh_signature_and_changes_nothing(
    platform: Platform, books: Books, gift: Gift
) -> None:
    gift.pay()
    event_id = events_of(platform, gift)[SUCCESS]
    books.come_to_rest()
    event = platform.processor.event(gift.organization.account, event_id)
    entries = platform.database.value("SELECT count(*) FROM entry")

    for age_seconds in (3600, -3600):
        old = post(platform, event, age_seconds=age_seconds)
        assert (old.status_code, old.json()["code"]) == (REFUSED, "signature_not_valid")
    assert post(platform, event).status_code == ACCEPTED

    books.come_to_rest()
    assert stored(platform, event_id) == 1
    assert platform.database.value("SELECT count(*) FROM entry") == entries


@pytest.mark.usefixtures("held_back")
@pytest.mark.parametrize(
    ("change", "secret", "code"),
    [
        ({"livemode": True}, WEBHOOK_SECRET, "wrong_livemode"),
        ({}, "whsec_of_somebody_else", "signature_not_valid"),
        ({"data": "nothing"}, WEBHOOK_SECRET, "event_malformed"),
    ],
)
def test_an_event_that_is_not_ours_to_take_is_refused_and_not_stored(
    platform: Platform, gift: Gift, change: dict[str, Any], secret: str, code: str
) -> None:
    gift.pay()
    event = platform.processor.event(gift.organization.account, events_of(platform, gift)[SUCCESS])

    refused = post(platform, {**event, "id": f"evt_{code}", **change}, secret=secret)

    assert (refused.status_code, refused.json()["code"]) == (REFUSED, code)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert stored(platform, f"evt_{code}") == 0
    assert gift.look()["status"] == "pending"


def test_what_was_sent_while_nobody_listened_comes_again(
    platform: Platform, books: Books, gift: Gift
) -> None:
    platform[TaskName.API].kill()
    gift.pay()
    events = events_of(platform, gift)
    until(
        lambda: all(platform.processor.attempts(events[kind]) for kind in (SUCCESS, FEE)),
        otherwise="nothing was sent",
    )
    # What was told of it before, such as that there is an intent, may be stored already.
    assert not any(stored(platform, events[kind]) for kind in (SUCCESS, FEE))

    platform[TaskName.API].start()

    books.come_to_rest()
    assert gift.look()["status"] == "succeeded"
