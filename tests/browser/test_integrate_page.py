"""How somebody who integrates begins, in a real browser at the real API; `contract/test_trying.py` runs the commands shown."""

import re

import pytest
from playwright.sync_api import expect

from tests.backend.conftest import database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import ADA, people_cache, world  # noqa: F401 -- fixtures, too
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


def test_a_test_organisation_and_its_commands_come_without_anybody_else(place: Place) -> None:  # noqa: F811 -- the fixture
    place.world.member()
    page = place.page
    place.goes("/integrate/")
    expect(page.get_by_role("link", name="Ask for an account")).to_be_visible()
    place.signs_in(ADA)
    place.is_for_everybody()
    place.fills(name="Relief of Ada")
    place.clicks("Make a test organisation")
    expect(page.get_by_role("heading", name="Your first gift")).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("Stripe is opening its test account")
    expect(page.locator("pre")).to_have_count(3)
    expect(page.get_by_role("region", name="1. Take the gift by your key")).to_contain_text("sk_test_")
    place.clicks("Copy: 1. Take the gift by your key")
    expect(page.get_by_text("Copied.")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"Bearer sk_test_[0-9A-Za-z]{36}'", copied)
    place.clicks("Deutsch")
    expect(page.get_by_role("heading", name="1. Die Spende mit Ihrem Schlüssel annehmen")).to_be_visible()
    place.is_for_everybody()
    presses(page.get_by_role("link", name="Ihre API-Schlüssel"))
    expect(page.get_by_text("first key")).to_be_visible()
