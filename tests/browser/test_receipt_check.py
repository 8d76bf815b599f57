"""A receipt dropped on the ledger page is checked there, offline, by the rules that hold the command line."""

import base64
import html
import json
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FileChooser, Locator, Page, expect
from playwright.sync_api import TimeoutError as BrowserTimeout

from ledger_format.receipts import encode_receipt
from tests.browser.axe import assert_accessible
from tests.browser.conftest import Pages
from tests.browser.pressing import presses
from tests.browser.site_server import WIDGETS, Site
from tests.verify.ledger_samples import NEXT_KEY, verifier_key
from tests.verify.partner_witnesses import POLICY, WITNESSES, cosigning
from tests.verify.test_golden_receipts import EXIT_CODES
from tests.verify.worked_example import example_log, example_receipt

pytestmark = pytest.mark.enable_socket

GOLDEN = Path(__file__).parents[1] / "verify" / "golden"
KEY_POLICY = f"log {verifier_key()}\nquorum none\n"
# Hands the page a file as a drag from the desktop does.
_DROP = """([name, content]) => {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    const dragged = new DataTransfer();
    dragged.items.add(new File([bytes], name));
    document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer: dragged, bubbles: true, cancelable: true }));
}"""


def drop(page: Page, content: bytes, name: str = "gift.tlog-proof") -> None:
    page.evaluate(_DROP, [name, base64.b64encode(content).decode()])


def choose(page: Page, content: bytes, name: str = "gift.tlog-proof") -> None:
    file: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("Drop the receipt here, or choose it").set_input_files(file)


def verdict(page: Page) -> Locator:
    return page.locator(".verdict")


@pytest.fixture
def ledger(pages: Pages, edge: str, site: Site) -> Page:
    """The page of the worked example's log, for which it pins the log's key alone."""
    site.policy = KEY_POLICY
    site.log.update(example_log().files())
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("heading", name="Checkpoint 3")).to_be_visible()
    return page


def test_a_genuine_receipt_is_told_in_words(ledger: Page) -> None:
    choose(ledger, encode_receipt(example_receipt()))
    told = verdict(ledger)
    expect(told.get_by_role("heading")).to_have_text("This receipt is genuine")
    for fact in (
        "€25.00",
        "Zoë Ångström",
        "2026-11-21 07:44 UTC",
        "number 0 of 3",
        "No witness is demanded here",
    ):
        expect(told).to_contain_text(fact)


def test_dropping_and_choosing_are_the_same_and_the_last_file_counts(ledger: Page) -> None:
    drop(ledger, encode_receipt(example_receipt()))
    expect(verdict(ledger)).to_contain_text("This receipt is genuine")
    drop(ledger, b"a holiday picture", name="picture.jpg")
    expect(verdict(ledger)).to_contain_text("Do not rely on this receipt")
    expect(verdict(ledger)).to_contain_text("picture.jpg")
    expect(verdict(ledger)).to_have_count(1)


def test_nothing_is_asked_of_any_server_and_the_network_may_be_away(ledger: Page, site: Site) -> None:
    presses(ledger.get_by_role("button", name="Pause updates"))
    ledger.context.set_offline(True)
    asked: list[str] = []
    ledger.on("request", lambda request: asked.append(request.url))
    site.requested.clear()
    drop(ledger, encode_receipt(example_receipt()))
    expect(verdict(ledger)).to_contain_text("This receipt is genuine")
    drop(ledger, (GOLDEN / "amount_changed.tlog-proof").read_bytes())
    expect(verdict(ledger)).to_contain_text("Do not rely on this receipt")
    assert asked == []
    assert site.requested == []


def test_every_golden_receipt_is_judged_in_the_browser(pages: Pages, edge: str, tmp_path: Path) -> None:
    bundle = tmp_path / "verifier.js"
    command = ["node_modules/.bin/esbuild", "src/verify/index.ts", "--bundle", "--format=iife"]
    subprocess.run(
        [*command, "--global-name=module", f"--outfile={bundle}"],
        cwd=WIDGETS,
        check=True,
        capture_output=True,
    )
    page = pages.open(f"{edge}/trust/")  # browsers hash on trustworthy origins alone
    page.evaluate(f"globalThis.module = (() => {{ {bundle.read_text()}; return module; }})()")
    judge = """async ([key, files]) => {
        const policy = module.trusting([await module.parseListedKey(key)]);
        const judged = {};
        for (const [name, content] of Object.entries(files)) {
            try {
                await module.verifyReceipt(module.parseBase64(content, "it"), policy);
                judged[name] = "verified";
            } catch (fault) {
                judged[name] = fault instanceof module.VerifyFault ? fault.kind : String(fault);
            }
        }
        return judged;
    }"""
    files = {
        name: base64.b64encode((GOLDEN / f"{name}.tlog-proof").read_bytes()).decode() for name in EXIT_CODES
    }
    judged = page.evaluate(judge, [str(verifier_key()), files])
    assert judged == {name: expected.name.lower() for name, expected in EXIT_CODES.items()}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("amount_changed", "The ledger does not hold this entry like this."),
        ("opening_of_another_name", "it is not about this value"),
        ("checkpoint_signed_by_a_stranger", "A former key of the log may have signed it, or a stranger's"),
        ("windows_line_ends", "Ask whoever gave it to you for the original."),
    ],
)
def test_what_is_wrong_is_said_and_what_to_do(ledger: Page, name: str, words: str) -> None:
    drop(ledger, (GOLDEN / f"{name}.tlog-proof").read_bytes())
    expect(verdict(ledger).get_by_role("heading")).to_have_text("Do not rely on this receipt")
    expect(verdict(ledger)).to_contain_text(words)


def test_what_a_later_format_says_is_not_called_false(ledger: Page) -> None:
    drop(ledger, (GOLDEN / "leaf_version_2.tlog-proof").read_bytes())
    expect(verdict(ledger).get_by_role("heading")).to_have_text("This receipt could not be checked")


def test_markup_in_an_opened_value_stays_text(ledger: Page) -> None:
    drop(ledger, b"c2sp.org/tlog-proof@v1\n", name="<img src=x onerror=alert(1)>.tlog-proof")
    expect(verdict(ledger)).to_contain_text("<img src=x onerror=alert(1)>")


def test_without_a_pinned_key_the_visitor_gives_one(pages: Pages, edge: str, site: Site) -> None:
    site.log.update(example_log().files())
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_text("its signatures were not checked here")).to_be_visible()
    drop(page, encode_receipt(example_receipt()))
    expect(verdict(page)).to_contain_text("This receipt could not be checked")
    given = page.get_by_label("The ledger's verifier key")
    for no_key in (f"# the log's\u2028{verifier_key()}\n", f"\xa0{verifier_key()}\n"):
        given.fill(no_key)
        drop(page, encode_receipt(example_receipt()))
        expect(verdict(page)).to_contain_text("This receipt could not be checked")
    given.fill(f"# the log's\n{verifier_key()}\n")
    drop(page, encode_receipt(example_receipt()))
    expect(verdict(page)).to_contain_text("This receipt is genuine")
    given.fill(POLICY.rstrip("\n"))  # as it is copied without the end of its last line
    drop(page, encode_receipt(example_receipt()))
    expect(verdict(page)).to_contain_text("too few witnesses have signed for the quorum all-three")
    drop(page, cosigning(1, 2, 3))
    expect(verdict(page)).to_contain_text("This receipt is genuine")


def test_the_page_shows_who_witnessed_the_newest_checkpoint_and_when(
    pages: Pages, edge: str, site: Site
) -> None:
    text = example_log().checkpoint().note_text()
    site.policy = POLICY
    site.log.update(example_log().files())
    site.log["checkpoint"] += (WITNESSES[0].line(text) + WITNESSES[2].line(text)).encode()
    page = pages.open(f"{edge}/ledger/")
    facts = page.get_by_role("region", name="Checkpoint 3")
    expect(facts).to_contain_text(f"{WITNESSES[0].name}, 18 Nov 2026, 11:06:40 UTC")
    expect(facts).to_contain_text(WITNESSES[2].name)
    expect(facts).not_to_contain_text(WITNESSES[1].name)
    expect(facts).to_contain_text("The quorum this site demands is met, of 3 known witnesses.")
    drop(page, cosigning(1, 3))
    expect(verdict(page)).to_contain_text(WITNESSES[2].name)
    drop(page, cosigning(3))
    expect(verdict(page)).to_contain_text("too few witnesses have signed for the quorum all-three")


def test_a_checkpoint_without_its_quorum_or_by_a_stranger_is_not_to_be_relied_on(
    pages: Pages, edge: str, site: Site
) -> None:
    site.policy = POLICY
    site.log.update(example_log().files())
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("alert").filter(has_text="too few witnesses")).to_be_visible()
    site.policy = KEY_POLICY
    site.log["checkpoint"] = site.log["checkpoint"].replace(b"\n3\n", b"\n4\n")
    page = pages.open(f"{edge}/ledger/?entry=0")
    expect(page.get_by_role("alert").filter(has_text="Do not rely on this checkpoint")).to_be_visible()
    expect(page.get_by_role("heading", name="The entry you asked for")).to_be_hidden()


@pytest.mark.parametrize("name", ["valid", "amount_changed"])
def test_a_verdict_can_be_read_by_everyone(ledger: Page, name: str) -> None:
    drop(ledger, (GOLDEN / f"{name}.tlog-proof").read_bytes())
    expect(verdict(ledger)).to_be_visible()
    assert_accessible(ledger)


def _chooser_by_keyboard(ledger: Page) -> FileChooser:
    """What Space opens. Chromium lets a key open a dialog for a few seconds only, and it is pressed again where it opened none; the page takes each."""
    control = ledger.get_by_label("Drop the receipt here, or choose it")
    control.evaluate("input => { input.taken = 0; input.addEventListener('click', () => input.taken++); }")
    for times, patience in enumerate((2_000, 5_000, 20_000), start=1):
        expect(control).to_be_focused()
        with suppress(BrowserTimeout):
            with ledger.expect_file_chooser(timeout=patience) as chosen:
                ledger.keyboard.press("Space")
                assert control.evaluate("input => input.taken") == times
            return chosen.value
    pytest.fail("no file can be chosen by the keyboard")


def test_a_receipt_can_be_checked_by_keyboard_alone(ledger: Page) -> None:
    ledger.get_by_role("link", name="What it proves.").focus()
    ledger.keyboard.press("Tab")
    file: Any = {
        "name": "gift.tlog-proof",
        "mimeType": "application/octet-stream",
        "buffer": encode_receipt(example_receipt()),
    }
    _chooser_by_keyboard(ledger).set_files(file)
    expect(verdict(ledger)).to_contain_text("This receipt is genuine")


def test_the_site_says_what_is_proved_in_the_words_of_the_document(dist: Path) -> None:
    document = (WIDGETS.parents[1] / "docs" / "trust.md").read_text(encoding="utf-8")
    page = (dist / "trust" / "index.html").read_text(encoding="utf-8")
    main = page[page.index("<main") : page.index("</main>")]
    shown = " ".join(html.unescape(re.sub(r"<[^>]+>", "", main)).split())
    written = " ".join(re.sub(r"^#+ |\*\*|`", "", document, flags=re.MULTILINE).split())
    assert shown == written
    assert 500 <= len(written.split()) <= 900


def test_the_built_page_carries_the_verifier_itself(dist: Path) -> None:
    manifest = json.loads((dist / "manifest.json").read_text())
    script = (dist / manifest["ledger"]["url"].removeprefix("/")).read_text(encoding="utf-8")
    assert "c2sp.org/tlog-proof@v1" in script
    assert "import(" not in script


def test_a_former_key_is_believed_up_to_its_last_tree_alone(pages: Pages, edge: str, site: Site) -> None:
    """Whoever holds a key that the log signs with no more cannot go on with the log on this page."""
    former, present = verifier_key(), verifier_key(NEXT_KEY)
    site.policy = f"log {present}\nlog {former}\nquorum none\n"
    site.former_keys = f"3 {former}"
    site.log.update(example_log().files())
    page = pages.open(f"{edge}/ledger/")
    expect(page.get_by_role("region", name="Checkpoint 3")).to_contain_text("Signed by")
    golden = GOLDEN / "former_keys"
    drop(page, (golden / "by_the_former_key_at_its_last_size.tlog-proof").read_bytes())
    expect(verdict(page)).to_contain_text("This receipt is genuine")
    drop(page, (golden / "by_the_former_key_beyond_it.tlog-proof").read_bytes())
    expect(verdict(page)).to_contain_text("only a former key, whose last tree was smaller, has signed")
    site.former_keys = f"2 {former}"
    page = pages.open(f"{edge}/ledger/")
    refused = page.get_by_role("alert").filter(has_text="Do not rely on this checkpoint")
    expect(refused).to_contain_text("only a former key, whose last tree was smaller, has signed")
    expect(page.get_by_role("article")).to_have_count(0)


def test_the_published_list_of_keys_can_be_pasted_as_it_is(pages: Pages, edge: str, site: Site) -> None:
    site.log.update(example_log().files())
    page = pages.open(f"{edge}/ledger/")
    page.get_by_label("The ledger's verifier key").fill((GOLDEN / "former_keys" / "keys.txt").read_text())
    expect(page.get_by_role("region", name="Checkpoint 3")).to_contain_text("Signed by")
    drop(page, (GOLDEN / "former_keys" / "by_the_former_key_beyond_it.tlog-proof").read_bytes())
    expect(verdict(page).get_by_role("heading")).to_have_text("Do not rely on this receipt")
    drop(page, (GOLDEN / "former_keys" / "by_both_keys_beyond_it.tlog-proof").read_bytes())
    expect(verdict(page).get_by_role("heading")).to_have_text("This receipt is genuine")
