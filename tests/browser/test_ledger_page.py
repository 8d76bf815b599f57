"""The public ledger page reads the published files alone, and shows what they prove and nothing else."""

import re
from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Locator, Page, expect

from ledger_format import checkpoints, entries, tiles
from tests.browser.conftest import Pages
from tests.browser.log_double import POLICY, checkpoint, donation_entries, leaf, published
from tests.browser.platform_double import ORGANIZATION
from tests.browser.pressing import presses
from tests.browser.site_server import Site
from tests.verify.ledger_samples import NEXT_KEY, ORIGIN, SampleLog, sign, verifier_key

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def site(site: Site) -> Site:
    """A site that pins the log's key."""
    site.policy = POLICY
    return site


def test_the_log_these_tests_publish_is_what_the_format_package_writes() -> None:
    raws = donation_entries(300)
    files = published(raws)
    assert [entries.encode(entries.decode(raw)) for raw in raws] == raws
    assert files[tiles.bundle_path(0, 256)] == tiles.encode_bundle(raws[:256])
    assert files[tiles.bundle_path(1, 44)] == tiles.encode_bundle(raws[256:])
    text = files["checkpoint"].decode().partition("\n\n")[0] + "\n"
    assert checkpoints.parse_checkpoint(text).size == 300


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
    expect(
        page.get_by_text("Each was proved, on this device, to be in the checkpoint above.")
    ).to_be_visible()
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


def test_a_checkpoint_of_other_bytes_or_from_another_address_is_not_read(
    pages: Pages, edge: str, site: Site
) -> None:
    """What the command line refuses: a stranger's line that is no UTF-8, and an answer from elsewhere."""
    site.log.update(published(donation_entries(1)))
    true = site.log["checkpoint"]
    site.log["checkpoint"] = true + b"\xe2\x80\x94 str\xffnger YWJjZDE=\n"
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("alert").filter(has_text="it is not UTF-8")).to_be_visible()
    site.log.update({"checkpoint": true, "elsewhere": true})
    site.moved["/log/checkpoint"] = "/log/elsewhere"
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("alert").filter(has_text="could not reach the server")).to_be_visible()
    pages.forgive("ERR_FAILED")


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
    presses(pause)
    expect(pause).to_have_attribute("aria-pressed", "true")
    site.requested.clear()
    page.clock.run_for(20_000)
    page.evaluate("() => fetch('/config.json').then(() => 0)")
    assert site.requested == ["/config.json"], "of two requests the first one would be there by then"
    site.log.update(published(donation_entries(3)))
    presses(pause)
    expect(page.get_by_role("heading", name="Checkpoint 3")).to_be_visible()


@pytest.mark.parametrize("files", [{}, {"checkpoint": checkpoint([])}], ids=["no-checkpoint", "size-zero"])
def test_an_empty_log_is_said_to_be_empty(
    pages: Pages, edge: str, site: Site, files: dict[str, bytes]
) -> None:
    site.log.update(files)
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_text("The log is empty")).to_be_visible()
    if not files:
        pages.close()  # it goes on looking for one
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
    yen = {"d": "org_x/a", "c": "org_x/b", "cur": "JPY", "amt": "2500"}
    raws = [leaf(0, kind="some.new_kind", transfers=[dinar, yen]), leaf(1, v=2)]
    site.log.update(published(raws))
    page = pages.open(f"{edge}/ledger/")
    cards = page.get_by_role("article")
    expect(cards.nth(1)).to_contain_text("Some new kind")
    expect(cards.nth(1)).to_contain_text("1234567890123456789 minor units of KWD")
    expect(cards.nth(1)).to_contain_text("a b of platform, credit c of platform (pending)")
    expect(cards.nth(1)).to_contain_text("2500 minor units of JPY")
    expect(cards.nth(0)).to_contain_text("Entry 1It is in the ledger, and this page cannot read it")
    expect(cards.nth(0)).to_contain_text("only version 1 is known here")


# Each is in the tree that the log has signed, so only the strict decoder stands between it and a visitor.
SIGNED_YET_IMPROPER = {
    "no-entry-at-all": (b"\xff\xfe", "not UTF-8"),
    "amount-as-a-number": (
        leaf(0, transfers=[{"d": "platform/a", "c": "platform/b", "cur": "EUR", "amt": 2500}]),
        "amt must be a string",
    ),
    "a-key-twice": (leaf(0).replace(b'"amt":"2500"', b'"amt":"1","amt":"2500"'), "holds a key twice"),
    "not-canonical": (leaf(0).replace(b'"v":1', b'"v": 1'), "not in its canonical form"),
    "markup": (leaf(0, kind="<img src=x onerror=alert(1)>"), "the kind is malformed"),
    "another-logs": (leaf(0, log="log.example/other"), "written for another log"),
}


@pytest.mark.parametrize("name", SIGNED_YET_IMPROPER)
def test_what_is_signed_and_no_proper_entry_is_named_and_not_shown(
    pages: Pages, edge: str, site: Site, name: str
) -> None:
    raw, reason = SIGNED_YET_IMPROPER[name]
    site.log.update(published([raw, leaf(1)]))
    page = pages.open(f"{edge}/ledger/?entry=0")
    cards = page.get_by_role("article")
    expect(cards).to_have_count(3)  # the one asked for, and the two newest
    for card in (cards.nth(0), cards.nth(2)):
        expect(card).to_contain_text("Entry 0The ledger has signed it, and it is not a proper entry")
        expect(card).to_contain_text(reason)
        expect(card).not_to_contain_text("2,500")
        expect(card).not_to_contain_text("25.00")
    expect(cards.nth(1)).to_contain_text("€25.00")


def test_damage_to_the_checkpoint_is_reported_in_a_sentence(pages: Pages, edge: str, site: Site) -> None:
    site.log["checkpoint"] = b"not a checkpoint"
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("alert").first).to_contain_text("checkpoint could not be read")


# ---- what the published files do not prove -------------------------------------------------------------------------

RAWS = donation_entries(300)
NOT_SIGNED = "not what the ledger has signed"


NEWEST_BUNDLE = "tile/entries/001.p/44"


def amount_changed() -> dict[str, bytes]:
    """The bundle of entries 256 to 299, in which a gift of 25.00 has become one of 95.00."""
    bundle = published(RAWS)[NEWEST_BUNDLE]
    assert bundle.count(b'"amt":"2500"') > 20
    return {NEWEST_BUNDLE: bundle.replace(b'"amt":"2500"', b'"amt":"9500"', 1)}


def entries_swapped() -> dict[str, bytes]:
    """Two neighbours of the same bundle, each in the other's place."""
    swapped = [*RAWS[:290], RAWS[291], RAWS[290], *RAWS[292:]]
    assert swapped != RAWS
    return {NEWEST_BUNDLE: published(swapped)[NEWEST_BUNDLE]}


def tile_changed() -> dict[str, bytes]:
    """The one tile that the newest bundle's proof needs: it holds the root of the bundle before."""
    tile = published(RAWS)["tile/1/000.p/1"]
    return {"tile/1/000.p/1": bytes([tile[0] ^ 1]) + tile[1:]}


def bundle_cut_short() -> dict[str, bytes]:
    return {NEWEST_BUNDLE: published(RAWS)[NEWEST_BUNDLE][:-1]}


def bundle_without_its_last_entry() -> dict[str, bytes]:
    return {NEWEST_BUNDLE: published(RAWS[:299])["tile/entries/001.p/43"]}


def bundle_of_too_much() -> dict[str, bytes]:
    return {NEWEST_BUNDLE: b"\0\1x" * 257}


def another_ledgers_entries() -> dict[str, bytes]:
    """All files of a ledger of other entries, only the checkpoint is the signed one."""
    other = published([leaf(index, kind="donation.refunded") for index in range(300)])
    return {path: raw for path, raw in other.items() if path != "checkpoint"}


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (amount_changed, "do not give the root that is signed"),
        (entries_swapped, "do not give the root that is signed"),
        (tile_changed, "do not give the root that is signed"),
        (bundle_cut_short, "cut short"),
        (bundle_without_its_last_entry, "does not hold as many as its place in the tree"),
        (bundle_of_too_much, "holds more than 256"),
        (another_ledgers_entries, "do not give the root that is signed"),
    ],
)
def test_entries_that_are_not_those_of_the_signed_tree_are_not_shown(
    pages: Pages, edge: str, site: Site, damage: Callable[[], Mapping[str, bytes]], sentence: str
) -> None:
    site.log.update(published(RAWS))
    site.log.update(damage())
    page = pages.open(f"{edge}/ledger/?entry=299")
    told = page.get_by_role("alert").filter(has_text=NOT_SIGNED)
    expect(told).to_contain_text(sentence)
    expect(page.locator(".asked")).to_contain_text(sentence)
    # The checkpoint itself is true, and the page goes on saying so.
    expect(page.get_by_role("region", name="Checkpoint 300")).to_contain_text("Signed by")
    expect(page.get_by_role("article")).to_have_count(0)


def test_a_refused_ledger_is_shown_again_once_its_files_are_right(
    pages: Pages, edge: str, site: Site
) -> None:
    site.log.update(published(RAWS))
    site.log.update(amount_changed())
    page = pages.open()
    page.clock.install()
    page.goto(f"{edge}/ledger/")
    expect(page.get_by_role("alert").filter(has_text=NOT_SIGNED)).to_be_visible()
    site.log.update(published(RAWS))
    page.clock.run_for(5_000)
    expect(page.get_by_role("article")).to_have_count(20)
    expect(page.get_by_role("alert").filter(has_text=NOT_SIGNED)).to_be_hidden()


def test_a_change_in_an_older_bundle_hides_what_was_asked_and_not_the_newest(
    pages: Pages, edge: str, site: Site
) -> None:
    raws = donation_entries(600)
    site.log.update(published(raws))
    site.log["tile/entries/000"] = site.log["tile/entries/000"].replace(b'"amt":"63"', b'"amt":"83"', 1)
    page = pages.open(f"{edge}/ledger/?entry=4")
    expect(page.locator(".asked")).to_contain_text(NOT_SIGNED)
    expect(page.locator(".asked").get_by_role("article")).to_have_count(0)
    expect(newest(page)).to_have_count(20)


def newest(page: Page) -> Locator:
    return page.locator(".entries").get_by_role("article")


def test_no_more_is_read_than_the_proofs_need(pages: Pages, edge: str, site: Site) -> None:
    raws = donation_entries(66_000)
    site.log.update(published(raws))
    page = pages.open(f"{edge}/ledger/?entry=4")
    expect(newest(page)).to_have_count(20)
    expect(page.locator(".asked").get_by_role("article")).to_contain_text("entry 4")
    read = {path.removeprefix("/log/") for path in site.requested if path.startswith("/log/tile/")}
    assert read == {
        *("tile/entries/257.p/208", "tile/1/001.p/1", "tile/2/000.p/1"),
        *("tile/entries/000", "tile/1/000", "tile/0/257.p/208"),
    }


def test_without_a_pinned_key_nothing_is_shown_until_the_visitor_gives_one(
    pages: Pages, edge: str, site: Site
) -> None:
    site.policy = ""
    site.log.update(published(donation_entries(30)))
    page = pages.open(f"{edge}/ledger/?entry=4")
    expect(page.get_by_role("region", name="Checkpoint 30")).to_contain_text("not checked here")
    expect(page.get_by_text("Entries are shown here once they can be proved")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    assert not any(path.startswith("/log/tile/") for path in site.requested)
    page.get_by_label("The ledger's verifier key").fill(str(verifier_key(NEXT_KEY)))
    expect(page.get_by_role("alert").filter(has_text="Do not rely on this checkpoint")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    # Pasted without its last newline.
    page.get_by_label("The ledger's verifier key").fill(f"log {verifier_key()}\nquorum none")
    expect(newest(page)).to_have_count(20)
    page.get_by_label("The ledger's verifier key").fill(str(verifier_key()))
    expect(newest(page)).to_have_count(20)
    expect(page.locator(".asked").get_by_role("article")).to_contain_text("entry 4")


def test_a_tree_that_the_key_has_signed_twice_over_is_held_to_its_own_root(
    pages: Pages, edge: str, site: Site
) -> None:
    """A signature makes no entry true that its own root does not cover."""
    files = published(RAWS)
    text = SampleLog(RAWS[:299]).checkpoint().note_text().replace("\n299\n", "\n300\n")
    site.log.update({**files, "checkpoint": sign(text).encode()})
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("alert").filter(has_text=NOT_SIGNED)).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
