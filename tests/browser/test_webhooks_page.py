"""The page of an organisation's webhook endpoints: in a real browser at the real API, and its own code without one."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, expect

from amply.kernel.money import Money
from amply.modules import public_events, webhook_endpoints
from amply.modules.public_events import EventAmount, EventType, GiftSucceeded
from amply.modules.webhook_endpoints import Answer, Failure
from amply.modules.webhook_endpoints.domain import DeliveryState, DisabledReason
from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import (  # noqa: F401 -- fixtures, too
    PASSWORD,
    PeopleWorld,
    people_cache,
    world,
)
from tests.backend.webhook_fakes import FakeSender
from tests.browser.colleague import joins
from tests.browser.pages_code import run_in_node
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

URL: Final = "https://river.example/hook"
AWAY: Final = Answer(status=503, failure=Failure.STATUS, milliseconds=40)
API: Final = ("src/webhooks/webhooks_api.ts", "src/account/language.ts", "src/language/language.ts")
WORDS: Final = ("src/webhooks/delivery_words.ts", "src/account/language.ts")
FORM: Final = ("src/webhooks/endpoint_draft.ts", "src/webhooks/local_moment.ts", "src/account/language.ts")


@dataclass
class Post:
    """What happens at the organisation, and the worker that tells its endpoints."""

    place: Place
    sender: FakeSender = field(default_factory=FakeSender)

    @property
    def world(self) -> PeopleWorld:
        return self.place.world

    def gift_arrives(self) -> None:
        donation_id, now = f"don_{'0' * 26}", self.world.clock()
        with self.world.worker.transaction() as session:
            public_events.record(
                session,
                type=EventType.DONATION_SUCCEEDED,
                organization_id=self.place.organization_id,
                subject_id=donation_id,
                data=GiftSucceeded(
                    donation_id=donation_id,
                    amount=EventAmount.of(Money(minor_units=2500, currency="EUR")),
                    fund_id=None,
                    method=None,
                    plan_id=None,
                ),
                occurred_at=now,
                now=now,
            )

    def delivers(self, **later: float) -> list[str]:
        """The types of what is sent now."""
        self.world.clock.now += timedelta(**later)
        before = len(self.sender.sent)
        parts = webhook_endpoints.DeliveryDependencies(
            database=self.world.worker, sender=self.sender, mailer=self.world.mailer
        )
        webhook_endpoints.deliver(parts, clock=self.world.clock)
        return [sent.body.decode().split('"type":"')[1].split('"')[0] for sent in self.sender.sent[before:]]


def _adds_an_endpoint(place: Place) -> None:  # noqa: F811 -- of the fixture's kind
    """After what is wrong with it was said beside its fields, and after a confirmation."""
    page = place.page
    place.clicks("Add an endpoint")
    address = page.get_by_label("Address", exact=True)
    place.clicks("Add the endpoint")
    expect(address).to_be_focused()
    expect(address).to_have_accessible_description(
        "Https, on the public internet, without a port. Write the address that events are sent to."
    )
    expect(page.get_by_text("Choose at least one type of event.")).to_be_visible()
    address.fill("https://10.0.0.1/hook")
    page.get_by_role("checkbox", name="A gift has arrived.").check()
    place.clicks("Add the endpoint")
    place.fills(password=PASSWORD)
    place.clicks("Confirm")
    expect(address).to_have_accessible_description(
        "Https, on the public internet, without a port. Give an address on the public internet."
    )
    expect(address).to_be_focused()
    address.fill(URL)
    place.is_for_everybody()
    place.clicks("Add the endpoint")
    expect(page.get_by_text("The endpoint is added:")).to_be_visible()


def _sees_a_test_event_fail_and_arrive(post: Post, row: Locator) -> None:
    page = row.page
    presses(row.get_by_role("button", name=f"Send a test event: {URL}"))
    delivery = row.locator(".deliveries > ul > li")
    expect(delivery).to_contain_text("on its way")
    expect(row.get_by_text("A test event is on its way:")).to_be_visible()
    post.sender.answers[URL] = AWAY
    assert post.delivers() == ["endpoint.test"]
    expect(delivery).to_contain_text("not arrived yet · 1 attempt · next attempt")
    attempts = delivery.get_by_role("button", name="Attempts: endpoint.test")
    presses(attempts)
    expect(attempts).to_have_attribute("aria-expanded", "true")
    expect(delivery).to_contain_text("answered 503 · only answers from 200 to 299 count · 40 ms")
    post.sender.answers.clear()
    assert post.delivers(minutes=2) == ["endpoint.test"]
    presses(row.get_by_role("button", name=f"Look again: {URL}"))
    expect(delivery).to_contain_text("arrived · 2 attempts")
    expect(delivery).to_contain_text("answered 204 · 3 ms")
    page.get_by_text("There are no older events.").wait_for()


def _has_events_sent_again(post: Post, row: Locator) -> None:
    post.gift_arrives()
    assert post.delivers(minutes=1) == ["donation.succeeded"]
    presses(row.get_by_role("button", name=f"Send again: {URL}"))
    since = row.get_by_label("Since", exact=True)
    since.fill("")
    presses(row.get_by_role("button", name="Send them again"))
    expect(since).to_be_focused()
    since.fill("2026-01-01T00:00")
    presses(row.get_by_role("button", name="Send them again"))
    expect(row.get_by_text("Nothing was sent: all of it has arrived")).to_be_visible()
    presses(row.get_by_role("button", name=f"Send again: {URL}"))
    row.get_by_label("Since", exact=True).fill("2026-01-01T00:00")
    row.get_by_label("Also those that have arrived already").check()
    presses(row.get_by_role("button", name="Send them again"))
    expect(row.get_by_text("1 event is sent again.")).to_be_visible()
    gift = row.locator(".deliveries > ul > li").filter(has_text="donation.succeeded")
    expect(gift).to_contain_text("on its way")
    assert post.delivers() == ["donation.succeeded"]
    expect(gift).to_contain_text("arrived · 1 attempt")
    presses(gift.get_by_role("button", name="Send this again: donation.succeeded"))
    expect(gift.get_by_text("It is sent again.")).to_be_visible()
    expect(gift.get_by_role("paragraph").first).to_be_focused()
    assert post.delivers() == ["donation.succeeded"]
    expect(gift).to_contain_text("arrived · 1 attempt")


def _changes_it(place: Place, row: Locator) -> None:  # noqa: F811 -- of the fixture's kind
    presses(row.get_by_role("button", name=f"Change: {URL}"))
    row.get_by_label("What it is for", exact=True).fill("our books")
    row.get_by_role("checkbox", name="A payout has arrived").check()
    place.clicks("Save the endpoint")
    expect(row.get_by_text("our books")).to_be_visible()
    expect(row.get_by_text("donation.succeeded payout.paid")).to_be_visible()
    presses(row.get_by_role("button", name=f"Rotate the key: {URL}"))
    place.clicks("Let a new key sign")
    expect(row.get_by_text("Former public key, signs until")).to_be_visible()
    presses(row.get_by_role("button", name=f"Pause: {URL}"))
    expect(row.get_by_text("Paused: nothing is sent to it.")).to_be_visible()
    expect(row.get_by_role("button", name=f"Resume: {URL}")).to_be_focused()
    expect(row.get_by_role("button", name=f"Send a test event: {URL}")).to_have_count(0)
    place.is_for_everybody()
    presses(row.get_by_role("button", name=f"Resume: {URL}"))
    expect(row.get_by_text("Events are sent to it.")).to_be_visible()


@pytest.mark.enable_socket
def test_an_endpoint_is_added_tried_looked_after_and_removed(
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page, post = place.page, Post(place)
    joins(place, databases, "admin")
    presses(page.get_by_role("link", name="Webhooks"))
    expect(page.get_by_text("There are no endpoints yet.")).to_be_visible()
    place.world.clock.advance(minutes=11)
    _adds_an_endpoint(place)
    row = page.locator("section > div > ul > li").filter(has_text=URL)
    presses(row.get_by_role("button", name="Copy: Public key"))
    expect(row.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == row.locator("dd code").inner_text()
    _sees_a_test_event_fail_and_arrive(post, row)
    _has_events_sent_again(post, row)
    _changes_it(place, row)

    place.goes("/account/webhooks/?org=org_another&lang=de")
    expect(page.get_by_role("heading", name="River Trust")).to_be_visible()
    expect(page.get_by_text("Ereignisse werden an ihn gesendet.")).to_be_visible()
    place.clicks(f"Entfernen: {URL}")
    place.clicks("Den Endpunkt entfernen")
    expect(page.get_by_text("Es gibt noch keine Endpunkte.")).to_be_visible()
    expect(page.get_by_text("Der Endpunkt ist entfernt.")).to_be_visible()
    assert post.delivers(hours=1) == []
