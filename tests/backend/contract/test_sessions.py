"""Sessions: who is let in by one, for how long, and what ends it. Faults of the cache are tried on the cache itself."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import text

from amply.infra.settings import CacheSettings
from amply.modules import people
from amply.modules.access import CallerSource, PersonCaller, SessionNotValid
from tests.backend.people_world import (
    ADA,
    ANOTHER,
    EDGE,
    PASSWORD,
    Browser,
    PeopleWorld,
    application_with,
    people_parts,
)
from tests.ports import free_port, listener

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Mobile Safari/604.1"
)


def test_the_cookie_is_for_this_host_alone_and_no_script_reads_it(world: PeopleWorld) -> None:
    world.member()
    answer = world.browser().signs_in()
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if "amply-session" in each]
    name, _, told = cookie.partition("=")
    assert name == "__Host-amply-session"
    assert {part.strip().lower() for part in told.split(";")[1:]} == {
        *("httponly", "path=/", "samesite=lax", "secure"),
        f"max-age={30 * 24 * 3600}",
    }


def test_a_laptop_without_https_has_plain_cookies() -> None:
    site = people.Site.of("http://127.0.0.1:8080")
    assert (site.session_cookie, site.is_secure) == ("amply-session", False)
    assert (site.relying_party, site.origins[1]) == ("localhost", "http://localhost:8080")
    assert people.Site.of(EDGE).relying_party == "edge.example"


def test_a_token_is_random_and_not_kept(world: PeopleWorld) -> None:
    ada = world.member()
    first = ada.session or ""
    ada.signs_in()
    assert len(first) == 43
    assert ada.session != first, "another one at each sign-in"
    for key in world.cache.scan_iter():
        assert first not in f"{key!r}{world.cache.dump(key)!r}"


def test_sessions_are_listed_and_ended_one_by_one(world: PeopleWorld) -> None:
    ada = world.member()
    world.clock.advance(seconds=1)
    phone = world.browser(agent=PHONE)
    phone.signs_in()
    listed = ada.get("sessions").json()["data"]
    assert [(each["device"], each["is_this_one"]) for each in listed] == [
        ("Safari on iPhone", False),
        ("Firefox on Linux", True),
    ]
    assert ada.delete(f"sessions/{listed[0]['id']}").status_code == 200
    assert (ada.is_signed_in, phone.is_signed_in) == (True, False)
    assert ada.delete(f"sessions/{listed[0]['id']}").json()["code"] == "session_not_found"
    bob = world.member("bob@example.org")
    assert bob.delete(f"sessions/{listed[1]['id']}").status_code == 404, "somebody else's"
    assert ada.is_signed_in


def test_signing_out_ends_this_session_and_everywhere_all(world: PeopleWorld) -> None:
    ada, other, third = world.member(), world.browser(), world.browser()
    other.signs_in()
    third.signs_in()
    token = ada.session or ""
    assert ada.post("logout").status_code == 200
    ada.session = token
    assert (ada.is_signed_in, other.is_signed_in) == (False, True)
    assert ada.post("logout").status_code == 200, "twice is no error"
    assert other.post("logout-all").status_code == 200
    assert (other.is_signed_in, third.is_signed_in) == (False, False)
    assert world.browser().post("logout-all").status_code == 401


def test_a_session_ends_when_it_is_left_alone(world: PeopleWorld) -> None:
    ada = world.member()
    for _ in range(3):
        world.clock.advance(days=6)
        assert ada.is_signed_in, "used within seven days"
    world.clock.advance(days=7, seconds=1)
    assert not ada.is_signed_in


def test_a_session_ends_however_much_it_is_used(world: PeopleWorld) -> None:
    ada = world.member()
    for _ in range(5):
        world.clock.advance(days=6)
        assert ada.is_signed_in
    world.clock.advance(hours=1)
    assert not ada.is_signed_in


def test_the_cache_lets_go_of_what_is_over(world: PeopleWorld) -> None:
    ada = world.member()
    world.clock.advance(days=1)
    assert ada.is_signed_in
    (key,) = world.cache.scan_iter(match="*people:session:*")
    assert timedelta(days=6, hours=23) < timedelta(seconds=world.cache.ttl(key)) <= timedelta(days=7)


def test_a_clock_that_jumps_back_confirms_nothing(world: PeopleWorld) -> None:
    ada = world.member()
    world.clock.advance(hours=-2)
    assert ada.is_signed_in
    assert ada.post("email", {"email": "ada.byron@example.org"}).status_code == 403
    world.clock.advance(hours=2)
    assert ada.post("email", {"email": "ada.byron@example.org"}).status_code == 202


def test_what_is_dangerous_wants_a_recent_confirmation_which_changes_the_token(world: PeopleWorld) -> None:
    ada = world.member()
    world.clock.advance(minutes=10, seconds=1)
    assert ada.post("email", {"email": "ada.byron@example.org"}).json()["code"] == "confirmation_required"
    before = ada.session or ""
    assert ada.post("confirm", {"password": ANOTHER}).status_code == 401
    assert ada.post("confirm", {"password": PASSWORD}).status_code == 200
    assert ada.post("email", {"email": "ada.byron@example.org"}).status_code == 202
    after = ada.session or ""
    ada.session = before
    assert (before != after, ada.is_signed_in) == (True, False)


def test_a_stamp_that_moved_ends_sessions_the_cache_still_has(world: PeopleWorld) -> None:
    ada = world.member()
    assert ada.is_signed_in
    with world.own.transaction() as session:
        session.execute(text("UPDATE person SET stamp = stamp + 1"))
    # As it is five minutes later at most, or at once where the cache heard of it.
    (remembered,) = world.cache.scan_iter(match="*people:stamp:*")
    assert 0 < world.cache.ttl(remembered) <= 300
    world.cache.delete(remembered)
    assert not ada.is_signed_in


def test_a_stamp_that_is_read_late_does_not_replace_a_newer_one(world: PeopleWorld) -> None:
    sessions = world.parts.sessions
    sessions.move_stamp("usr_a", 3)
    sessions.remember_stamp("usr_a", 1)
    sessions.move_stamp("usr_a", 2)
    assert sessions.stamp_of("usr_a") == 3, "neither who read it before, nor who moved it before"
    sessions.move_stamp("usr_a", 4)
    assert sessions.stamp_of("usr_a") == 4


def test_two_sign_ins_at_once_are_two_sessions_and_one_letter(world: PeopleWorld) -> None:
    ada = world.member()
    device = ada.client.cookies.get("__Host-amply-device") or ""
    browsers = [world.browser() for _ in range(4)]
    for browser in browsers:
        browser.client.cookies.set("__Host-amply-device", f"b{device[1:]}", domain="api.example", path="/")
    with ThreadPoolExecutor(4) as pool:
        assert [answer.status_code for answer in pool.map(Browser.signs_in, browsers)] == [200] * 4
    assert len(ada.get("sessions").json()["data"]) == 5
    assert [letter.subject for letter in world.letters()] == ["A new device signed in to your account"]


def test_a_browser_that_is_known_is_no_news(world: PeopleWorld) -> None:
    ada = world.member()
    ada.signs_in()
    assert world.letters() == []
    world.browser(agent=PHONE).signs_in()
    (letter,) = world.letters()
    assert (letter.to, letter.subject) == (ADA, "A new device signed in to your account")


def test_a_session_that_is_used_while_it_is_ended_stays_ended(world: PeopleWorld) -> None:
    ada = world.member()
    token = ada.session or ""
    found = world.parts.sessions.find(token)
    assert found is not None
    world.parts.sessions.end(token)
    world.parts.sessions.touch(token, found, now=world.clock())
    assert world.parts.sessions.find(token) is None


def test_nobody_has_more_sessions_than_fifty(world: PeopleWorld) -> None:
    ada = world.member()
    (first,) = world.parts.sessions.of_person(ada.get("me").json()["id"])
    for number in range(50):
        later = dataclasses.replace(
            first, id=f"ses_{number}", signed_in_at=first.signed_in_at + timedelta(seconds=number + 1)
        )
        world.parts.sessions.open(later)
    held = world.parts.sessions.of_person(first.person_id)
    assert len(held) == 50
    assert not ada.is_signed_in, "the oldest made room"


def test_a_session_is_held_to_where_it_began(world: PeopleWorld) -> None:
    ada = world.member()
    for binding, near, far in (("none", True, True), ("subnet", True, False), ("strict", False, False)):
        assert ada.post("security-settings", {"ip_binding": binding}).status_code == 200
        assert not ada.is_signed_in
        ada.signs_in()
        ada.headers["X-Amply-Client"] = "198.51.100.200"
        assert ada.is_signed_in is near
        ada.headers["X-Amply-Client"] = "203.0.113.7"
        assert ada.is_signed_in is far
        ada.headers["X-Amply-Client"] = "198.51.100.7"
        assert ada.is_signed_in, "back where it belongs"


def test_a_page_of_somebody_elses_cannot_use_a_session(world: PeopleWorld) -> None:
    ada = world.member()
    own: tuple[dict[str, str], ...] = (
        {"Origin": EDGE},
        {"Sec_Fetch_Site": "same-origin", "Origin": "https://api.example"},
    )
    for headers in own:
        assert ada.post("confirm", {"password": ANOTHER}, **headers).status_code == 401
    foreign: tuple[dict[str, str], ...] = (
        {"Origin": "https://evil.example"},
        {"Origin": "https://edge.example.evil.example"},
        {"Origin": "https://edge.example:444"},
        {"Origin": "http://edge.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
    )
    for headers in foreign:
        answer = ada.post("confirm", {"password": PASSWORD}, **headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "request_from_elsewhere")
        assert answer.json()["request_id"].startswith("req_")
        assert ada.post("login", {"email": ADA, "password": PASSWORD}, **headers).status_code == 403
        elsewhere = ada.client.post("/v1/donations", json={}, headers={"Origin": headers["Origin"]})
        assert elsewhere.status_code == 403, "no route forgets it"


def test_a_program_without_a_cookie_needs_no_origin(world: PeopleWorld) -> None:
    world.member()
    program = TestClient(world.app, base_url="https://api.example")
    body = {"email": ADA, "password": PASSWORD}
    assert program.post("/v1/auth/login", json=body).status_code == 200
    assert program.post("/v1/auth/logout-all").status_code == 403, "and with one it does"


def caller(world: PeopleWorld, token: str | None) -> PersonCaller | None:
    source: CallerSource = people.SessionCallers(world.parts)
    cookies = {} if token is None else {"__Host-amply-session": token}
    found = source.caller_of(headers={}, cookies=cookies, address="198.51.100.7", now=world.clock())
    assert found is None or isinstance(found, PersonCaller)
    return found


def test_the_application_learns_who_asks(world: PeopleWorld) -> None:
    ada = world.member()
    me = ada.get("me").json()
    found = caller(world, ada.session)
    assert found is not None
    assert (found.person_id, found.session_id) == (me["id"], me["session_id"])
    assert (found.signed_in_at, found.confirmed_at) == (world.clock(), world.clock())
    assert caller(world, None) is None
    for bad in ("", "x", (ada.session or "")[:-1], "é" * 20, "a" * 5000):
        with pytest.raises(SessionNotValid):
            caller(world, bad)


def test_when_the_cache_is_lost_people_sign_in_again(world: PeopleWorld) -> None:
    ada = world.member()
    world.cache.flushall()
    assert ada.get("me").status_code == 401
    assert ada.signs_in().status_code == 200
    assert ada.is_signed_in


def at(port: int) -> CacheSettings:
    return CacheSettings(host="127.0.0.1", port=port, tls=False, password=SecretStr(""))


def test_while_the_cache_is_away_nobody_is_let_in_and_gifts_go_on(world: PeopleWorld) -> None:
    ada = world.member()
    app = application_with(world.own, people_parts(world.own, at(free_port())), world.clock)
    elsewhere = Browser(app)
    elsewhere.session = ada.session or ""
    refused = elsewhere.get("me")
    assert (refused.status_code, refused.json()["code"]) == (503, "sign_in_unavailable")
    right, wrong = elsewhere.signs_in(), elsewhere.signs_in(password=ANOTHER)
    assert (right.status_code, wrong.status_code) == (503, 503), "and whose password it is, is not told"
    quote = elsewhere.client.get("/v1/public/organisations/org_x", headers=elsewhere.headers)
    assert quote.status_code == 404, "what needs nobody to be signed in answers as before"
    gift = elsewhere.client.post("/v1/donations", json={}, headers={**elsewhere.headers})
    assert gift.status_code == 422, "a gift is looked at as ever"


def test_a_cache_that_hangs_is_given_up(world: PeopleWorld) -> None:
    ada = world.member()
    with listener() as silent:
        parts = people_parts(world.own, at(silent.getsockname()[1]))
        elsewhere = Browser(application_with(world.own, parts, world.clock))
        elsewhere.session = ada.session or ""
        assert elsewhere.get("me").status_code == 503
        assert elsewhere.signs_in().status_code == 503, "and no password is tried uncounted"


def test_strangers_do_not_lock_anybody_out(world: PeopleWorld) -> None:
    ada = world.member()
    strangers = [world.browser(address=f"203.0.113.{number}") for number in range(12)]
    codes = [stranger.signs_in(password=ANOTHER).status_code for stranger in strangers]
    assert codes == [401] * 10 + [429] * 2
    assert world.browser().signs_in().status_code == 429, "from a browser that was never here, nobody"
    assert ada.signs_in().status_code == 200, "but from Ada's own"

    # On a new browser she gets in by a letter, which makes it known.
    new = world.browser(agent=PHONE)
    new.post("request-password-reset", {"email": ADA})
    token = world.link()
    assert new.post("reset-password", {"token": token, "password": ANOTHER}).status_code == 200
    assert new.signs_in(password=ANOTHER).status_code == 200

    world.clock.advance(minutes=31)
    assert world.browser().signs_in(password=ANOTHER).status_code == 200, "and strangers' turn passes"


def test_one_address_tries_few_passwords(world: PeopleWorld) -> None:
    stranger = world.browser()
    codes = [stranger.signs_in(f"somebody{number}@example.org").status_code for number in range(62)]
    assert codes[:60] == [401] * 60
    assert codes[60:] == [429, 429]
