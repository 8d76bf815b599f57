"""The donation page on one gift to several organisations."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from amply.kernel.splitting import divide
from amply.modules import defence
from amply.modules.donations.split_schemas import SplitGiftIn
from tests.browser.conftest import Pages
from tests.browser.platform_double import FUND, ORGANIZATION, ORGANIZATION_NAME, PlatformDouble
from tests.browser.pressing import presses
from tests.browser.splits_double import SPLIT
from tests.browser.test_donation_page import continue_to_payment, donate_link, fill_in

pytestmark = pytest.mark.enable_socket

RIVER = "org_0199aaaabbbbccccddddeeeeffff0002"
HILLS = "org_0199aaaabbbbccccddddeeeeffff0003"


@pytest.fixture(autouse=True)
def neighbours(platform: PlatformDouble) -> None:
    platform.organizations |= {RIVER: "Clean River", HILLS: "High Hills"}


def share_link(edge: str, *organizations: str, amount: str = "5000") -> str:
    named = "".join(f"&org={each}" for each in organizations or (ORGANIZATION, RIVER, HILLS))
    return f"{edge}/donate/?share=1{named}&amount={amount}&currency=EUR"


def pay_for_all(page: Page, button: str) -> None:
    page.get_by_label("Card number").fill("4242424242424242")
    presses(page.get_by_role("button", name=button))


def test_a_gift_is_shared_in_equal_parts_and_what_failed_is_paid_with_another_card(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.splits.outcomes = [["paid", "needs_donor", "declined"], ["paid", "paid", "declined"]]
    page = pages.open(donate_link(edge))
    page.get_by_label("Amount in EUR").fill("50")
    presses(page.get_by_role("link", name="Share a gift between several organisations"))
    page.get_by_label("Add an organisation").select_option("Clean River")
    page.get_by_label("Add an organisation").select_option("High Hills")
    expect(page.get_by_role("listitem").filter(has_text="Remove")).to_have_text(
        [f"{ORGANIZATION_NAME} €16.67Remove", "Clean River €16.67Remove", "High Hills €16.66Remove"]
    )
    fill_in(page)
    continue_to_payment(page)
    expect(page.locator(".payment-element")).to_have_attribute("data-account", "pk_test_double undefined")
    pay_for_all(page, "Donate €50.00")

    expect(page.get_by_role("heading", name="Given in part")).to_be_focused()
    standing = page.get_by_role("status")
    expect(standing).to_contain_text("€16.67 to Clean River: went through.")
    expect(standing).to_contain_text("€16.66 to High Hills: not paid, and nothing was taken.")
    expect(standing).to_contain_text("€33.34 of your gift stays given; it is not undone by what failed.")
    expect(page.locator("body")).to_have_attribute("data-asked", "pi_don_1_secret_1 acct_double")
    about = defence.About(organization_id=ORGANIZATION, idempotency_key="any")
    posed = defence.ProofOfWork(lambda _day: b"k" * 32).pose(about, bits=4, now=datetime.now(UTC))
    said = {"code": "challenge_required", "detail": "Solve it.", "challenge": posed}
    platform.splits.refusals = [(403, said)]
    presses(page.get_by_role("button", name="Enter another card"))
    pay_for_all(page, "Pay what failed")
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    pages.forgive("403")
    expect(standing).to_contain_text("A receipt for each part, with its proof, comes by e-mail.")

    made, *later = platform.splits.posts
    assert [what for what, _ in later] == ["/payments", "/payments", "/setups", "/setups", "/payments"]
    asked = SplitGiftIn.model_validate_json(made[1]).split()
    assert [gift.amount.minor_units for gift in asked.gifts] == [1667, 1667, 1666]


def test_parts_that_the_donor_chooses_make_up_the_whole(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(share_link(edge))
    page.get_by_role("checkbox", name="Choose each part myself").check()
    expect(page.get_by_role("textbox", name="Clean River")).to_have_value("16.67")
    page.get_by_role("textbox", name="Clean River").fill("30")
    presses(page.get_by_role("button", name="Remove High Hills"))
    expect(page.get_by_role("group", name="To these organisations")).to_be_focused()
    expect(page.get_by_text("In all: €46.67")).to_be_visible()
    fill_in(page)
    page.get_by_role("textbox", name=ORGANIZATION_NAME).fill("0.50")
    continue_to_payment(page)
    own = page.get_by_role("textbox", name=ORGANIZATION_NAME)
    expect(own).to_be_focused()
    expect(own).to_have_accessible_description("Give at least €1.00 and at most €999,999.99.")
    assert platform.splits.posts == []
    own.fill("20.01")
    presses(page.get_by_text("Say more about your gift"))
    page.get_by_label("Dedicate it").select_option("In memory of somebody")
    continue_to_payment(page)
    expect(page.get_by_label("In memory of", exact=True)).to_be_focused()
    page.get_by_label("In memory of", exact=True).fill("Grace Hopper")
    continue_to_payment(page)
    page.get_by_role("heading", name="€50.01 in all").wait_for()
    ((_, body),) = platform.splits.posts
    assert json.loads(body) == {
        "total": {"minor_units": "5001", "currency": "EUR"},
        "parts": [
            {"organization_id": ORGANIZATION, "minor_units": "2001"},
            {"organization_id": RIVER, "minor_units": "3000"},
        ],
        "donor": {"name": "Ada Example", "email": "ada@example.org"},
        "language": "en",
        "dedication": {"kind": "in_memory_of", "honouree": "Grace Hopper", "notify": None},
    }
    presses(page.get_by_role("button", name="Change the details"))
    page.get_by_role("checkbox", name="Choose each part myself").uncheck()
    expect(page.get_by_label("Amount in all, in EUR")).to_have_value("50.01")


def test_each_part_has_its_fee_its_fund_and_one_declaration_for_all(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.country = "GB"
    platform.splits.fees = {"card": "64", "sepa_debit": "35"}
    page = pages.open(share_link(edge, ORGANIZATION, RIVER).replace("EUR", "GBP"))
    fill_in(page)
    box = page.get_by_role("checkbox", name="Add £1.28 for the payment fee")
    expect(box).not_to_be_checked()
    box.check()
    page.get_by_role("radio", name="SEPA direct debit: adds £0.70").check()
    page.get_by_text("What of it is for whom").click()
    expect(page.get_by_text("Clean River: £0.35")).to_be_visible()
    page.get_by_role("checkbox", name="Gift Aid it").check()
    words = page.get_by_role("group", name="Your declaration")
    expect(words).to_contain_text(
        f"I want to Gift Aid my donations of £50.00 in all to {ORGANIZATION_NAME} and Clean River."
    )
    for label, said in (
        ("First name", "Ada"),
        ("Last name", "King"),
        ("House name or number", "12"),
        ("Postcode of your home", "SW1A 1AA"),
    ):
        page.get_by_label(label).fill(said)
    presses(page.get_by_text("Say more about your gift"))
    page.get_by_label("What it is for: Clean River").select_option("Hedges")
    continue_to_payment(page)
    page.get_by_role("heading", name="£50.70 in all").wait_for()
    expect(page.get_by_text("£0.70 of it are for the payment fee, as you chose.")).to_be_visible()

    ((_, body),) = platform.splits.posts
    gifts = SplitGiftIn.model_validate_json(body).split().gifts
    assert [gift.options.fund_id for gift in gifts] == [None, FUND]
    assert [gift.fee_cover and gift.fee_cover.amount.minor_units for gift in gifts] == [35, 35]
    assert all(gift.for_receipt.gift_aid is not None for gift in gifts)


def test_nobody_is_chosen_for_the_donor_and_who_cannot_take_gifts_is_named(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    refused = {"detail": "This organisation cannot take gifts yet.", "param": "parts.1.organization_id"}
    platform.splits.refusals = [(422, refused)]
    page = pages.open(share_link(edge, ORGANIZATION))
    fill_in(page)
    continue_to_payment(page)
    expect(page.get_by_text("Choose at least two organisations.")).to_be_visible()
    page.get_by_label("Add an organisation").select_option("Clean River")
    continue_to_payment(page)
    said = page.get_by_role("alert").filter(has_text="Clean River")
    expect(said).to_have_text("Clean River: This organisation cannot take gifts yet.")
    pages.forgive("422")


def test_a_bank_that_sends_the_donor_back_is_followed_by_the_payment_and_a_reload_takes_nothing_twice(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.splits.says_nothing = True
    part = {
        "donation_id": "don_0",
        "organization_id": RIVER,
        "amount": {"minor_units": "100", "currency": "EUR"},
        "fee_cover": {"minor_units": "0", "currency": "EUR"},
    }
    platform.splits.parts = [{**part, "status": "pending"}]
    secrets = "&setup_intent=seti_1&setup_intent_client_secret=seti_1_secret_2&redirect_status=succeeded"
    page = pages.open(f"{share_link(edge)}&split={SPLIT}{secrets}")
    expect(page.get_by_role("status")).to_contain_text(
        "€1.00 to Clean River: waiting for the payment's confirmation"
    )
    assert [what for what, _ in platform.splits.posts] == ["/payments"]
    assert "seti" not in page.url
    expect(page.get_by_role("button", name="Pay what is open")).not_to_be_attached()
    page.reload()
    expect(page.get_by_role("button", name="Pay what is open")).to_be_visible()
    platform.splits.parts[0]["status"] = "succeeded"
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    assert [what for what, _ in platform.splits.posts] == ["/payments"]


def test_equal_parts_are_those_that_the_api_would_make(run_module: Callable[[str], Page]) -> None:
    page = run_module("src/share/draft.ts")
    cases = [(total, count) for total in (1, 100, 101, 5000, 99_999_999) for count in range(1, 11)]
    shown = page.evaluate(
        """(cases) => cases.map(([total, count]) =>
            module.equalParts({ minorUnits: BigInt(total), currency: "EUR" }, count).map((part) => Number(part.minorUnits)))""",
        cases,
    )
    assert shown == [divide(total, [1] * count) for total, count in cases]
