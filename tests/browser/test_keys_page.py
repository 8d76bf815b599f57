"""The page of an organisation's API keys, in a real browser at the real API."""

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from tests.backend.conftest import database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import ADA, PASSWORD, people_cache, world  # noqa: F401 -- fixtures, too
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


def test_a_key_is_made_shown_once_rotated_and_revoked(place: Place) -> None:  # noqa: F811 -- the fixture
    place.world.member()
    page, token = place.page, place.invited(ADA)
    place.goes("/account/")
    place.signs_in(ADA)
    place.goes("/account/keys/")
    expect(page.get_by_text("You look after the keys of no organisation")).to_be_visible()
    place.goes(f"/join/#{token}")
    place.clicks("Join River Trust")
    presses(page.get_by_role("link", name="To your account"))
    presses(page.get_by_role("link", name="API keys"))
    expect(page.get_by_text("There are no keys yet.")).to_be_visible()

    place.world.clock.advance(minutes=11)
    place.fills(key_name="our website")
    place.clicks("Make a key")
    expect(page.get_by_role("alert").filter(has_text="Choose at least one thing")).to_be_visible()
    page.get_by_role("checkbox", name="Read the organisation").check()
    place.clicks("Make a key")
    place.fills(password=PASSWORD)
    place.clicks("Confirm")
    expect(page.get_by_role("heading", name="Your new key")).to_be_focused()
    secret = page.locator(".secrets code").inner_text()
    assert secret.startswith("sk_test_")
    place.is_for_everybody()
    programs = TestClient(place.world.app)
    address = f"/v1/organisations/{place.organization_id}"

    def asks(key: str) -> int:
        return programs.get(address, headers={"Authorization": f"Bearer {key}"}).status_code

    assert asks(secret) == 200
    place.clicks("I have kept it")
    page.reload()
    expect(page.get_by_text(f"ends in {secret[-4:]}")).to_contain_text("last used")
    assert page.get_by_text(secret).count() == 0, "nobody can show it again"

    presses(page.get_by_role("button", name="Rotate: our website"))
    place.clicks("Make the second key")
    second = page.locator(".secrets code").inner_text()
    place.clicks("I have kept it")
    assert (asks(secret), asks(second)) == (200, 200)
    former = page.get_by_role("listitem").filter(has_text=secret[-4:])
    presses(former.get_by_role("button", name="Revoke: our website"))
    place.clicks("Revoke the key")
    expect(former).to_contain_text("revoked on")
    assert (asks(secret), asks(second)) == (401, 200)
    place.clicks("Deutsch")
    expect(former).to_contain_text("widerrufen am")
    place.is_for_everybody()
