"""Apps, recovery codes and passkeys: what is asked for beside a password or instead of it, and nothing twice."""

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import text

from tests.backend.authenticator import Authenticator
from tests.backend.people_world import ADA, ANOTHER, PASSWORD, Browser, PeopleWorld

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


class App:
    """What shows codes."""

    def __init__(self, world: PeopleWorld, secret: str) -> None:
        self.world = world
        self.totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 -- as RFC 6238 has it

    def code(self, *, seconds_off: int = 0) -> str:
        return self.totp.generate(int(self.world.clock().timestamp()) + seconds_off).decode()


def with_app(world: PeopleWorld, browser: Browser) -> tuple[App, list[str]]:
    """Somebody who has set up an app, half a minute later."""
    begun = browser.post("factors/totp").json()
    assert begun["uri"].startswith("otpauth://totp/Amply:")
    app = App(world, begun["secret"])
    confirmed = browser.post("factors/totp/confirm", {"code": app.code()})
    assert confirmed.status_code == 200, confirmed.text
    world.clock.advance(seconds=30)
    return app, confirmed.json()["recovery_codes"]


def needed(browser: Browser, password: str = PASSWORD) -> str:
    """The password is right, and a factor is missing."""
    answer = browser.signs_in(password=password).json()
    assert answer["status"] == "second_factor_required", answer
    return str(answer["pending"])


def shows(browser: Browser, pending: str, code: str) -> int:
    status: int = browser.post("login/factor", {"pending": pending, "code": code}).status_code
    return status


def test_an_app_is_asked_for_once_it_has_shown_a_code(world: PeopleWorld) -> None:
    ada = world.member()
    ada.post("factors/totp")
    assert ada.signs_in().json()["status"] == "signed_in", "begun is not set up"
    other = world.browser()
    other.signs_in()
    world.letters()
    app, codes = with_app(world, ada)
    assert (len(codes), len(set(codes))) == (10, 10)
    assert [letter.subject for letter in world.letters()] == [
        "The ways to sign in to your account were changed"
    ]
    assert (ada.is_signed_in, other.is_signed_in) == (True, False)

    pending = needed(other)
    assert other.session is None or not other.is_signed_in, "a password alone opens nothing"
    assert shows(other, pending, "000000") == 401
    assert shows(other, pending, app.code()) == 200
    assert other.get("me").json()["factors"] == {"totp": True, "passkeys": 0, "recovery_codes_left": 10}


def test_a_code_is_good_once_and_none_before_it_any_more(world: PeopleWorld) -> None:
    app, _ = with_app(world, world.member())
    browsers = [world.browser() for _ in range(3)]
    pending = [needed(each) for each in browsers]
    code, earlier = app.code(), app.code(seconds_off=-30)
    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(lambda at: shows(browsers[at], pending[at], code), range(3))
        assert sorted(answers) == [200, 401, 401]
    assert shows(browsers[0], pending[0], earlier) == 401


def test_a_clock_that_is_half_a_minute_off_is_forgiven_and_no_more(world: PeopleWorld) -> None:
    app, _ = with_app(world, world.member())
    world.clock.advance(minutes=5)
    browser = world.browser()
    assert shows(browser, needed(browser), app.code(seconds_off=60)) == 401
    assert shows(browser, needed(browser), app.code(seconds_off=-60)) == 401
    assert shows(browser, needed(browser), app.code(seconds_off=-30)) == 200


def test_a_recovery_code_is_good_once_however_it_is_typed(world: PeopleWorld) -> None:
    _, codes = with_app(world, world.member())
    browser = world.browser()
    assert shows(browser, needed(browser), f" {codes[0].upper().replace('-', ' ')} ") == 200
    assert shows(browser, needed(browser), codes[0]) == 401
    assert browser.get("me").json()["factors"]["recovery_codes_left"] == 9
    renewed = browser.post("factors/recovery-codes").json()["recovery_codes"]
    assert shows(browser, needed(browser), codes[1]) == 401, "the old ones have ended"
    assert shows(browser, needed(browser), renewed[1]) == 200


def test_codes_are_guessed_five_times_at_most(world: PeopleWorld) -> None:
    ada = world.member()
    app, _ = with_app(world, ada)
    world.clock.advance(minutes=11)
    browser = world.browser()
    pending = needed(browser)
    assert [shows(browser, pending, "000000") for _ in range(6)] == [401] * 5 + [429]
    world.clock.advance(minutes=4)
    assert shows(browser, needed(browser), app.code()) == 429, "the right one too"
    assert shows(ada, needed(ada), app.code()) == 200, "but not from Ada's own browser"
    world.clock.advance(minutes=7)
    assert shows(browser, needed(browser), app.code()) == 200


def test_what_is_pending_ends_after_five_minutes_and_with_the_password(world: PeopleWorld) -> None:
    ada = world.member()
    app, _ = with_app(world, ada)
    browser = world.browser()
    pending = needed(browser)
    world.clock.advance(minutes=5, seconds=1)
    assert shows(browser, pending, app.code()) == 401
    pending = needed(browser)
    ada.post("password", {"present_password": PASSWORD, "password": ANOTHER})
    assert shows(browser, pending, app.code()) == 401


def test_a_second_app_does_not_end_the_first_unseen(world: PeopleWorld) -> None:
    ada = world.member()
    with_app(world, ada)
    assert ada.post("factors/totp").json()["code"] == "factor_exists"
    assert ada.delete("factors/totp").status_code == 200
    assert ada.delete("factors/totp").json()["code"] == "factor_missing"
    assert ada.signs_in().json()["status"] == "signed_in"
    assert ada.get("me").json()["factors"] == {"totp": False, "passkeys": 0, "recovery_codes_left": 0}


def test_confirming_asks_for_the_factor_too(world: PeopleWorld) -> None:
    ada = world.member()
    app, _ = with_app(world, ada)
    world.clock.advance(minutes=11)
    assert ada.delete("factors/totp").json()["code"] == "confirmation_required"
    assert ada.post("confirm", {"password": PASSWORD}).json()["code"] == "factor_refused"
    assert ada.post("confirm", {"password": PASSWORD, "code": app.code()}).status_code == 200
    assert ada.delete("factors/totp").status_code == 200


def test_a_new_password_by_letter_leaves_the_factor_in_place(world: PeopleWorld) -> None:
    with_app(world, world.member())
    world.letters()
    browser = world.browser()
    browser.post("request-password-reset", {"email": ADA})
    browser.post("reset-password", {"token": world.link(), "password": ANOTHER})
    assert needed(browser, ANOTHER)


def test_secrets_are_not_kept_in_clear(world: PeopleWorld) -> None:
    ada = world.member()
    secret = ada.post("factors/totp").json()["secret"]
    app = App(world, secret)
    codes = ada.post("factors/totp/confirm", {"code": app.code()}).json()["recovery_codes"]
    raw = base64.b32decode(secret)
    with world.own.transaction() as session:
        (sealed,) = session.execute(text("SELECT sealed_secret FROM person_totp")).scalars()
        digests = session.execute(text("SELECT digest FROM person_recovery_code")).scalars().all()
    assert raw not in sealed
    assert raw.hex().encode() not in sealed
    assert all(code.replace("-", "").encode() not in digest for code in codes for digest in digests)


def with_passkey(browser: Browser, **how: Any) -> Authenticator:
    """Somebody's new passkey."""
    key = Authenticator(**how)
    made = adds(browser, key)
    assert made.status_code == 201, made.text
    return key


def adds(browser: Browser, key: Authenticator, *, name: str = "Telephone") -> Any:
    begun = browser.post("factors/passkeys/options").json()
    return browser.post(
        "factors/passkeys",
        {"ceremony": begun["ceremony"], "credential": key.makes(begun["options"]), "name": name},
    )


def comes_with(browser: Browser, key: Authenticator, *, pending: str | None = None) -> Any:
    begun = browser.post("login/passkey/options", {"pending": pending}).json()
    return browser.post(
        "login/passkey",
        {"ceremony": begun["ceremony"], "credential": key.shows(begun["options"]), "pending": pending},
    )


def test_a_passkey_is_enough_to_sign_in(world: PeopleWorld) -> None:
    ada = world.member()
    key = with_passkey(ada)
    browser = world.browser()
    assert comes_with(browser, key).json()["status"] == "signed_in"
    assert browser.get("me").json()["email"] == ADA
    (shown,) = browser.get("factors/passkeys").json()["data"]
    assert (shown["name"], shown["last_used_at"] is not None) == ("Telephone", True)


def test_a_passkey_is_a_second_factor_too(world: PeopleWorld) -> None:
    ada, bob = world.member(), world.member("bob@example.org")
    key, bobs = with_passkey(ada), with_passkey(bob)
    browser = world.browser()
    answer = browser.signs_in().json()
    assert (answer["status"], answer["methods"]) == ("second_factor_required", ["code", "passkey"])
    assert comes_with(browser, bobs, pending=answer["pending"]).status_code == 401, "somebody else's"
    assert comes_with(browser, key, pending=answer["pending"]).status_code == 200


def test_the_first_passkey_brings_recovery_codes(world: PeopleWorld) -> None:
    ada = world.member()
    first, second = adds(ada, Authenticator()).json(), adds(ada, Authenticator(), name="Key").json()
    assert (len(first["recovery_codes"]), second["recovery_codes"]) == (10, None)
    browser = world.browser()
    assert shows(browser, needed(browser), first["recovery_codes"][3]) == 200


def test_several_passkeys_are_listed_and_taken_away(world: PeopleWorld) -> None:
    ada = world.member()
    first, second = with_passkey(ada), with_passkey(ada)
    listed = ada.get("factors/passkeys").json()["data"]
    assert len(listed) == 2
    assert ada.delete(f"factors/passkeys/{listed[0]['id']}").status_code == 200
    bob = world.member("bob@example.org")
    assert bob.delete(f"factors/passkeys/{listed[1]['id']}").json()["code"] == "passkey_not_found"
    assert comes_with(world.browser(), first).status_code == 401
    assert comes_with(world.browser(), second).status_code == 200


def test_a_challenge_is_good_once_for_five_minutes_and_for_what_it_was_made_for(world: PeopleWorld) -> None:
    ada = world.member()
    key = with_passkey(ada)
    browser = world.browser()
    begun = browser.post("login/passkey/options").json()
    body = {"ceremony": begun["ceremony"], "credential": key.shows(begun["options"])}
    assert browser.post("login/passkey", body).status_code == 200
    assert browser.post("login/passkey", body).json()["code"] == "factor_refused"
    making = ada.post("factors/passkeys/options").json()
    crossed = {"ceremony": making["ceremony"], "credential": key.shows(making["options"])}
    assert browser.post("login/passkey", crossed).status_code == 401
    begun = browser.post("login/passkey/options").json()
    (kept,) = world.cache.scan_iter(match="*passkey*")
    assert 0 < world.cache.ttl(kept) <= 300
    world.cache.flushall()
    lost = {"ceremony": begun["ceremony"], "credential": key.shows(begun["options"])}
    assert browser.post("login/passkey", lost).status_code == 401


def test_a_copied_passkey_is_noticed(world: PeopleWorld) -> None:
    key = with_passkey(world.member())
    assert comes_with(world.browser(), key).status_code == 200
    assert comes_with(world.browser(), key).status_code == 200
    key.counter = 0
    assert comes_with(world.browser(), key).status_code == 401, "its counter went back"
    key.counter = 2
    assert comes_with(world.browser(), key).status_code == 200


def test_a_passkey_that_is_not_what_was_asked_for_is_refused(world: PeopleWorld) -> None:
    ada = world.member()
    wrong: tuple[dict[str, Any], ...] = (
        {"origin": "https://evil.example"},
        {"site": "evil.example"},
        {"verifies": False},
    )
    for how in wrong:
        assert adds(ada, Authenticator(**how)).json()["code"] == "factor_refused"
    key = with_passkey(ada)
    for how in wrong:
        assert comes_with(world.browser(), replace(key, **how)).json()["code"] == "factor_refused"
    assert comes_with(world.browser(), key).status_code == 200


def test_answers_that_are_none_are_refused(world: PeopleWorld) -> None:
    ada = world.member()
    answers: tuple[dict[str, Any], ...] = (
        {},
        {"id": 1},
        {"id": "?"},
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}},
    )
    for answer in answers:
        begun = ada.post("factors/passkeys/options").json()
        body = {"ceremony": begun["ceremony"], "credential": answer}
        assert ada.post("factors/passkeys", {**body, "name": "x"}).status_code == 401
        begun = ada.post("login/passkey/options").json()
        body = {"ceremony": begun["ceremony"], "credential": answer}
        assert ada.post("login/passkey", body).status_code == 401


def test_spoilt_passkeys_are_refused_and_never_an_error_of_ours(world: PeopleWorld) -> None:
    ada = world.member()
    key = Authenticator()
    for at in range(0, 220, 11):
        begun = ada.post("factors/passkeys/options").json()
        answer = key.makes(begun["options"])
        made = answer["response"]["attestationObject"]
        answer["response"]["attestationObject"] = (
            f"{made[:at]}{'_' if made[at] != '_' else 'A'}{made[at + 1 :]}"
        )
        body = {"ceremony": begun["ceremony"], "credential": answer, "name": "x"}
        assert ada.post("factors/passkeys", body).status_code in (201, 401)
        answer["response"]["attestationObject"] = made[:at]
        begun = ada.post("factors/passkeys/options").json()
        assert ada.post("factors/passkeys", {**body, "ceremony": begun["ceremony"]}).status_code == 401
    body = {"ceremony": "x", "credential": {}, "name": "a\0b"}
    assert ada.post("factors/passkeys", body).status_code == 422


def test_a_passkey_confirms_what_is_dangerous(world: PeopleWorld) -> None:
    ada = world.member()
    key = with_passkey(ada)
    world.clock.advance(minutes=11)
    assert ada.post("factors/passkeys/options").json()["code"] == "confirmation_required"
    begun = ada.post("confirm/passkey/options").json()
    body = {"ceremony": begun["ceremony"], "credential": key.shows(begun["options"])}
    assert ada.post("confirm/passkey", body).status_code == 200
    assert ada.post("factors/passkeys/options").status_code == 200
