"""The account page in a real browser with a virtual authenticator, at the real API with its database and cache."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from amply.modules import people
from tests.backend.conftest import databases, free_port, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import (  # noqa: F401 -- fixtures, too
    ADA,
    ANOTHER,
    PASSWORD,
    PeopleWorld,
    application_with,
    people_cache,
    world,
)
from tests.browser.loopback import serving
from tests.browser.site_server import WIDGETS, Site
from tests.browser.test_accessibility import _violations

pytestmark = pytest.mark.enable_socket
_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class Place:
    """The page's address; its people are in `world`, and their browser in `page`."""

    address: str
    world: PeopleWorld
    page: Page

    def comes_by_letter(self, step: str) -> None:
        """By the link of the letter that was written last."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}?{step}#{self.world.link()}")

    def fills(self, **values: str) -> None:
        for name, value in values.items():
            self.page.locator(f"#{name}").fill(value)

    def is_for_everybody(self) -> None:
        """In light and dark, on a telephone and a desk."""
        self.page.evaluate((WIDGETS / "node_modules" / "axe-core" / "axe.min.js").read_text())
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme, width in product(schemes, (320, 1280)):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.set_viewport_size({"width": width, "height": 800})
            assert _violations(self.page) == [], (scheme, width)
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width

    def clicks(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture
def place(world: PeopleWorld, browser: Browser, dist: Path) -> Iterator[Place]:  # noqa: F811 -- fixtures above
    port = free_port()
    # A page for passkeys has a name: addresses of numbers are nobody's domain.
    with serving(Site(folder=dist, api=f"http://localhost:{port}")) as origin:
        edge = origin.replace("127.0.0.1", "localhost")
        parts = replace(world.parts, site=people.Site.of(edge))
        app = application_with(world.own, parts, world.clock, origins=(edge,))
        served = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
        thread = threading.Thread(target=served.run)
        thread.start()
        with browser.new_context(locale="en-GB") as context:
            page = context.new_page()
            tools = context.new_cdp_session(page)
            tools.send("WebAuthn.enable")
            tools.send("WebAuthn.addVirtualAuthenticator", {"options": _DEVICE})
            yield Place(address=f"{edge}/account/", world=world, page=page)
        served.should_exit = True
        thread.join()


def test_somebody_registers_signs_in_and_goes_on_with_a_passkey(place: Place) -> None:
    page, status = place.page, place.page.get_by_role("status")
    page.goto(f"{place.address}?register")
    place.is_for_everybody()
    place.fills(email=ADA, password=PASSWORD)
    place.clicks("Ask for an account")
    expect(status).to_contain_text("A letter is on its way")

    place.comes_by_letter("verify")
    assert "#" not in page.url, "the token is in no address bar"
    place.fills(password=ANOTHER)
    place.clicks("Open the account")
    expect(page.get_by_role("alert")).to_contain_text("the password you registered with")
    place.fills(password=PASSWORD)
    place.clicks("Open the account")
    expect(status).to_contain_text("Your account is open")

    place.fills(email=ADA, password=PASSWORD)
    place.clicks("Sign in")
    expect(page.get_by_text(f"You are signed in as {ADA}.")).to_be_visible()
    assert page.evaluate("document.cookie") == "", "no script reads a session"

    place.world.clock.advance(minutes=11)
    place.clicks("Add a passkey")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    place.fills(password=PASSWORD)
    place.clicks("Confirm")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    expect(page.locator("code")).to_have_count(10)
    expect(page.get_by_role("button", name="Take away")).to_be_visible()
    place.is_for_everybody()

    place.clicks("Sign out")
    place.clicks("Sign in with a passkey")
    expect(page.get_by_text(f"You are signed in as {ADA}.")).to_be_visible()
    place.clicks("Sign out everywhere")

    place.fills(email=ADA, password=PASSWORD)
    place.clicks("Sign in")
    expect(page.locator("#code")).to_be_visible()
    place.clicks("Sign in with a passkey")
    expect(page.get_by_text("(this one)")).to_be_visible()


def test_a_forgotten_password_is_replaced_on_the_page(place: Place) -> None:
    place.world.member()
    page, status = place.page, place.page.get_by_role("status")
    page.goto(place.address)
    place.clicks("I forgot my password")
    place.fills(email=ADA)
    place.clicks("Ask for a new password")
    expect(status).to_contain_text("A letter is on its way")
    place.comes_by_letter("reset")
    place.fills(password="password1234")
    place.clicks("Use this password")
    expect(page.get_by_role("alert")).to_contain_text("lists that attackers try")
    place.fills(password=ANOTHER)
    place.clicks("Use this password")
    expect(status).to_contain_text("Your password is changed")
    place.fills(email=ADA, password=ANOTHER)
    place.clicks("Sign in")
    expect(page.get_by_text(f"You are signed in as {ADA}.")).to_be_visible()
