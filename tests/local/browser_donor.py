"""A donor on the hosted donation page, in a real browser."""

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import chromium
from tests.browser.pressing import presses

_PATIENCE_MILLISECONDS = 60_000


def give(page_url: str, *, name: str, email: str, rhythm: str = "Once") -> tuple[str, list[str]]:
    """Fill the page in, pay with a test card, and wait for the ledger. `rhythm` as the page calls it.

    Answers what the page says in the end, and every error the browser met on the way.
    """
    found = chromium.find()
    assert found is not None, "There is no browser: run `make browser`."
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found.path, args=list(found.arguments))
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(request.url))
        page.goto(page_url)
        page.get_by_role("radio", name=rhythm).check()
        _fill_in(page, name=name, email=email)
        expect(page.get_by_text("In the public ledger for anyone to check")).to_be_visible(
            timeout=_PATIENCE_MILLISECONDS
        )
        said = page.inner_text("main")
        browser.close()
    return said, errors


def _fill_in(page: Page, *, name: str, email: str) -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail address").fill(email)
    presses(page.get_by_role("button", name="Continue to payment"))
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiration date").fill("12/34")
    page.get_by_label("Security code").fill("123")
    presses(page.get_by_role("button", name="Donate €25.00"))  # with the rhythm's words behind it
