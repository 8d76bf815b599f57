"""The page of an organisation's webhook endpoints: in a real browser at the real API, and its own code without one."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import text

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
        "An https address on the public internet, without a port. Write the address that events are sent to."
    )
    expect(page.get_by_text("Choose at least one type of event.")).to_be_visible()
    address.fill("https://10.0.0.1/hook")
    page.get_by_role("checkbox", name="A gift has arrived.").check()
    place.clicks("Add the endpoint")
    place.fills(password=PASSWORD)
    place.clicks("Confirm")
    expect(address).to_have_accessible_description(
        "An https address on the public internet, without a port. Give an address on the public internet."
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


def _looks_further_back(post: Post, row: Locator) -> None:
    for _ in range(20):
        post.gift_arrives()
    post.delivers()
    presses(row.get_by_role("button", name=f"Look again: {URL}"))
    shown = row.locator(".deliveries > ul > li")
    expect(shown).to_have_count(20)
    presses(row.get_by_role("button", name="Show older events"))
    expect(shown).to_have_count(22)
    expect(row.get_by_text("There are no older events.")).to_be_focused()


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
    _looks_further_back(post, row)
    _changes_it(place, row)

    place.goes("/account/webhooks/?org=org_another&lang=de")
    expect(page.get_by_role("heading", name="River Trust")).to_be_visible()
    expect(page.get_by_text("Ereignisse werden an ihn gesendet.")).to_be_visible()
    place.clicks(f"Entfernen: {URL}")
    place.clicks("Den Endpunkt entfernen")
    expect(page.get_by_text("Es gibt noch keine Endpunkte.")).to_be_visible()
    expect(page.get_by_text("Der Endpunkt ist entfernt.")).to_be_visible()
    expect(page.get_by_text("Es gibt noch keine Endpunkte.").locator("..")).to_be_focused()
    assert post.delivers() == []
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("UPDATE member SET role = 'finance'"))
    master.close()
    page.reload()
    expect(page.get_by_text("Sie verwalten die Webhook-Endpunkte keiner Organisation")).to_be_visible()
    presses(page.get_by_role("link", name="Zu Ihrem Konto"))
    expect(page.get_by_role("link", name="Spenden", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Webhook-Endpunkte")).to_have_count(0)


def test_the_page_offers_every_type_of_event_and_words_all_that_the_api_says_of_them() -> None:
    script = """() => {
        const tables = ["en", "de", "fr"].map((language) => module.speechIn(language).t);
        const keys = ["eventMeans", "disabledReasons", "deliveryStates", "attemptFailures"];
        return [module.EVENT_TYPES, tables.map((t) => keys.map((key) => Object.keys(t[key])))];
    }"""
    offered, tables = run_in_node(API, script)
    assert offered == list(EventType)
    said = [set(words) for words in (EventType, DisabledReason, DeliveryState, Failure)]
    assert [[set(each) for each in table] for table in tables] == [said] * 3


_ENABLED: Final = {"isEnabled": True, "disabledReason": None, "failingSince": None}


@pytest.mark.parametrize(
    ("endpoint", "standing"),
    [
        ({}, "Events are sent to it."),
        ({"failingSince": "2026-11-21T09:00:30Z"}, "Nothing has arrived since "),
        ({"isEnabled": False, "disabledReason": "by_member"}, "Paused: "),
        (
            {"isEnabled": False, "disabledReason": "gone", "failingSince": "2026-11-21T09:00:30Z"},
            "Disabled, ",
        ),
        ({"isEnabled": False, "disabledReason": "of_next_year"}, "Paused: "),
    ],
)
def test_an_endpoint_says_how_it_stands(endpoint: dict[str, Any], standing: str) -> None:
    script = """(endpoint) => {
        const failingSince = endpoint.failingSince && new Date(endpoint.failingSince);
        return module.endpointStanding({ ...endpoint, failingSince }, module.speechIn("en"));
    }"""
    assert run_in_node(WORDS, script, {**_ENABLED, **endpoint}).startswith(standing)


@pytest.mark.parametrize(
    ("delivery", "is_enabled", "facts"),
    [
        ({"attempts": 0}, True, ["on its way"]),
        ({"attempts": 1}, True, ["not arrived yet", "1 attempt", "next attempt"]),
        ({"attempts": 3}, False, ["waits until you resume the endpoint", "3 attempts"]),
        ({"attempts": 14, "state": "failed"}, True, ["not arrived, and not tried any more", "14 attempts"]),
        ({"attempts": 2, "state": "delivered"}, True, ["arrived", "2 attempts"]),
    ],
)
def test_a_delivery_says_how_it_stands_and_when_it_is_tried_next(
    delivery: dict[str, Any],
    is_enabled: bool,  # noqa: FBT001 -- of the table above
    facts: list[str],
) -> None:
    script = """([delivery, isEnabled]) => {
        const now = new Date("2026-11-21T09:00:30Z");
        const nextAttemptAt = delivery.state === "pending" ? now : null;
        return module.deliveryFacts({ ...delivery, createdAt: now, nextAttemptAt }, isEnabled, module.speechIn("en"));
    }"""
    moment, *said = run_in_node(WORDS, script, [{"state": "pending", **delivery}, is_enabled])
    assert moment.startswith("Nov 21, 2026")
    assert [each.removesuffix(f" {moment}") for each in said] == facts


@pytest.mark.parametrize(
    ("status", "error", "facts"),
    [
        (204, None, ["answered 204"]),
        (503, "status", ["answered 503", "only answers from 200 to 299 count"]),
        (None, "no_connection", ["no connection"]),
        (None, "of_next_year", ["of_next_year"]),
    ],
)
def test_an_attempt_says_what_came_of_it(status: int | None, error: str | None, facts: list[str]) -> None:
    script = """([status, error]) => module.attemptFacts(
        { at: new Date("2026-11-21T09:00:30Z"), status, error, milliseconds: 7 }, module.speechIn("en"))"""
    assert run_in_node(WORDS, script, [status, error])[1:] == [*facts, "7 ms"]


@pytest.mark.parametrize(
    ("shown", "newest", "ids", "following"),
    [
        ("dcba", "edcb", "edcba", "after a"),
        ("dcba", "dcba", "dcba", "after the newest"),
        ("cba", "ihgf", "ihgf", "after the newest"),
        ("", "ba", "ba", "after the newest"),
        ("cba", "", "", "after the newest"),
    ],
)
def test_what_is_looked_at_anew_stands_before_what_was_shown_without_a_gap(
    shown: str, newest: str, ids: str, following: str
) -> None:
    script = """([shown, newest]) => {
        const page = (ids, next) => ({ deliveries: [...ids].map((id) => ({ id })), next });
        const { deliveries, next } = module.withNewest(page(shown, "after a"), page(newest, "after the newest"));
        return [deliveries.map(({ id }) => id).join(""), next];
    }"""
    assert run_in_node(WORDS, script, [shown, newest]) == [ids, following]


@pytest.mark.parametrize(
    ("code", "param", "about"),
    [
        ("endpoint_taken", "", "url"),
        ("endpoint_not_acceptable", "description", "description"),
        ("invalid_request", "body.event_types.0", "event-type"),
        ("too_many_endpoints", "", None),
    ],
)
def test_a_refusal_stands_by_the_field_that_it_is_about(code: str, param: str, about: str | None) -> None:
    script = "([code, param]) => module.endpointFieldOf({ code, param })"
    assert run_in_node(FORM, script, [code, param]) == about


def test_a_form_is_read_as_the_api_keeps_it_and_keeps_types_that_the_page_does_not_know() -> None:
    script = """() => {
        const form = new FormData();
        form.set("p-url", " https://river.example/hook ");
        form.set("p-description", "  our \\t books ");
        for (const type of ["payout.paid", "of.next_year"]) form.append("p-event-type", type);
        const said = module.endpointIn(form, "p-");
        const sorted = { ...said, eventTypes: [...said.eventTypes].reverse() };
        const { faults } = module.endpointIn(new FormData(), "p-");
        const differing = module.differingEndpoint(said, { ...sorted, url: "https://sea.example" });
        return [said, module.offeredTypes(said).at(-1), [...faults.keys()], differing.map((words) => words(module.speechIn("en").t))];
    }"""
    said, last, faults, differing = run_in_node(FORM, script)
    assert said == {"url": URL, "description": "our books", "eventTypes": ["payout.paid", "of.next_year"]}
    assert last == "of.next_year"
    assert faults == ["p-url", "p-event-type"]
    assert differing == ["address"]


def test_a_moment_is_read_as_it_was_shown_where_the_reader_is() -> None:
    script = """() => {
        const shown = module.localInput(new Date("2026-11-21T09:00:30.250Z"));
        return [shown.length, module.momentOf(shown).toISOString(), module.momentOf(""), module.momentOf("yesterday")];
    }"""
    assert run_in_node(FORM, script) == [16, "2026-11-21T09:00:00.000Z", None, None]
