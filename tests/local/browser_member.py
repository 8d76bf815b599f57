"""A member of an organisation in a real browser, through the deployed bucket and edge."""

from typing import Any, Final

import httpx2
from playwright.sync_api import Page, Request, expect, sync_playwright

from local_cloud.demo.member import PASSWORD
from local_cloud.settings import Settings
from tests.backend.image_world import picture
from tests.browser import chromium
from tests.browser.pressing import is_drawn

_PATIENCE_MILLISECONDS: Final = 60_000
_LEFT: Final = "net::ERR_ABORTED"
_ALT: Final = "Left red, right blue"


class Visit:
    """What goes wrong while somebody looks at pages."""

    def __init__(self, page: Page) -> None:
        self._page, self._is_leaving = page, False
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", self._fails)

    def goes(self, url: str) -> None:
        """What is under way when the page is left is broken off, and nobody misses it until the next one is there."""
        self._is_leaving = True
        self._page.goto(url)
        self._is_leaving = False

    def _fails(self, request: Request) -> None:
        if not (self._is_leaving and request.failure == _LEFT):
            self.errors.append(request.url)


def shows_a_logo(settings: Settings, joined: dict[str, Any]) -> None:
    """The owner that the demo's organisation has sends a logo, waits until it is shown, and looks at it where donors give."""
    found = chromium.find()
    assert found is not None, "There is no browser: run `make browser`."
    organization_id = joined["organization_id"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found.path, args=list(found.arguments))
        page = browser.new_page(locale="en-GB")
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        visit = Visit(page)
        visit.goes(f"{settings.edge_url}/account/organisation/?org={organization_id}")
        _signs_in(page, email=f"ada-{joined['slug'].removeprefix('flussfreunde-')}@flussfreunde.example")
        _sends(page)
        visit.goes(f"{settings.edge_url}/donate/?org={organization_id}&amount=2500&currency=EUR&lang=en")
        _shows_it(page)
        browser.close()
    assert visit.errors == []
    public = httpx2.get(f"{settings.api_url}/v1/public/organisations/{organization_id}").json()
    assert public["logo"]["alt"]["de"] == _ALT
    assert httpx2.get(public["logo"]["url"]).content.startswith(b"\x89PNG")


def _signs_in(page: Page, *, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).press("Enter")


def _sends(page: Page) -> None:
    page.get_by_label("File with the logo").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": picture()}
    )
    for language in ("en", "de", "fr"):
        page.locator(f"#logo-alt-{language}").fill(_ALT)
    page.get_by_role("img", name="Preview of the logo").wait_for()
    page.get_by_role("button", name="Send the logo").press("Enter")
    expect(page.get_by_text("The picture is shown.")).to_be_visible(timeout=_PATIENCE_MILLISECONDS)
    _shows_it(page)


def _shows_it(page: Page) -> None:
    is_drawn(page.locator(".logo").get_by_role("img", name=_ALT, exact=True))
