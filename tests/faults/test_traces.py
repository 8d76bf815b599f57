"""A gift through the real processes: its spans form one story, its log lines lead there, and every batch is signed."""

import json
from collections.abc import Iterator

import pytest

from stacks.contracts import TaskName
from tests.backend.span_receiver import Received, Receiver
from tests.faults.books import Books
from tests.faults.gifts import Gift
from tests.faults.platform import Organization, Platform
from tests.faults.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.allow_hosts(["127.0.0.1"])]

GIVEN, TOLD, BOOKED = "POST /v1/donations", "POST /v1/webhooks/stripe", "donations.handle_provider_event"


@pytest.fixture
def receiver(platform: Platform) -> Iterator[Receiver]:
    """The one all processes send to; it answers again whatever a test did."""
    yield platform.receiver
    platform.receiver.answering.set()
    platform.receiver.status = 200


def about(receiver: Receiver, name: str, gift: Gift) -> list[Received]:
    return [
        span for span in receiver.named(name) if span.attributes.get("amply.donation_id") == gift.donation_id
    ]


def given(platform: Platform, organization: Organization) -> Gift:
    gift = Gift(platform=platform, organization=organization)
    gift.send_until_answered()
    gift.pay()
    return gift


def test_one_gift_is_one_story_across_api_scheduler_and_worker(
    platform: Platform, books: Books, organization: Organization, receiver: Receiver
) -> None:
    gift = given(platform, organization)
    books.come_to_rest()
    receiver.wait_for(lambda: bool(about(receiver, "send receipt", gift)))
    booking = about(receiver, "send receipt", gift)[0].trace_id
    steps = {TOLD, "publish provider_event.received", BOOKED, "Stripe: retrieve payment intent", "SES: send"}
    receiver.wait_for(lambda: steps <= names(receiver, booking))
    # An event that is announced again is handled in the same trace, perhaps twice.
    asked = next(
        trace for span in receiver.story_of(booking) if span.name == BOOKED for trace, _ in span.links
    )
    receiver.wait_for(lambda: {GIVEN, "Stripe: create payment intent"} <= names(receiver, asked))

    assert asked in {span.trace_id for span in about(receiver, GIVEN, gift)}
    told = {span.service for span in receiver.story_of(booking)}
    assert told == {"amply-api", "amply-scheduler", "amply-worker"}
    assert [span.name for span in receiver.story_of(booking) if not span.parent_id] == [TOLD]
    for task in (TaskName.API, TaskName.WORKER):
        assert booking in traces_in_log(platform, task), task


def names(receiver: Receiver, trace_id: str) -> set[str]:
    return {span.name for span in receiver.story_of(trace_id)}


def traces_in_log(platform: Platform, task: TaskName) -> set[str]:
    lines = (platform.directory / f"{task}.log").read_text().splitlines()
    parsed = [json.loads(line) for line in lines if line.startswith("{")]
    return {line["trace_id"] for line in parsed if "trace_id" in line}


def test_every_batch_is_signed_for_xray(receiver: Receiver) -> None:
    assert receiver.posts
    for post in receiver.posts:
        assert post.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=")
        assert "/xray/aws4_request" in post.headers["Authorization"]


def test_nothing_of_the_donor_is_in_any_batch(
    platform: Platform, books: Books, organization: Organization, receiver: Receiver
) -> None:
    gift = given(platform, organization)
    books.come_to_rest()
    receiver.wait_for(lambda: bool(about(receiver, "send receipt", gift)))

    said = [span.said for span in receiver.spans]
    for personal in (gift.email, "Ada Example", gift.key, "_secret_", "@example", "X-Amply-Client"):
        assert not any(personal in one for one in said), personal


@pytest.mark.nightly  # each process is stopped and starts again
def test_what_still_waits_is_sent_when_a_process_is_told_to_stop(
    platform: Platform, organization: Organization, receiver: Receiver
) -> None:
    """Batches leave every two seconds: what was done just now is not among them yet."""
    gift = Gift(platform=platform, organization=organization)
    gift.send_until_answered()
    stop_and_start(platform, TaskName.API)
    receiver.wait_for(lambda: bool(about(receiver, GIVEN, gift)))
    gift.pay()
    until(lambda: gift.look()["status"] == "succeeded", otherwise="the gift is not booked")
    stop_and_start(platform, TaskName.WORKER, TaskName.SCHEDULER)
    receiver.wait_for(lambda: bool(about(receiver, BOOKED, gift)))

    booked = about(receiver, BOOKED, gift)[0]
    assert "publish provider_event.received" in names(receiver, booked.trace_id), "of the scheduler"


def stop_and_start(platform: Platform, *tasks: TaskName) -> None:
    for task in tasks:
        platform[task].stop()
    for task in tasks:
        platform[task].start()


def test_gifts_are_taken_and_booked_while_the_receiver_says_nothing_or_no(
    platform: Platform, books: Books, organization: Organization, receiver: Receiver
) -> None:
    receiver.answering.clear()
    silent = given(platform, organization)
    books.come_to_rest()
    receiver.status = 500
    receiver.answering.set()
    refused = given(platform, organization)
    books.come_to_rest()

    assert {silent.look()["status"], refused.look()["status"]} == {"succeeded"}
