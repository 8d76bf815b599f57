"""How an organisation issues receipts, said on its own page by whoever looks after its money."""

import re

import pytest
from playwright.sync_api import expect

from amply.modules import receipts
from tests.backend.conftest import Databases, database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import people_cache, world  # noqa: F401 -- fixtures, too
from tests.browser.colleague import Colleague, joins, part_of
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


def test_finance_completes_what_staff_verified_and_receipts_are_official(
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    page = place.page
    with place.operator.transaction() as session:
        receipts.save_settings(
            session,
            settings=receipts.ReceiptSettings(
                organization_id=place.organization_id,
                jurisdiction=receipts.Jurisdiction.GB,
                legal_name="River Trust of the Vale",
                registration_number="1234567",
            ),
            now=place.world.clock(),
        )
    colleague = Colleague(joins(place, databases, "finance"), place)
    presses(page.get_by_role("link", name="Profile", exact=True))
    part = part_of(place, "Receipts")
    expect(part.get_by_text("until this is there: address.")).to_be_visible()
    expect(part.get_by_text("River Trust of the Vale")).to_be_visible()
    expect(part.get_by_text("Our staff verify name and number")).to_be_visible()
    expect(page.get_by_role("button", name="Open a fund")).to_have_count(0)
    page.get_by_label("Address on receipts").fill(" 1 Mill  Lane \nVale AB1 2CD\n")
    page.get_by_label("Who signs").fill("Grace Hopper, Treasurer")
    page.get_by_label("Time zone").select_option("Europe/London")
    page.get_by_label("The fiscal year begins in").select_option("April")
    colour = page.get_by_label("Colour on receipts")
    colour.fill("#f98152")
    place.clicks("Save what receipts say")
    expect(colour).to_be_focused()
    expect(colour).to_have_accessible_description(re.compile("dark enough to be read on white \\(contrast"))
    colour.fill("#05668D")
    place.clicks("Save what receipts say")
    expect(part.get_by_role("status").last).to_have_text("What receipts say is saved.")
    expect(part.get_by_text("get official receipts.")).to_be_visible()
    said = colleague.sees("/receipt-settings").json()
    assert said["address"] == ["1 Mill Lane", "Vale AB1 2CD"]
    assert (said["time_zone"], said["fiscal_year_starts"], said["brand_colour"]) == (
        "Europe/London",
        4,
        "#05668d",
    )
    place.clicks("Français")
    expect(page.get_by_role("heading", name="Reçus")).to_be_visible()
    place.is_for_everybody()


def test_without_a_number_nothing_says_that_the_name_was_verified(
    place: Place,  # noqa: F811 -- the fixture
    databases: Databases,  # noqa: F811 -- the fixture
) -> None:
    Colleague(joins(place, databases, "finance"), place)
    presses(place.page.get_by_role("link", name="Profile", exact=True))
    part = part_of(place, "Receipts")
    expect(part.get_by_text("Our staff change name and number: write to them.")).to_be_visible()
    expect(part.get_by_text("verify")).to_have_count(0)
