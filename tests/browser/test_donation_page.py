"""The hosted donation page against a real HTTP server: from the link to the ledger entry."""

import json
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from amply.modules import defence
from tests.browser.conftest import Pages
from tests.browser.platform_double import FUND, ORGANIZATION, ORGANIZATION_NAME, PlatformDouble, problem
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket


def donate_link(edge: str, amount: str = "2500", currency: str = "EUR") -> str:
    return f"{edge}/donate/?org={ORGANIZATION}&amount={amount}&currency={currency}"


def fill_in(page: Page, name: str = "Ada Example", email: str = "ada@example.org") -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail address").fill(email)


def continue_to_payment(page: Page) -> None:
    presses(page.get_by_role("button", name="Continue to payment"))


def pay(page: Page, card: str = "4242424242424242") -> None:
    page.get_by_label("Card number").fill(card)
    presses(page.get_by_role("button", name="Donate €25.00"))


def test_a_gift_is_followed_from_the_form_into_the_ledger(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Donate to {ORGANIZATION_NAME}")
    expect(page).to_have_title(f"Donate to {ORGANIZATION_NAME} · Amply")
    expect(page.get_by_label("Amount in EUR")).to_have_value("25.00")
    fill_in(page)
    # By the mouse, which what lies over a button would keep from it.
    page.get_by_role("button", name="Continue to payment").click()
    expect(page.locator(".payment-element")).to_have_attribute("data-account", "pk_test_double acct_double")
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_role("button", name="Donate €25.00").click()
    expect(page.get_by_role("status")).to_contain_text("waiting for the payment")

    platform.settle(status="succeeded")
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    platform.settle(ledger={"entry_id": "ent_1", "index": 12, "checkpoint_size": None})
    expect(page.get_by_role("status")).to_contain_text("Entry 12, waiting for the next checkpoint")
    platform.settle(ledger={"entry_id": "ent_1", "index": 12, "checkpoint_size": 15})
    link = page.get_by_role("link", name="entry 12 in checkpoint 15")
    expect(link).to_have_attribute("href", "/ledger/?entry=12")
    (post,) = platform.posts
    assert json.loads(post.body) == {
        "organization_id": ORGANIZATION,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada Example", "email": "ada@example.org"},
        "language": "en",
    }


def test_what_a_donor_says_of_the_gift_travels_with_it_and_nothing_else(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    presses(page.get_by_text("Say more about your gift"))
    expect(page.get_by_label("What it is for").locator("option")).to_have_text(
        ["Wherever it is needed most", "Hedges"]
    )
    page.get_by_label("What it is for").select_option("Hedges")
    page.get_by_label("Dedicate it").select_option("In memory of somebody")
    continue_to_payment(page)
    honouree = page.get_by_label("In memory of", exact=True)
    expect(honouree).to_be_focused()
    expect(honouree).to_have_accessible_description("Enter the name of whom you dedicate the gift to.")
    honouree.fill("Grace Hopper")
    page.get_by_label("Whom we should tell").fill("Ann")
    continue_to_payment(page)
    told = page.get_by_label("E-mail address of whom we tell")
    expect(told).to_be_focused()
    told.fill("ann@example.org")
    page.get_by_label("Company", exact=True).fill("Angstrom & Sons")
    page.get_by_label("Its tax number").fill("DE 1")
    page.get_by_label("A message to the organisation").fill("<b>thank you</b>")
    page.get_by_label("Do not tell the organisation who I am").check()
    continue_to_payment(page)
    expect(page.get_by_label("Card number")).to_be_visible()

    (post,) = platform.posts
    said = json.loads(post.body)
    assert {
        name: said[name] for name in said if name not in ("organization_id", "amount", "donor", "language")
    } == {
        "fund_id": FUND,
        "dedication": {
            "kind": "in_memory_of",
            "honouree": "Grace Hopper",
            "notify": {"name": "Ann", "email": "ann@example.org"},
        },
        "company": {"name": "Angstrom & Sons", "tax_id": "DE 1"},
        "message": "<b>thank you</b>",
        "anonymity": "organization",
    }


def test_what_is_shared_is_asked_where_data_is_shared_and_sent_only_if_ticked(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.shares_data = True
    page = pages.open(donate_link(edge))
    box = page.get_by_label("Share facts of this gift")
    expect(box).not_to_be_checked()
    page.get_by_label("Monthly").check()
    expect(box).to_have_count(0)
    page.get_by_label("Once").check()
    fill_in(page)
    box.check()
    continue_to_payment(page)
    expect(page.get_by_label("Card number")).to_be_visible()
    (post,) = platform.posts
    assert json.loads(post.body)["data_sharing"] == {"purpose": "analytics", "wording": "1"}


def test_a_gift_is_made_with_the_keyboard_alone(pages: Pages, edge: str, platform: PlatformDouble) -> None:
    page = pages.open(donate_link(edge))
    keyboard = page.keyboard
    page.get_by_label("Amount in EUR").wait_for()
    keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the form")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Once")).to_be_focused()
    for label, text in (
        ("Amount in EUR", "30"),
        ("Your name", "Ada"),
        ("Your e-mail address", "ada@example.org"),
    ):
        keyboard.press("Tab")
        expect(page.get_by_label(label)).to_be_focused()
        keyboard.press("ControlOrMeta+a")
        keyboard.type(text)
    keyboard.press("Tab")
    expect(page.get_by_text("Say more about your gift")).to_be_focused()
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="Continue to payment")).to_be_focused()
    keyboard.press("Enter")

    expect(page.get_by_role("heading", name="€30.00 to Green Fields")).to_be_focused()
    page.get_by_label("Card number").wait_for()
    keyboard.press("Tab")
    expect(page.get_by_label("Card number")).to_be_focused()
    keyboard.type("4242424242424242")
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Confirming your payment…")).to_be_focused()
    assert platform.only_donation["amount"] == {"minor_units": "3000", "currency": "EUR"}


def test_a_retry_of_the_same_form_keeps_its_idempotency_key(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.refusals = [problem(503, "Try again."), problem(409, "Still in progress.")]
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    page.get_by_label("Card number").wait_for()
    assert len(platform.posts) == 3
    assert len({post.headers["idempotency-key"] for post in platform.posts}) == 1
    assert len(platform.donations) == 1
    pages.forgive("503", "409")


def test_going_back_without_a_change_is_the_same_donation_and_a_change_is_another(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    presses(page.get_by_role("button", name="Change the details"))
    expect(page.get_by_label("Amount in EUR")).to_be_focused()
    expect(page.get_by_label("Your name")).to_have_value("Ada Example")
    continue_to_payment(page)
    presses(page.get_by_role("button", name="Change the details"))
    assert len(platform.donations) == 1
    page.get_by_label("Amount in EUR").fill("26")
    continue_to_payment(page)
    page.get_by_role("heading", name="€26.00").wait_for()
    assert len(platform.donations) == 2
    assert len({post.headers["idempotency-key"] for post in platform.posts}) == 2


@pytest.mark.parametrize(
    ("param", "label"),
    [
        ("amount.minor_units", "Amount in EUR"),
        ("donor.email", "Your e-mail address"),
        ("donor.name", "Your name"),
    ],
)
def test_the_api_s_sentence_stands_beside_the_field_it_speaks_of(
    pages: Pages, edge: str, platform: PlatformDouble, param: str, label: str
) -> None:
    platform.refusals = [problem(422, "This cannot be right.", param=param)]
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    field = page.get_by_label(label)
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(r"This cannot be right\.$"))
    pages.forgive("422")


def test_a_sentence_for_programmers_is_not_shown_to_donors(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    detail = "Correct 'donor.email': value is not a valid email address."
    platform.refusals = [problem(422, detail, param="donor.email", code="invalid_request")]
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    expect(page.get_by_text("Write the e-mail address like name@example.org.")).to_be_visible()
    expect(page.get_by_text("Correct")).not_to_be_visible()
    pages.forgive("422")


def test_a_problem_without_a_field_is_announced_with_the_form(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.refusals = [problem(422, "This organisation takes no donations at the moment.")]
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    expect(page.get_by_role("alert")).to_have_text("This organisation takes no donations at the moment.")
    pages.forgive("422")


@pytest.mark.parametrize("amount", ["", "0", "0.00", "-5", "1,234.50", "25.001", "1e3", "ten"])
def test_an_amount_that_cannot_be_given_is_refused_before_it_travels(
    pages: Pages, edge: str, platform: PlatformDouble, amount: str
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    page.get_by_label("Amount in EUR").fill(amount)
    continue_to_payment(page)
    expect(page.get_by_label("Amount in EUR")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Amount in EUR")).to_be_focused()
    assert platform.posts == []


def test_a_declined_card_is_explained_and_another_one_pays(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    pay(page, card="4000000000000002")
    expect(page.get_by_role("alert")).to_contain_text("Your bank did not accept this payment")
    pay(page)
    page.get_by_role("heading", name="Confirming your payment…").wait_for()
    platform.settle(status="succeeded")
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    assert len(platform.posts) == 1


def test_a_challenge_is_solved_by_the_browser_and_the_same_gift_goes_on(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    about = defence.About(organization_id=ORGANIZATION, idempotency_key="any")
    work = defence.ProofOfWork(lambda _day: b"k" * 32)
    posed = work.pose(about, bits=8, now=datetime.now(UTC))
    platform.refusals = [problem(403, "Solve it.", code="challenge_required", challenge=posed)]
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    page.get_by_label("Card number").wait_for()

    asked, solved = platform.posts
    assert "amply-challenge" not in asked.headers
    assert asked.headers["idempotency-key"] == solved.headers["idempotency-key"]
    assert work.is_solved(about, solution=solved.headers["amply-challenge"], now=datetime.now(UTC))
    pages.forgive("403")


def test_a_challenge_that_no_answer_satisfies_ends_in_words_for_people(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    about = defence.About(organization_id=ORGANIZATION, idempotency_key="any")
    posed = defence.ProofOfWork(lambda _day: b"k" * 32).pose(about, bits=4, now=datetime.now(UTC))
    platform.refusals = [problem(403, "Solve it.", code="challenge_required", challenge=posed)] * 3
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    expect(page.get_by_role("alert")).to_contain_text("Wait a minute and try again")
    expect(page.get_by_role("status")).to_be_empty()
    assert len(platform.posts) == 3
    pages.forgive("403")


def test_while_the_books_are_compared_the_donor_is_told_not_to_pay_again(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    pay(page)
    platform.settle(waits_for_books=True)
    expect(page.get_by_role("status")).to_contain_text("You need not pay again")

    platform.settle(status="succeeded", waits_for_books=False)
    expect(page.get_by_role("heading", name="Thank you!")).to_be_visible()
    expect(page.get_by_role("status")).not_to_contain_text("You need not pay again")


def test_a_blocked_payment_form_says_so_and_loads_on_another_try(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.stripe_js_is_down = True
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    platform.stripe_js_is_down = False
    presses(page.get_by_role("button", name="Try again"))
    expect(page.get_by_label("Card number")).to_be_visible()
    pages.forgive("503")


def test_a_payment_form_that_breaks_in_its_frame_says_so_and_loads_on_another_try(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.publishable_key = "pk_test_broken"
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    expect(page.get_by_role("button", name="Donate €25.00")).not_to_be_attached()
    presses(page.get_by_role("button", name="Try again"))
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")


def test_a_form_that_is_sent_twice_at_once_travels_once(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    page.locator("form").evaluate("form => { form.requestSubmit(); form.requestSubmit(); }")
    page.get_by_label("Card number").fill("4242424242424242")
    page.locator("form").evaluate("form => { form.requestSubmit(); form.requestSubmit(); }")
    page.get_by_role("heading", name="Confirming your payment…").wait_for()
    assert len(platform.posts) == 1
    assert platform.confirmations == 1


def test_reloading_after_the_payment_shows_what_became_of_it(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(donate_link(edge))
    fill_in(page)
    continue_to_payment(page)
    pay(page)
    page.get_by_role("heading", name="Confirming your payment…").wait_for()
    platform.settle(status="failed")
    page.reload()
    expect(page.get_by_role("heading", name="Not paid")).to_be_visible()
    presses(page.get_by_role("link", name="Start again"))
    expect(page.get_by_label("Amount in EUR")).to_have_value("25.00")


def test_a_return_without_payment_says_so_and_leaves_no_secret_in_the_address(
    pages: Pages, edge: str
) -> None:
    page = pages.open(
        f"{donate_link(edge)}&donation=don_1&payment_intent=pi_1"
        "&payment_intent_client_secret=pi_1_secret_2&redirect_status=failed"
    )
    expect(page.get_by_role("alert")).to_contain_text("not completed")
    assert "secret" not in page.url


def test_a_link_without_an_organisation_offers_the_choice(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/donate/")
    presses(page.get_by_role("link", name=ORGANIZATION_NAME))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Donate to {ORGANIZATION_NAME}")


def test_an_unknown_organisation_is_said_in_one_sentence(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/donate/?org=org_unknown")
    expect(page.get_by_role("alert")).to_have_text("There is nothing at this address.")
    pages.forgive("404")


def test_without_javascript_the_page_says_what_it_needs(pages: Pages, edge: str) -> None:
    page = pages.open(donate_link(edge), java_script_enabled=False)
    expect(page.get_by_text("Paying by card needs JavaScript")).to_be_visible()
