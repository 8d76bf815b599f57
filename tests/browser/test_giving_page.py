"""The donors' own page against a real HTTP server: by the link of a letter, or by asking for one."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Pages
from tests.browser.giving_double import ORGANIZATION, PDF, gift
from tests.browser.plans_double import ASKED, TOKEN
from tests.browser.platform_double import PlatformDouble
from tests.browser.pressing import presses

pytestmark = pytest.mark.enable_socket

MORE = "Receipts and privacy"


def _press(page: Page, name: str) -> None:
    presses(page.get_by_role("button", name=name))


def test_a_donor_changes_skips_pauses_stores_a_card_and_ends(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    gifts = page.get_by_role("region", name="Recurring gifts to Green Fields")
    expect(gifts).to_contain_text("€25.00 each month. The next one is on 31 March 2026.")
    assert page.url == f"{edge}/giving/", "the token is in no address bar"

    _press(page, "Change the amount")
    page.get_by_label("Amount in EUR").fill("40")
    page.keyboard.press("Enter")
    expect(gifts).to_contain_text("€40.00 each month")
    expect(gifts).to_be_focused()
    page.get_by_role("button", name="Skip the next one").click()  # by the mouse, where nothing moves
    expect(gifts).to_contain_text("The next one is on 30 April 2026.")
    _press(page, "Another card")
    page.get_by_label("Card number").fill("5555555555554444")
    _press(page, "Store it for my gifts")
    expect(gifts).to_contain_text("It is paid by the card ending in 4444.")
    _press(page, "Pause")
    presses(page.get_by_role("button", name="Pause", exact=True))
    expect(gifts).to_contain_text("It is paused; nothing is collected.")
    _press(page, "Resume")
    expect(gifts).to_contain_text("The next one is on 31 March 2026.")
    _press(page, "End: gifts to")
    _press(page, "End these gifts")
    expect(gifts).to_contain_text("This has ended; nothing more is collected.")
    assert [path for path, _ in platform.plans.posts] == [
        *("amount", "skip", "card", "card/stored", "pause", "resume", "cancel")
    ]
    assert platform.plans.posts[0][1] == {"amount": {"minor_units": "4000", "currency": "EUR"}}


def test_a_plan_that_rests_for_a_disputed_gift_says_why(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    platform.plans.plan |= {"status": "paused", "reason": "contested", "next_on": None}
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    gifts = page.get_by_role("region", name="Recurring gifts to Green Fields")
    expect(gifts).to_contain_text("It is paused, since your bank was asked to take a gift back")


def test_gifts_are_shown_as_they_stand_and_page_by_page(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    back = {"minor_units": "400", "currency": "EUR"}
    platform.giving.pages = [
        [
            gift(4, description="A piano, upright", method="in_kind", receipts=[]),
            gift(3, standing="partially_refunded", refunded=back, plan_id="pln_1"),
        ],
        [gift(2, standing="disputed", fund="Hedges", split_id="spl_1")],
    ]
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    gifts = page.get_by_role("region", name="Green Fields", exact=True)
    expect(gifts).to_contain_text("A piano, upright")
    expect(gifts).to_contain_text("Partly given back. €4.00 of it went back.")
    expect(gifts).to_contain_text("Recurring gift")
    _press(page, "Show older gifts")
    expect(gifts).to_contain_text("Part of a gift to several organisations · For Hedges")
    expect(gifts).to_contain_text("Your bank is asking for it back.")
    expect(page.get_by_role("button", name="Show older gifts")).to_have_count(0)


def test_receipts_proofs_and_statements_are_downloaded(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    presses(page.get_by_text(MORE))
    for name, wanted in (
        ("Receipt CA-000001 (PDF)", {"kind": "receipt", "donation_id": "don_1", "receipt_id": "rct_1"}),
        ("Proof for the public ledger", {"kind": "proof", "donation_id": "don_1"}),
        (
            "Statement July 2024 \u2013 June 2025 (PDF)",
            {"kind": "statement", "organization_id": ORGANIZATION, "year": 2024, "language": "en"},
        ),
    ):
        with page.expect_download() as download:
            _press(page, name)
        assert download.value.suggested_filename == "CA-000001.pdf"
        assert Path(download.value.path()).read_bytes() == PDF
        assert platform.giving.posts[-1] == ("documents", wanted)
    expect(page.get_by_role("status").last).to_have_text("CA-000001.pdf is in your downloads.")


def test_void_receipts_say_so_and_one_is_sent_again(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    (valid,) = gift(2)["receipts"]
    (void,) = gift(1)["receipts"]
    platform.giving.pages = [[gift(2, receipts=[valid, {**void, "state": "replaced"}])]]
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    presses(page.get_by_text(MORE))
    expect(page.get_by_role("listitem").filter(has_text="CA-000001").last).to_contain_text(
        "void, replaced by a newer one"
    )
    _press(page, "Send the receipt by e-mail again")
    expect(page.get_by_text("The receipt is on its way to your e-mail address.")).to_be_visible()
    platform.giving.fails = True
    _press(page, "Proof for the public ledger")
    expect(page.get_by_text("It could not be made just now.")).to_be_visible()


def test_a_donor_says_who_is_told_with_the_keyboard_alone(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    page.get_by_text(MORE).focus()
    page.keyboard.press("Enter")
    told = page.get_by_role("group", name="Who may be told your name?")
    told.get_by_label("The organisation alone").focus()
    page.keyboard.press("ArrowDown")
    expect(told.get_by_label("Nobody, not even the organisation")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    told.get_by_label("Everybody").check()
    with page.expect_response("**/anonymity"):
        _press(page, "Save who is told")
    assert platform.giving.posts == [
        ("gifts/don_1/anonymity", {"anonymity": "organization"}),
        ("gifts/don_1/anonymity", {"anonymity": "none"}),
    ], "the second change is decided upon what the first one made"


@pytest.mark.parametrize(
    ("locale", "title", "next_on", "refusal"),
    [
        ("de-DE", "Ihre Spenden", "Die nächste ist am 31. März 2026.", "muss wissen, von wem"),
        ("fr-FR", "Vos dons", "Le prochain est le 31 mars 2026.", "doit savoir qui"),
    ],
)
def test_the_page_speaks_the_browsers_language(
    pages: Pages, edge: str, platform: PlatformDouble, locale: str, title: str, next_on: str, refusal: str
) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN}", locale=locale)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
    expect(page.get_by_text(next_on)).to_be_visible()
    presses(page.locator(".gifts summary"))
    page.get_by_role("radio").first.check()
    platform.giving.refusals.append((409, {"detail": "English", "code": "anonymity_not_changeable"}))
    presses(page.locator(".gifts form button"))
    expect(page.get_by_text(refusal)).to_be_visible()
    pages.forgive("409")
    _press(page, "English")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your gifts")
    expect(page).to_have_title("Your gifts · Amply")


def test_a_donor_shares_facts_of_their_gifts_and_takes_it_back(
    pages: Pages, edge: str, platform: PlatformDouble
) -> None:
    asked = {
        "purpose": "analytics",
        "wording": "1",
        "texts": {"en": "Facts of all your gifts."},
        "since": None,
    }
    platform.giving.sharing = [{**asked, "extent": "ticked"}]
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    section = page.get_by_role("region", name="Facts of your gifts for statistics")
    expect(section.get_by_text("Facts of all your gifts.", exact=True)).to_be_visible()
    expect(section).to_contain_text("Facts of the gifts whose box you ticked are shared.")
    _press(page, "Share facts of all my gifts")
    expect(section).to_contain_text("Facts of all your gifts are shared.")
    _press(page, "Share nothing any more")
    expect(section).to_contain_text("Nothing of your gifts is shared.")
    said = {"purpose": "analytics", "wording": "1"}
    assert platform.giving.posts == [
        ("data-sharing", {**said, "shares": True}),
        ("data-sharing", {**said, "shares": False}),
    ]


def test_where_no_data_is_shared_the_page_says_nothing_of_it(pages: Pages, edge: str) -> None:
    page = pages.open()
    with page.expect_response("**/v1/donor/data-sharing"):
        page.goto(f"{edge}/giving/#{TOKEN}")
    expect(page.get_by_role("region", name="Green Fields", exact=True)).to_be_visible()
    expect(page.get_by_text("statistics")).to_have_count(0)


def test_without_a_link_one_is_asked_for(pages: Pages, edge: str, platform: PlatformDouble) -> None:
    page = pages.open(f"{edge}/giving/")
    page.get_by_label("Your e-mail address").fill("ada@example.org")
    _press(page, "Send me a link")
    expect(page.get_by_role("status")).to_contain_text(ASKED)
    assert platform.plans.posts == [("/v1/donor/links", {"email": "ada@example.org", "language": "en"})]


def test_a_link_that_has_expired_leads_to_another_one(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN[:-1]}x")
    expect(page.get_by_role("alert").first).to_contain_text("ask for a new one")
    expect(page.get_by_role("button", name="Send me a link")).to_be_visible()
    pages.close()  # plans and gifts are asked for at once: both answers have come, or none comes any more
    pages.forgive("401")


def test_a_link_is_forgotten_on_a_device_that_others_use(pages: Pages, edge: str) -> None:
    page = pages.open(f"{edge}/giving/#{TOKEN}")
    _press(page, "Forget the link on this device")
    expect(page.get_by_text("Green Fields")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Send me a link")).to_be_visible()
