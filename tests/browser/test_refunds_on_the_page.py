"""An organisation's gifts on its own page, and giving one back: asked for there, made by the worker, told of by its event."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Response, Route, expect

from amply.modules import donations, webhooks
from tests.backend.committed.money_back import INTENT, thing
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import (  # noqa: F401 -- fixtures, too
    PASSWORD,
    PeopleWorld,
    people_cache,
    world,
)
from tests.backend.world import NOW, FakeProcessor
from tests.browser.colleague import joins
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


@dataclass
class Till:
    """What the processor has, and the worker that hears of it."""

    world: PeopleWorld
    processor: FakeProcessor
    events: int = 0

    def gives(self, place: Place) -> None:  # noqa: F811 -- of the fixture's kind
        body = {
            "organization_id": place.organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": "Ada", "email": "ada@example.org"},
        }
        address = f"{place.site.api}/v1/donations"
        given = place.page.request.post(address, data=body, headers={"Idempotency-Key": "once"})
        assert given.status == 201, given.text()
        self.hears("payment_intent.succeeded")

    def hears(self, event_type: str) -> None:
        self.events += 1
        (payment_id,) = self.processor.payment_of.values()
        with self.world.worker.transaction() as session:
            account_id = session.connection().exec_driver_sql("SELECT account_id FROM payment").scalar_one()
            intent = {"id": INTENT, "metadata": {"amply_payment_id": payment_id}}
            event = webhooks.ProviderEvent(
                id=f"evt_{self.events}",
                type=event_type,
                account_id=account_id,
                livemode=False,
                occurred_at=NOW,
                object=intent if event_type.startswith("payment_intent.") else thing(event_type),
            )
            webhooks.ingest(session, event=event, livemode=False, keeps=donations.keeps_event, now=NOW)
        parts = donations.EventDependencies(
            database=self.world.worker, processor=self.processor, secrets=SECRETS
        )
        assert donations.handle_provider_event(parts, event_id=event.id, now=self.world.clock())

    def works(self) -> int:
        refunding = donations.RefundDependencies(
            database=self.world.worker, processor=self.processor, secrets=SECRETS, clock=self.world.clock
        )
        return donations.carry_out_requests(refunding)


@pytest.fixture
def till(world: PeopleWorld) -> Till:  # noqa: F811 -- the fixture
    """Before the place, whose API asks the same processor."""
    made = Till(world=world, processor=FakeProcessor())
    world.beside["processor"] = made.processor
    return made


def _loses_the_answer(route: Route) -> None:
    assert route.request.method == "POST"
    route.fetch()
    route.abort()


def _changes_and_leaves_what_waits(place: Place) -> None:  # noqa: F811 -- of the fixture's kind
    """What was asked for in it is not to be confirmed any more."""
    password = place.page.get_by_label("Password")
    expect(password).to_be_visible()
    expect(place.page.get_by_text("Refund of €10.00", exact=True)).to_be_visible()
    place.page.get_by_label("How much goes back").fill("5.00")
    expect(password).to_have_count(0)
    place.clicks("Give it back now")
    expect(place.page.get_by_text("Refund of €5.00", exact=True)).to_be_visible()
    place.clicks("Leave it as it is")
    expect(password).to_have_count(0)


def _loses_all_answers(place: Place, row: Locator) -> None:  # noqa: F811 -- of the fixture's kind
    """The refund is asked for, and shown to whoever opens the form again."""
    give_back = row.get_by_role("button", name=re.compile("Give back: "))
    presses(give_back)
    place.page.get_by_label("How much goes back").fill("5.00")
    place.page.route("**/refunds", _loses_the_answer, times=1)
    place.page.route("**/gifts/*expand=refunds", lambda route: route.abort(), times=1)
    place.clicks("Give it back now")
    expect(row.get_by_role("alert").last).to_contain_text("could not reach the server")
    place.clicks("Leave it as it is")
    presses(give_back)
    expect(row.get_by_text("Refund of €5.00: is being made")).to_be_visible()
    expect(give_back).to_have_count(0)


def _asks_for_older_ones_twice(place: Place) -> None:  # noqa: F811 -- of the fixture's kind
    """Before the first answer is there: each of them is shown once."""
    page = place.page

    def answers(route: Route) -> None:
        is_older = "cursor=" in route.request.url
        found = route.fetch(url=route.request.url.replace("&cursor=older", "")).json()
        if is_older:
            found["data"][0]["id"] = "don_older"
        route.fulfill(json={**found, "next_cursor": None if is_older else "older"})

    page.route(re.compile(r"/gifts\?"), answers)
    page.reload()
    older = page.get_by_role("button", name="Show older gifts")
    expect(older).to_be_visible()
    came: list[str] = []

    def is_the_second(answer: Response) -> bool:
        came.extend([answer.url] if "cursor=older" in answer.url else [])
        return len(came) == 2

    with page.expect_response(is_the_second):
        older.evaluate("button => { button.click(); button.click(); }")
    expect(page.get_by_text("There are no older ones.")).to_be_visible()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.locator("#gifts").get_by_role("listitem")).to_have_count(2)


def test_finance_gives_a_part_of_a_gift_back_once_and_sees_what_becomes_of_it(
    till: Till,
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page = place.page
    till.processor.tell_attempt(INTENT, "succeeded")
    till.gives(place)
    joins(place, databases, "finance")
    presses(page.get_by_role("link", name="Gifts", exact=True))
    part = page.locator("#gifts")
    row = part.get_by_role("listitem")
    expect(row).to_contain_text("Ada · €25.00")
    expect(part.get_by_text("There are no older ones.")).to_be_visible()
    expect(part).to_be_focused()

    presses(row.get_by_role("button", name=re.compile("Give back: Ada · €25.00, ")))
    amount = page.get_by_label("How much goes back")
    expect(amount).to_have_value("25.00")
    amount.fill("25.01")
    place.clicks("Give it back now")
    expect(amount).to_be_focused()
    expect(amount).to_have_accessible_description(re.compile("More than is left of it cannot go back."))
    amount.fill("10.00")
    page.get_by_label("Why", exact=True).select_option("it was given twice by mistake")
    place.is_for_everybody()

    place.world.clock.advance(minutes=11)
    place.clicks("Give it back now")
    _changes_and_leaves_what_waits(place)
    presses(row.get_by_role("button", name=re.compile("Give back: ")))
    amount.fill("10.00")
    place.clicks("Give it back now")
    place.fills(password=PASSWORD)
    page.route("**/refunds", _loses_the_answer, times=1)
    place.clicks("Confirm")
    expect(row.get_by_role("alert").last).to_contain_text("could not reach the server")
    expect(row.get_by_text("Refund of €10.00: is being made")).to_be_visible()
    place.clicks("Give it back now")
    expect(amount).to_have_count(0)
    expect(row.locator("p").first).to_be_focused()
    assert till.works() == 1, "asked for twice in one form, and once in all"
    expect(row.get_by_text("Refund of €10.00: on its way to the donor")).to_be_visible()
    till.hears("refund.created")
    expect(row.get_by_text("Refund of €10.00: has gone back")).to_be_visible()
    expect(row.get_by_text("given back in part")).to_be_visible()
    (made,) = till.processor.refunded[INTENT].values()
    assert made.amount.minor_units == 1000
    _loses_all_answers(place, row)
    _asks_for_older_ones_twice(place)
    place.clicks("Français")
    expect(row.first.get_by_text("Remboursement de 10,00")).to_be_visible()
    place.is_for_everybody()
