"""The donation page on what a gift costs, how long it takes, and what became of it."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Pages
from tests.browser.platform_double import ORGANIZATION, PlatformDouble, problem, quoted
from tests.browser.pressing import presses
from tests.browser.test_donation_page import continue_to_payment, donate_link, fill_in, pay

pytestmark = pytest.mark.enable_socket


def test_a_donor_may_add_the_fee_and_sees_what_theypay(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.covers = [quoted("card", "64"), quoted("sepa_debit", "35")]
    page = pages.open(donate_link(edge))
    fill_in(page)
    box = page.get_by_role("checkbox", name="Add €0.64 for the payment fee")
    expect(box).not_to_be_checked()
    box.check()
    expect(page.get_by_text("You pay €25.64.")).to_be_visible()
    page.get_by_role("radio", name="SEPA direct debit: adds €0.35").check()
    expect(page.get_by_text("You pay €25.35.")).to_be_visible()
    page.get_by_role("radio", name="card: adds €0.64").check()
    continue_to_payment(page)

    expect(page.get_by_text("€0.64 of it are for the payment fee")).to_be_visible()
    expect(page.get_by_role("button", name="Donate €25.64")).to_be_visible()
    (post,) = platform.posts
    assert json.loads(post.body)["fee_cover"] == {"method": "card", "minor_units": "64"}

    presses(page.get_by_role("button", name="Change the details"))
    page.get_by_role("checkbox", name="Add €0.64 for the payment fee").uncheck()
    continue_to_payment(page)
    expect(page.get_by_role("button", name="Donate €25.00")).to_be_visible()
    assert "fee_cover" not in json.loads(platform.posts[-1].body)


def test_a_fee_that_has_changed_is_said_and_nothing_is_paid(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.covers = [quoted("card", "64")]
    platform.refusals = [problem(422, "The fee is another one.", code="fee_cover_changed", param="fee_cover")]
    page = pages.open(donate_link(edge))
    fill_in(page)
    page.get_by_role("checkbox").check()
    continue_to_payment(page)
    expect(page.get_by_text("The payment fee has changed meanwhile.")).to_be_visible()
    page.get_by_role("checkbox").uncheck()
    continue_to_payment(page)
    expect(page.get_by_role("button", name="Donate €25.00")).to_be_visible()
    pages.forgive("422")


def test_what_was_ticked_for_one_amount_is_not_added_to_another_unseen(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.covers = [quoted("card", "64")]
    page = pages.open(donate_link(edge))
    fill_in(page)
    page.get_by_role("checkbox").check()
    # Typed and sent before anybody could be asked.
    page.evaluate(
        """() => {
          const amount = document.getElementById("amount");
          amount.value = "100";
          amount.dispatchEvent(new Event("input", { bubbles: true }));
          setTimeout(() => document.querySelector("form").requestSubmit());
        }"""
    )
    expect(page.get_by_text("is not known yet")).to_be_visible()
    assert platform.posts == []


def test_a_debit_that_takes_days_is_not_thanked_for_before_it_has_come(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    pay(page)  # from here on the double says that it is processing
    expect(page.get_by_role("status")).to_contain_text("a debit from your bank account takes days")
    expect(page.get_by_role("status")).to_contain_text("once the money has arrived, and not before")
    expect(page.get_by_role("heading", name="Thank you!")).not_to_be_attached()

    platform.settle(status="failed")
    expect(page.get_by_role("heading", name="Not paid")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("no money was taken")


@pytest.mark.parametrize(
    ("standing", "refunded", "heading", "words"),
    [
        (
            "partially_refunded",
            "500",
            "Refunded in part",
            "€5.00 of it went back to you; the rest stays given.",
        ),
        ("refunded", "2500", "Refunded", "€25.00 went back to you."),
        ("disputed", "0", "Disputed", "The bank that paid it has asked for it back."),
        ("charged_back", "0", "Taken back", "The bank that paid it has taken it back."),
        ("succeeded", "0", "Thank you!", "went through."),
        ("a_word_of_next_year", "0", "Thank you!", "went through."),
    ],
)
def test_what_became_of_a_gift_is_shown_as_it_stands(
    pages: Pages,
    edge: str,
    platform: PlatformDouble,
    standing: str,
    refunded: str,
    heading: str,
    words: str,
) -> None:
    platform.donations["don_1"] = {
        "id": "don_1",
        "status": "succeeded",
        "standing": standing,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "refunded": {"minor_units": refunded, "currency": "EUR"},
        "organization_id": ORGANIZATION,
        "ledger": {"entry_id": "ent_1", "index": 12, "checkpoint_size": 15},
    }
    page = pages.open(f"{donate_link(edge)}&donation=don_1")
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text(words)
