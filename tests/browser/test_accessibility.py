"""axe-core finds nothing on any page, in any of its states, light or dark, on a phone or a desk."""

from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Page

from tests.browser.axe import assert_accessible
from tests.browser.conftest import Pages
from tests.browser.log_double import POLICY, donation_entries, published
from tests.browser.onboarding_double import INVITATION
from tests.browser.plans_double import TOKEN
from tests.browser.platform_double import ORGANIZATION, PlatformDouble, quoted
from tests.browser.pressing import presses
from tests.browser.site_server import Site

pytestmark = pytest.mark.enable_socket


def _details(page: Page) -> None:
    page.get_by_label("Amount in EUR").wait_for()


def _details_with_options(page: Page) -> None:
    presses(page.get_by_text("Say more about your gift"))
    page.get_by_label("Dedicate it").select_option("In honour of somebody")
    page.get_by_label("Company", exact=True).fill("Angstrom & Sons")
    page.get_by_label("E-mail address of whom we tell").wait_for()


def _details_with_faults(page: Page) -> None:
    presses(page.get_by_role("button", name="Continue to payment"))
    page.get_by_text("Enter your name").wait_for()


def _fee_covered(page: Page) -> None:
    page.get_by_role("checkbox").check()
    page.get_by_role("radio", name="SEPA direct debit").wait_for()


def _payment(page: Page) -> None:
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    presses(page.get_by_role("button", name="Continue to payment"))
    page.get_by_label("Card number").wait_for()


def _monthly(page: Page) -> None:
    page.get_by_role("radio", name="Monthly").check()
    page.get_by_text("the next time on").wait_for()
    _payment(page)
    page.get_by_role("region", name="What you agree to").wait_for()


def _paid(page: Page) -> None:
    _payment(page)
    page.get_by_label("Card number").fill("4242424242424242")
    presses(page.get_by_role("button", name="Donate €25.00"))
    page.get_by_role("heading", name="Confirming your payment…").wait_for()


def _shared(page: Page) -> None:
    page.get_by_label("Add an organisation").select_option("Clean River")
    page.get_by_role("checkbox", name="Choose each part myself").check()
    presses(page.get_by_role("button", name="Continue to payment"))
    page.get_by_text("Enter your name").wait_for()


def _shared_in_part(page: Page) -> None:
    page.get_by_label("Add an organisation").select_option("Clean River")
    _payment(page)
    presses(page.get_by_role("button", name="Donate €25.00"))
    page.get_by_role("heading", name="Given in part").wait_for()


def _in_german(page: Page) -> None:
    """Long words, and all that can be asked of a donor."""
    page.get_by_role("checkbox").first.check()
    presses(page.get_by_text("Mehr zu Ihrer Spende sagen"))
    page.get_by_label("Die Spende widmen").select_option("Im Gedenken an jemanden")
    page.get_by_role("checkbox", name="Der Organisation nicht sagen, wer ich bin").check()
    presses(page.get_by_role("button", name="Weiter zur Zahlung"))
    page.get_by_text("Geben Sie Ihren Namen ein").wait_for()


def _address(page: Page) -> None:
    page.get_by_role("group", name="Your address, for the tax receipt").wait_for()


def _entries(page: Page) -> None:
    page.get_by_text("entry 29").wait_for()


def _button(page: Page) -> None:
    page.get_by_role("link", name="Donate €25.00").wait_for()


def _amount_of_a_plan(page: Page) -> None:
    presses(page.get_by_role("button", name="Change the amount"))
    page.get_by_label("Amount in EUR").wait_for()


def _receipts_of_a_gift(page: Page) -> None:
    presses(page.locator(".gifts summary"))
    page.get_by_role("button", name="CA-000001").wait_for()


def _nothing(page: Page) -> None:
    page.get_by_role("heading", level=1).wait_for()


def _go_on(page: Page) -> None:
    page.get_by_role("button", name="Go on at Stripe").wait_for()


_DONATE: Final = f"/donate/?org={ORGANIZATION}&amount=2500&currency=EUR"
_SHARE: Final = f"/donate/?share=1&org={ORGANIZATION}&amount=2500&currency=EUR"


@pytest.mark.parametrize(
    ("path", "reach"),
    [
        pytest.param(_DONATE, _details, id="donate-details"),
        pytest.param(_DONATE, _details_with_options, id="donate-options"),
        pytest.param(_DONATE, _details_with_faults, id="donate-faults"),
        pytest.param(_DONATE, _fee_covered, id="donate-fee-covered"),
        pytest.param(_DONATE, _payment, id="donate-payment"),
        pytest.param(_DONATE, _monthly, id="donate-monthly"),
        pytest.param(_DONATE, _paid, id="donate-paid"),
        pytest.param(f"{_DONATE}&lang=de", _in_german, id="donate-german"),
        pytest.param(_DONATE.replace("EUR", "CAD"), _address, id="donate-address"),
        pytest.param(_SHARE, _shared, id="share-details"),
        pytest.param(_SHARE, _shared_in_part, id="share-in-part"),
        pytest.param("/ledger/?entry=3", _entries, id="ledger"),
        pytest.param(f"/giving/#{TOKEN}", _amount_of_a_plan, id="giving"),
        pytest.param(f"/giving/#{TOKEN}", _receipts_of_a_gift, id="giving-receipts"),
        pytest.param("/giving/", _nothing, id="giving-ask"),
        pytest.param(f"/onboarding/#{INVITATION}", _go_on, id="onboarding"),
        pytest.param("/demo/", _button, id="demo"),
        pytest.param("/trust/", _nothing, id="trust"),
        pytest.param("/problems/", _nothing, id="problems"),
        pytest.param("/", _nothing, id="front"),
        pytest.param("/404.html", _nothing, id="not-found"),
    ],
)
def test_no_page_has_a_violation_or_scrolls_sideways(
    pages: Pages,
    edge: str,
    site: Site,
    platform: PlatformDouble,
    path: str,
    reach: Callable[[Page], None],
) -> None:
    site.policy = POLICY
    platform.organizations["org_0199aaaabbbbccccddddeeeeffff0002"] = "Clean River"
    platform.splits.outcomes = [["paid", "declined"]]
    platform.covers = [quoted("card", "64"), quoted("sepa_debit", "35")]
    platform.country = "CA"
    site.log.update(published(donation_entries(30)))
    page = pages.open(edge + path, reduced_motion="reduce")
    reach(page)
    assert_accessible(page)


def test_nothing_moves_for_those_who_asked_for_less_motion(pages: Pages, edge: str) -> None:
    page = pages.open(edge + _DONATE, reduced_motion="reduce")
    _paid(page)
    assert page.evaluate("document.getAnimations({subtree: true}).length") == 0
