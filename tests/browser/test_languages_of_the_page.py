"""The donation page in the donor's language, from the form to what became of the gift."""

import json
import re

import pytest
from playwright.sync_api import expect

from amply.modules.donations.schemas import DonationIn
from tests.browser.conftest import Pages
from tests.browser.platform_double import ORGANIZATION_NAME, PlatformDouble, problem, quoted
from tests.browser.pressing import presses
from tests.browser.test_donation_page import donate_link

pytestmark = pytest.mark.enable_socket


def test_a_gift_is_made_in_the_browsers_language_and_another_is_chosen_on_the_way(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.covers = [quoted("card", "64")]
    platform.refusals = [problem(422, "English.", code="organization_not_ready")]
    page = pages.open(donate_link(edge), locale="de-DE")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Spenden für {ORGANIZATION_NAME}")
    expect(page).to_have_title(f"Spenden für {ORGANIZATION_NAME} · Amply")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("complementary")).to_contain_text(
        "Die Organisation erhält Ihre Spende unmittelbar."
    )
    expect(page.get_by_label("Betrag in EUR")).to_have_value("25,00")
    page.get_by_role("radio", name="Monatlich").check()
    expect(page.get_by_text("25,00 € jetzt und dann jeden Monat")).to_be_visible()
    page.get_by_role("checkbox", name="0,64 € für die Zahlungsgebühr dazugeben").check()
    presses(page.get_by_role("button", name="Weiter zur Zahlung"))
    name = page.get_by_label("Ihr Name")
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description(
        "Geben Sie Ihren Namen ein, damit die Organisation Ihnen danken kann."
    )
    name.fill("Ada Example")
    page.get_by_label("Ihre E-Mail-Adresse").fill("ada@example.org")
    presses(page.get_by_role("button", name="Weiter zur Zahlung"))
    refusal = page.get_by_role("alert").filter(
        has_text="Diese Organisation kann gerade keine Spenden annehmen."
    )
    expect(refusal).to_be_visible()
    pages.forgive("422")

    # What is said already follows when somebody chooses another language, and so does what they typed.
    presses(page.get_by_role("button", name="Français"))
    expect(
        page.get_by_role("alert").filter(has_text="ne peut pas recevoir de dons en ce moment")
    ).to_be_visible()
    expect(page.get_by_label("Votre nom")).to_have_value("Ada Example")
    assert "lang=fr" in page.url
    presses(page.get_by_role("button", name="Continuer vers le paiement"))
    expect(page.locator(".payment-element")).to_have_attribute("data-locale", "fr")
    assert json.loads(platform.posts[-1].body)["language"] == "fr"
    expect(page.get_by_role("region", name="Ce que vous acceptez")).to_contain_text(
        f"vous autorisez {ORGANIZATION_NAME} à prélever 25,64 € chaque mois sur cette carte ou ce compte"
    )
    page.get_by_label("Card number").fill("4000000000000002")
    presses(page.get_by_role("button", name="Donner 25,64 € chaque mois"))
    expect(page.get_by_role("alert").filter(has_text="pas accepté ce paiement, et rien")).to_be_visible()
    page.get_by_label("Card number").fill("4242424242424242")
    presses(page.get_by_role("button", name="Donner 25,64 € chaque mois"))
    page.get_by_role("heading", name="Confirmation de votre paiement…").wait_for()
    platform.settle(status="succeeded")
    page.reload()
    expect(page.get_by_role("heading", name="Merci")).to_be_visible()
    expect(page.get_by_role("link", name="Vos dons")).to_have_attribute("href", "/giving/?lang=fr")


def test_the_donors_own_page_opens_in_the_language_that_a_link_asks_for(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/giving/?lang=de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihre Spenden")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihre Spenden")


def test_a_canadian_receipt_asks_for_an_address_and_says_what_there_is_without_one(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.country = "CA"
    page = pages.open(donate_link(edge, currency="CAD"))
    address = page.get_by_role("group", name="Your address, for the tax receipt")
    expect(address).to_have_accessible_description(
        re.compile("your gift is then acknowledged, without such a receipt")
    )
    expect(address.get_by_label("Country")).to_have_value("CA")
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    address.get_by_label("Street and number").fill("1 Water Street")
    presses(page.get_by_role("button", name="Continue to payment"))
    expect(address.get_by_label("Town")).to_be_focused()
    address.get_by_label("Town").fill("Toronto")
    address.get_by_label("Postal code").fill("M5V 2T6")
    presses(page.get_by_role("button", name="Continue to payment"))
    page.get_by_label("Card number").wait_for()
    (post,) = platform.posts
    told = DonationIn.model_validate_json(post.body).gift().for_receipt.address
    assert told is not None
    assert told.as_lines() == ["1 Water Street", "Toronto M5V 2T6", "CA"]
