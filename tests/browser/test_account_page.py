"""The account page in a real browser with a virtual authenticator, at the real API with its database and cache."""

import base64
import json
import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import expect

from tests.backend.conftest import database, databases, server  # noqa: F401 -- fixtures of the world
from tests.backend.people_world import ADA, ANOTHER, PASSWORD, people_cache, world  # noqa: F401 -- fixtures, too
from tests.browser.peoples_place import Place, place  # noqa: F401 -- the fixture
from tests.browser.pressing import presses
from tests.browser.site_server import WIDGETS

pytestmark = pytest.mark.enable_socket

_READ_QR = """
import decodeQR from "qr/decode.js";
const { side, dark } = JSON.parse(process.argv[1]);
const scale = 4, width = side * scale, data = new Uint8Array(width * width * 4).fill(255);
for (const [x, y] of dark)
  for (let i = 0; i < scale * scale; i++) {
    const at = ((y * scale + Math.floor(i / scale)) * width + x * scale + (i % scale)) * 4;
    data.fill(0, at, at + 3);
  }
process.stdout.write(decodeQR({ width, height: width, data }));
"""


def test_somebody_registers_signs_in_and_goes_on_with_a_passkey(place: Place) -> None:  # noqa: F811 -- the fixture
    page, status = place.page, place.page.get_by_role("status")
    place.goes("/account/?register")
    place.is_for_everybody()
    place.fills(email=ADA, password=PASSWORD)
    place.clicks("Ask for an account")
    expect(status).to_contain_text("A letter is on its way")

    place.comes_by_letter("verify")
    assert "#" not in page.url, "the token is in no address bar"
    place.fills(password=ANOTHER)
    place.clicks("Open the account")
    expect(page.get_by_role("alert").last).to_contain_text("the password you registered with")
    place.fills(password=PASSWORD)
    place.clicks("Open the account")
    expect(status).to_contain_text("Your account is open")

    place.signs_in(ADA)
    assert page.evaluate("document.cookie") == "", "no script reads a session"
    expect(page.get_by_text("(this one)")).to_be_visible()

    place.world.clock.advance(minutes=11)
    place.clicks("Add a passkey")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_focused()
    place.fills(password=PASSWORD)
    place.clicks("Confirm")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_focused()
    shown = page.locator(".secrets code")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    place.clicks("Copy")
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == codes
    with page.expect_download() as download:
        place.clicks("Download")
    assert Path(download.value.path()).read_text().split() == codes
    expect(page.get_by_role("button", name="Take away")).to_be_visible()
    place.is_for_everybody()
    place.clicks("I have kept them")
    expect(page.locator(".secrets")).to_have_count(0)

    place.clicks("Sign out")
    place.clicks("Sign in with a passkey")
    expect(page.get_by_text(f"You are signed in as {ADA}.")).to_be_visible()
    place.clicks("Sign out everywhere")

    place.fills(email=ADA, password=PASSWORD)
    place.clicks("Sign in")
    expect(page.locator("#code")).to_be_visible()
    place.clicks("Sign in with a passkey")
    expect(page.get_by_text("(this one)")).to_be_visible()


def test_a_forgotten_password_is_replaced_on_the_page_in_the_readers_language(place: Place) -> None:  # noqa: F811 -- the fixture
    place.world.member()
    page, status = place.page, place.page.get_by_role("status")
    place.goes("/account/?lang=de")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihr Konto")
    place.clicks("Ich habe mein Passwort vergessen")
    place.fills(email=ADA)
    place.clicks("Ein neues Passwort anfordern")
    expect(status).to_contain_text("Ein Brief ist unterwegs")
    place.comes_by_letter("reset")
    place.fills(password="password1234")
    place.clicks("Dieses Passwort verwenden")
    expect(page.get_by_role("alert").last).to_contain_text("aus den Listen, die Angreifer versuchen")
    place.clicks("Français")
    expect(page.get_by_role("alert").last).to_contain_text("listes que les attaquants essaient")
    place.clicks("English")
    place.fills(password=ANOTHER)
    place.clicks("Use this password")
    expect(status).to_contain_text("Your password is changed")
    place.signs_in(ADA, ANOTHER)
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_an_app_is_set_up_asked_for_and_taken_away(place: Place) -> None:  # noqa: F811 -- the fixture
    place.world.member()
    page, clock = place.page, place.world.clock
    place.goes("/account/")
    place.signs_in(ADA)
    place.clicks("Set up an app")
    expect(page.get_by_role("heading", name="Scan this with your app")).to_be_focused()
    secret = page.locator("section.once code").inner_text().replace(" ", "")
    shown = page.get_by_role("img", name="QR code with the secret for your app")
    side = int((shown.get_attribute("viewBox") or "").split()[-1])
    dark = [list(map(int, each)) for each in re.findall(r"M(\d+) (\d+)", shown.inner_html())]
    read = subprocess.run(
        ["node", "--input-type=module", "-e", _READ_QR, json.dumps({"side": side, "dark": dark})],
        cwd=WIDGETS,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert read.startswith("otpauth://totp/")
    assert f"secret={secret}" in read
    place.is_for_everybody()

    app = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 -- as RFC 6238 has it
    place.fills(app_code="000000")
    place.clicks("Use this app")
    expect(page.get_by_role("alert").filter(has_text="code")).to_be_visible()
    place.fills(app_code=app.generate(clock().timestamp()).decode())
    place.clicks("Use this app")
    expect(page.locator(".secrets code")).to_have_count(10)
    place.clicks("I have kept them")
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()

    place.clicks("Sign out")
    place.fills(email=ADA, password=PASSWORD)
    place.clicks("Sign in")
    clock.advance(seconds=30)
    place.fills(code=app.generate(clock().timestamp()).decode())
    place.clicks("Go on")
    place.clicks("Take the app away")
    expect(page.get_by_role("button", name="Set up an app")).to_be_visible()


def test_password_address_membership_and_account_are_changed_and_ended(place: Place) -> None:  # noqa: F811 -- the fixture
    place.world.member()
    elsewhere = place.world.browser()
    elsewhere.signs_in()
    page, status = place.page, place.page.get_by_role("status")
    token = place.invited(ADA)
    place.goes("/account/")
    place.signs_in(ADA)
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(2)
    place.clicks("Change the password")
    place.fills(present=PASSWORD, new_password=ANOTHER)
    # By the mouse, where nothing moves.
    page.locator("form").get_by_role("button", name="Change the password").click()
    expect(status.filter(has_text="Your password is changed")).to_be_visible()
    expect(page.get_by_role("button", name="End", exact=True)).to_have_count(0)
    assert not elsewhere.is_signed_in

    held = page.get_by_label("Where a session may be used from")
    held.select_option("from the network that you signed in from")
    place.clicks("Change this")
    place.clicks("Change it and sign out everywhere")
    expect(status.filter(has_text="It is changed: sign in again.")).to_be_visible()
    place.signs_in(ADA, ANOTHER)
    expect(held).to_have_value("subnet")
    place.world.letters()

    place.goes(f"/join/#{token}")
    place.clicks("Join River Trust")
    presses(page.get_by_role("link", name="To your account"))
    expect(page.get_by_text("River Trust · owner")).to_be_visible()
    presses(page.get_by_role("button", name="Leave: River Trust"))
    place.clicks("Leave River Trust")
    expect(page.get_by_role("alert").filter(has_text="keeps an owner")).to_be_visible()

    place.world.letters()
    place.clicks("Change the e-mail address")
    place.fills(address="ada.new@example.org")
    place.clicks("Write to the new address")
    expect(status.filter(has_text="A letter is on its way")).to_be_visible()
    place.comes_by_letter("confirm-email")
    place.clicks("Use this address")
    expect(status).to_contain_text("Your address is changed")
    place.signs_in("ada.new@example.org", ANOTHER)

    place.clicks("Delete my account")
    place.clicks("Delete it for ever")
    expect(page.get_by_role("alert").filter(has_text="keeps an owner")).to_be_visible()
