"""The donation page on gifts that are made again and again."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from amply.modules.recurring.due_dates import Interval, Schedule
from amply.modules.recurring.schemas import PlanIn
from tests.browser.conftest import Pages
from tests.browser.platform_double import (
    FUND,
    ORGANIZATION,
    ORGANIZATION_NAME,
    PlatformDouble,
    problem,
    quoted,
)
from tests.browser.pressing import presses
from tests.browser.test_donation_page import continue_to_payment, donate_link, fill_in

pytestmark = pytest.mark.enable_socket

_LAST_OF_JANUARY = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_monthly_gift_is_agreed_to_with_its_days_and_begun_as_a_plan(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.covers = [quoted("card", "64")]
    page = pages.open(timezone_id="Pacific/Auckland")
    page.clock.set_fixed_time(_LAST_OF_JANUARY)  # where it is already the first of February
    page.goto(donate_link(edge))
    expect(page.get_by_role("radio", name="Once")).to_be_checked()
    fill_in(page)
    page.get_by_role("checkbox", name="for the payment fee").check()
    page.get_by_role("radio", name="Monthly").check()
    expect(page.get_by_text("€25.00 now and then each month, the next time on 1 March 2026")).to_be_visible()
    continue_to_payment(page)

    terms = page.get_by_role("region", name="What you agree to")
    expect(terms).to_contain_text(
        f"you allow {ORGANIZATION_NAME} to collect €25.64 from this card or account each month"
    )
    expect(terms).to_contain_text("€0.64 of it cover the payment fee; no more is ever added to a gift")
    expect(terms).to_contain_text("the next time on 1 March 2026 until you end it")
    expect(terms.get_by_role("link", name="your recurring gifts")).to_have_attribute(
        "href", "/giving/?lang=en"
    )
    (post,) = platform.posts
    assert post.path == "/v1/recurring"
    assert json.loads(post.body) == {
        "organization_id": ORGANIZATION,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada Example", "email": "ada@example.org"},
        "language": "en",
        "fee_cover": {"method": "card", "minor_units": "64"},
        "every": "month",
        "time_zone": "Pacific/Auckland",
    }
    assert PlanIn.model_validate_json(post.body).schedule(now=_LAST_OF_JANUARY).due_on(1) == date(2026, 3, 1)

    page.get_by_label("Card number").fill("4242424242424242")
    presses(page.get_by_role("button", name="Donate €25.64 each month"))
    page.get_by_role("heading", name="Confirming your payment…").wait_for()
    platform.settle(status="succeeded")
    expect(page.get_by_role("status")).to_contain_text("The next gift is collected on 1 March 2026")
    page.clock.set_fixed_time(_LAST_OF_JANUARY + timedelta(days=40))
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("The next gift is collected on 1 March 2026")


def test_the_rhythm_is_chosen_with_the_keyboard_and_no_link_chooses_it(pages: Pages, edge: str) -> None:
    page = pages.open(f"{donate_link(edge)}&every=month")
    once = page.get_by_role("radio", name="Once")
    expect(once).to_be_checked()
    once.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Monthly")).to_be_checked()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Quarterly")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="your recurring gifts")).to_be_focused()


def test_what_is_said_of_a_gift_goes_with_its_plan_and_where_there_are_none_it_is_said(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.country = "GB"
    platform.refusals = [problem(503, "Not here.", code="recurring_not_offered")]
    page = pages.open(donate_link(edge, currency="GBP"))
    fill_in(page)
    page.get_by_role("radio", name="Yearly").check()
    page.get_by_role("checkbox", name="Gift Aid it").check()
    words = page.get_by_role("group", name="Your declaration")
    expect(words).to_contain_text("this donation, and all that follow it as I chose above, to Green Fields")
    for label, text in (
        ("First name", "Ada"),
        ("Last name", "King"),
        ("House name or number", "12"),
        ("Postcode of your home", "SW1A 1AA"),
    ):
        page.get_by_label(label).fill(text)
    presses(page.get_by_text("Say more about your gift"))
    page.get_by_label("What it is for").select_option("Hedges")
    page.get_by_label("Dedicate it").select_option("In memory of somebody")
    page.get_by_label("In memory of", exact=True).fill("Grace Hopper")
    page.get_by_label("A message to the organisation").fill("For spring")
    continue_to_payment(page)
    expect(page.get_by_role("alert")).to_have_text(
        "Recurring gifts are not set up here yet. You can give once instead."
    )
    (refused,) = platform.posts
    gift = PlanIn.model_validate_json(refused.body).gift()
    assert (gift.options.fund_id, gift.message) == (FUND, "For spring")
    assert gift.options.dedication is not None
    assert gift.for_receipt.gift_aid is not None
    pages.forgive("503")


def test_the_page_names_the_day_on_which_the_api_collects(run_module: Callable[[str], Page]) -> None:
    page = run_module("src/rhythm.ts")
    begun = [datetime(2026, 1, 1, 23, 30, tzinfo=UTC) + timedelta(days=days) for days in range(0, 1500, 11)]
    cases = [
        (moment, every, zone) for moment in begun for every in Interval for zone in ("Europe/Berlin", "UTC")
    ]
    shown = page.evaluate(
        "(cases) => cases.map(([moment, every, zone]) => module.secondGiftOn(new Date(moment), every, zone).toISOString())",
        [(moment.isoformat(), every.value, zone) for moment, every, zone in cases],
    )
    expected = [
        Schedule.beginning(now=moment, every=every, time_zone=zone).due_on(1) for moment, every, zone in cases
    ]
    assert [date.fromisoformat(day[:10]) for day in shown] == expected
