"""Where invitation letters lead, in a real browser at the real API."""

import pytest
from playwright.sync_api import expect

from tests.backend.conftest import database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import ADA, PASSWORD, people_cache, world  # noqa: F401 -- fixtures, too
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket

BOB = "bob@example.org"


def test_who_has_no_account_makes_one_and_joins_in_their_language(place: Place) -> None:  # noqa: F811 -- the fixture
    page, token = place.page, place.invited(ADA)
    place.goes(f"/join/#{token}")
    assert "#" not in page.url, "the token is in no address bar"
    expect(page.get_by_role("heading", name="Join River Trust")).to_be_visible()
    expect(page.locator("dl")).to_contain_text("those who run this platform")
    expect(page.locator("#email")).to_have_value(ADA)
    place.is_for_everybody()
    place.clicks("Français")
    expect(page.get_by_role("heading", name="Rejoindre River Trust")).to_be_visible()
    place.clicks("Deutsch")
    expect(page.locator("dl")).to_contain_text("Inhaberin oder Inhaber")
    place.is_for_everybody()
    place.fills(password="password1234")
    place.clicks("Konto anlegen und beitreten")
    expect(page.get_by_role("alert").filter(has_text="die Angreifer versuchen")).to_be_visible()
    place.fills(password=PASSWORD)
    place.clicks("Konto anlegen und beitreten")
    expect(page.get_by_role("heading", name="Sie gehören jetzt zu River Trust.")).to_be_focused()
    presses(page.get_by_role("link", name="Zu Ihrem Konto"))
    expect(page.get_by_text("River Trust · Inhaberin oder Inhaber")).to_be_visible()

    place.goes(f"/join/#{token}")
    expect(page.get_by_role("alert")).to_contain_text("angenommen oder zurückgezogen")
    expect(page.get_by_role("link", name="Zu Ihrem Konto")).to_be_visible()


def test_who_has_an_account_accepts_with_the_right_address_or_declines(place: Place) -> None:  # noqa: F811 -- the fixture
    place.world.member(BOB)
    place.world.member(ADA)
    page, token = place.page, place.invited(ADA)
    place.goes("/account/")
    place.signs_in(BOB)
    place.goes(f"/join/#{token}")
    expect(page.get_by_text(f"This invitation is for {ADA}, and you are signed in as {BOB}.")).to_be_visible()
    place.clicks("Sign out")
    expect(page.get_by_text(f"{ADA} has an account here.")).to_be_visible()
    place.fills(password=PASSWORD)
    place.clicks("Sign in")
    place.clicks("Decline")
    expect(page.get_by_role("heading", name="Decline the invitation")).to_be_focused()
    place.clicks("Leave it as it is")
    place.clicks("Join River Trust")
    expect(page.get_by_role("heading", name="You have joined River Trust.")).to_be_focused()

    other = place.invited("carol@example.org")
    place.goes(f"/join/#{other}")
    place.clicks("Decline")
    place.clicks("Decline the invitation")
    expect(page.get_by_role("heading", name="You have declined.")).to_be_focused()
    place.goes("/join/")
    expect(page.get_by_role("status")).to_contain_text("by the link in the invitation")
