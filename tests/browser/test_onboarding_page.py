"""The page that invited staff see, against a real HTTP server: to Stripe, back, and again."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Pages
from tests.browser.onboarding_double import INVITATION, REASON
from tests.browser.platform_double import PlatformDouble
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


def _go_on(page: Page) -> None:
    presses(page.get_by_role("button", name="Go on at Stripe"))


def test_staff_go_to_stripe_come_back_and_go_again(pages: Pages, edge: str, platform: PlatformDouble) -> None:
    platform.onboarding.goes_to = f"{edge}/onboarding/?back"
    page = pages.open(f"{edge}/onboarding/#{INVITATION}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Green Fields")
    expect(page.get_by_role("status")).to_have_text(REASON)
    assert page.url == f"{edge}/onboarding/", "the token is in no address bar"

    _go_on(page)
    expect(page.get_by_role("status")).to_contain_text("You are back from Stripe.")
    assert page.url == f"{edge}/onboarding/"

    platform.onboarding.goes_to = f"{edge}/onboarding/?again"
    _go_on(page)
    expect(page.get_by_role("status")).to_contain_text("used, or too old")

    platform.onboarding.found |= {"takes_gifts": True, "reason": None, "status": "active"}
    platform.onboarding.goes_to = f"{edge}/onboarding/?back"
    _go_on(page)
    expect(page.get_by_role("status")).to_have_text("Green Fields takes gifts.")
    assert platform.onboarding.made == 3, "a new link each time"


def test_without_a_valid_invitation_nothing_is_shown(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/onboarding/")
    expect(page.get_by_role("alert")).to_contain_text("by the link in our invitation")
    page = pages.open(f"{edge}/onboarding/#{INVITATION[:-1]}x")
    expect(page.get_by_role("alert")).to_contain_text("ask us for a new one")
    expect(page.get_by_role("button")).to_have_count(0)
    pages.forgive("401")


def test_an_answer_leads_to_no_script(pages: Pages, edge: str, platform: PlatformDouble) -> None:
    platform.onboarding.goes_to = "javascript:alert(1)"
    page = pages.open(f"{edge}/onboarding/#{INVITATION}")
    _go_on(page)
    expect(page.get_by_role("alert")).to_contain_text("could not be read")
