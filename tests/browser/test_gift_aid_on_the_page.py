"""The donation page on Gift Aid: a declaration that the donor has read, and nothing where there is none."""

import json

import pytest
from playwright.sync_api import expect

from amply.modules.donations.schemas import DonationIn
from tests.browser.conftest import Pages
from tests.browser.platform_double import ORGANIZATION_NAME, PlatformDouble
from tests.browser.pressing import presses
from tests.browser.test_donation_page import continue_to_payment, donate_link, fill_in

pytestmark = pytest.mark.enable_socket

BOX = "Gift Aid it: 25p more for every £1, at no cost to you"


def test_a_uk_taxpayer_declares_under_the_words_that_stand_beside_the_box(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.country = "GB"
    page = pages.open(donate_link(edge, currency="GBP"))
    fill_in(page)
    box = page.get_by_role("checkbox", name=BOX)
    expect(box).not_to_be_checked()
    box.check()
    words = page.get_by_role("group", name="Your declaration")
    expect(words).to_contain_text(f"I want to Gift Aid my donation of £25.00 to {ORGANIZATION_NAME}.")
    expect(words).to_contain_text("it is my responsibility to pay any difference.")
    continue_to_payment(page)
    expect(page.get_by_label("First name")).to_be_focused()
    expect(page.get_by_label("Postcode of your home")).to_have_attribute("aria-invalid", "true")
    assert platform.posts == []
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Last name").fill("King-Noel")
    page.get_by_label("House name or number").fill("12")
    page.get_by_label("Postcode of your home").fill("sw1a1aa")
    continue_to_payment(page)
    page.get_by_label("Card number").wait_for()

    (post,) = platform.posts
    declared = DonationIn.model_validate_json(post.body).gift().for_receipt.gift_aid
    assert declared is not None
    assert (declared.first_name, declared.last_name) == ("Ada", "King Noel")
    assert (declared.house, declared.postcode) == ("12", "SW1A 1AA")


@pytest.mark.parametrize(("country", "currency"), [("DE", "GBP"), ("GB", "EUR")])
def test_gift_aid_is_offered_where_it_can_be_claimed_and_nowhere_else(
    pages: Pages, edge: str, platform: PlatformDouble, country: str, currency: str
) -> None:
    platform.country = country
    page = pages.open(donate_link(edge, currency=currency))
    page.get_by_label(f"Amount in {currency}").wait_for()
    expect(page.get_by_role("checkbox", name=BOX)).not_to_be_attached()


def test_a_company_declares_nothing(pages: Pages, edge: str, platform: PlatformDouble) -> None:
    platform.country = "GB"
    page = pages.open(donate_link(edge, currency="GBP"))
    fill_in(page)
    page.get_by_role("checkbox", name=BOX).check()
    presses(page.get_by_text("Say more about your gift"))
    page.get_by_label("Company", exact=True).fill("Angstrom & Sons")
    expect(page.get_by_role("checkbox", name=BOX)).not_to_be_attached()
    continue_to_payment(page)
    page.get_by_label("Card number").wait_for()
    assert "gift_aid" not in json.loads(platform.posts[0].body)
