"""The public ledger page reads the published files alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ledger_format import checkpoints, entries, tiles
from tests.browser.conftest import Pages
from tests.browser.log_double import ORIGIN, checkpoint, donation_entries, leaf, published
from tests.browser.platform_double import ORGANIZATION
from tests.browser.site_server import Site

pytestmark = pytest.mark.enable_socket


def test_the_log_these_tests_publish_is_what_the_format_package_writes() -> None:
    raws = donation_entries(300)
    files = published(raws)
    assert [entries.encode(entries.decode(raw)) for raw in raws] == raws
    assert files[tiles.bundle_path(0, 256)] == tiles.encode_bundle(raws[:256])
    assert files[tiles.bundle_path(1, 44)] == tiles.encode_bundle(raws[256:])
    text = files["checkpoint"].decode().partition("\n\n")[0] + "\n"
    assert checkpoints.parse_checkpoint(text).size == 300


def test_bundles_of_a_log_of_any_size_are_found(run_module: Callable[[str], Page]) -> None:
    page = run_module("src/ledger/log.ts")
    for index in (0, 7, 999, 1_000, 1_234_067, 999_999, 10**9):
        assert page.evaluate("index => module.bundlePath(index)", index) == tiles.bundle_path(index, 256)


def test_the_page_shows_the_checkpoint_and_the_newest_twenty_entries(
    pages: Pages, edge: str, site: Site
) -> None:
    raws = donation_entries(30)
    site.log.update(published(raws))
    page = pages.open(f"{edge}/ledger/")
    facts = page.get_by_role("region", name="Checkpoint 30")
    expect(facts).to_contain_text(ORIGIN)
    expect(facts).to_contain_text(checkpoint(raws).split(b"\n")[2].decode())
    cards = page.get_by_role("article")
    expect(cards).to_have_count(20)
    expect(cards.first).to_contain_text("Donation entry 29")
    expect(cards.first).to_contain_text("€25.00debit processor balance, credit gifts")
    expect(cards.first).to_contain_text("21 Nov 2026, 07:44 UTC")
    expect(cards.first).to_contain_text(ORGANIZATION)
    expect(cards.first.locator("time")).to_have_attribute("datetime", "2026-11-21T07:44Z")
    expect(cards.last).to_contain_text("entry 10")


def test_the_newest_entries_may_span_two_bundles(pages: Pages, edge: str, site: Site) -> None:
    site.log.update(published(donation_entries(260)))
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("article")).to_have_count(20)
    expect(page.get_by_role("article").last).to_contain_text("entry 240")


def test_a_partial_bundle_that_was_filled_and_removed_is_read_from_the_full_one(
    pages: Pages, edge: str, site: Site
) -> None:
    raws = donation_entries(256)
    site.log.update(published(raws))
    site.log["checkpoint"] = checkpoint(raws[:30])
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("article").first).to_contain_text("entry 29")
    pages.forgive("404")


def test_new_entries_appear_by_themselves_and_stop_when_asked(pages: Pages, edge: str, site: Site) -> None:
    site.log.update(published(donation_entries(1)))
    page = pages.open()
    page.clock.install()
    page.goto(f"{edge}/ledger/")
    expect(page.get_by_role("heading", name="Checkpoint 1")).to_be_visible()
    site.log.update(published(donation_entries(2)))
    page.clock.run_for(5_000)
    expect(page.get_by_role("heading", name="Checkpoint 2")).to_be_visible()
    pause = page.get_by_role("button", name="Pause updates")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    site.requested.clear()
    page.clock.run_for(20_000)
    assert site.requested == []
    site.log.update(published(donation_entries(3)))
    pause.click()
    expect(page.get_by_role("heading", name="Checkpoint 3")).to_be_visible()


@pytest.mark.parametrize("files", [{}, {"checkpoint": checkpoint([])}], ids=["no-checkpoint", "size-zero"])
def test_an_empty_log_is_said_to_be_empty(
    pages: Pages, edge: str, site: Site, files: dict[str, bytes]
) -> None:
    site.log.update(files)
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_text("The log is empty")).to_be_visible()
    if not files:
        pages.forgive("404")


def test_the_address_can_ask_for_one_entry(pages: Pages, edge: str, site: Site) -> None:
    site.log.update(published(donation_entries(300)))
    page = pages.open(f"{edge}/ledger/?entry=4")
    asked = page.get_by_role("heading", name="The entry you asked for").locator("..")
    expect(asked.get_by_role("article")).to_contain_text(re.compile("Processor's fee entry 4.*€0.63"))


def test_an_entry_beyond_the_checkpoint_is_not_there_yet(pages: Pages, edge: str, site: Site) -> None:
    site.log.update(published(donation_entries(3)))
    page = pages.open(f"{edge}/ledger/?entry=3")
    expect(page.get_by_text("Entry 3 is not in a published checkpoint yet.")).to_be_visible()


def test_entries_in_other_currencies_and_formats_are_shown_truthfully(
    pages: Pages, edge: str, site: Site
) -> None:
    dinar = {
        "d": "platform/a_b",
        "c": "platform/c",
        "cur": "KWD",
        "amt": "1234567890123456789",
        "phase": "pending",
    }
    yen = {"d": "x/a", "c": "x/b", "cur": "JPY", "amt": "2500"}
    raws = [leaf(0, kind="some.new_kind", transfers=[dinar, yen]), b"\xff\xfe", leaf(2, v=2)]
    site.log.update(published(raws))
    page = pages.open(f"{edge}/ledger/")
    cards = page.get_by_role("article")
    expect(cards.nth(2)).to_contain_text("Some new kind")
    expect(cards.nth(2)).to_contain_text("1234567890123456789 minor units of KWD")
    expect(cards.nth(2)).to_contain_text("a b of platform, credit c of platform (pending)")
    expect(cards.nth(2)).to_contain_text("2500 minor units of JPY")
    expect(cards.nth(1)).to_have_text("Entry 1This page does not know this entry's format.")
    expect(cards.nth(0)).to_contain_text("does not know")


def test_markup_in_an_entry_stays_text(pages: Pages, edge: str, site: Site) -> None:
    site.log.update(published([leaf(0, kind="<img src=x onerror=alert(1)>")]))
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("article")).to_contain_text("<img src=x onerror=alert(1)>")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"checkpoint": b"not a checkpoint"}, "checkpoint could not be read"),
        ({"checkpoint": checkpoint([b"{}"]), "tile/entries/000.p/1": b"\x00\x09{}"}, "cut short"),
        ({"checkpoint": checkpoint([b"{}", b"{}"]), "tile/entries/000.p/2": b"\x00\x02{}"}, "incomplete"),
    ],
)
def test_damaged_files_are_reported_in_a_sentence(
    pages: Pages, edge: str, site: Site, files: dict[str, bytes], sentence: str
) -> None:
    site.log.update(files)
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("alert")).to_contain_text(sentence)
