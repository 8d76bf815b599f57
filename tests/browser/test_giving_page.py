"""The donors' own page against a real HTTP server: by the link of a letter, or by asking for one."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Pages
from tests.browser.plans_double import ASKED, TOKEN
from tests.browser.platform_double import PlatformDouble

pytestmark = pytest.mark.enable_socket


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def test_a_donor_changes_skips_pauses_stores_a_card_and_ends(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    gifts = page.get_by_role("region", name="Gifts to Green Fields")
    expect(gifts).to_contain_text("€25.00 each month. The next one is on 31 March 2026.")
    assert page.url == f"{edge}/giving/", "the token is in no address bar"

    _press(page, "Change the amount")
    page.get_by_label("Amount in EUR").fill("40")
    _press(page, "Save the amount")
    expect(gifts).to_contain_text("€40.00 each month")
    _press(page, "Skip the next one")
    expect(gifts).to_contain_text("The next one is on 30 April 2026.")
    _press(page, "Another card")
    page.get_by_label("Card number").fill("5555555555554444")
    _press(page, "Store it for my gifts")
    expect(gifts).to_contain_text("It is paid by what ends in 4444.")
    _press(page, "Pause")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(gifts).to_contain_text("It is paused; nothing is collected.")
    _press(page, "Resume")
    _press(page, "End: gifts to")
    _press(page, "End these gifts")
    expect(gifts).to_contain_text("This has ended; nothing more is collected.")
    assert [path for path, _ in platform.plans.posts] == [
        *("amount", "skip", "card", "card/stored", "pause", "resume", "cancel")
    ]
    assert platform.plans.posts[0][1] == {"amount": {"minor_units": "4000", "currency": "EUR"}}


def test_without_a_link_one_is_asked_for(pages: Pages, edge: str, platform: PlatformDouble) -> None:
    page = pages.open(f"{edge}/giving/")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    _press(page, "Send me a link")
    expect(page.get_by_role("status")).to_have_text(ASKED)
    assert platform.plans.posts == [("/v1/donor/links", {"email": "ada@example.org"})]


def test_a_link_that_has_expired_leads_to_another_one(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN[:-1]}x")
    expect(page.get_by_role("alert").first).to_contain_text("ask for a new one")
    expect(page.get_by_role("button", name="Send me a link")).to_be_visible()
    pages.forgive("401")
