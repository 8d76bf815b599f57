"""How somebody comes to have an account, and what strangers learn of who has one: nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import argon2
import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.entrypoints import backlog
from amply.modules import people
from amply.modules.access import LastOwner
from tests.backend.audit_shelf import AuditShelf
from tests.backend.people_world import ADA, ANOTHER, CHEAP, PASSWORD, Browser, PeopleWorld
from tests.backend.statements import heard

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def rows(world: PeopleWorld, statement: str) -> list[tuple[object, ...]]:
    with world.own.transaction() as session:
        return [tuple(row) for row in session.execute(text(statement))]


def test_an_account_is_opened_by_its_letter_and_its_password(world: PeopleWorld) -> None:
    ada = world.browser()
    asked = ada.post("register", {"email": "Ada@Example.org", "password": PASSWORD, "language": "de"})
    assert (asked.status_code, asked.json()["detail"]) == (
        202,
        "A letter is on its way to this address; it says what to do next.",
    )
    assert ada.signs_in().status_code == 401, "not before the letter"
    (letter,) = world.letters()
    assert (letter.to, letter.subject) == ("Ada@example.org", "Bestätigen Sie Ihre E-Mail-Adresse")
    assert "https://edge.example/account/?verify#p1." in letter.text
    assert "https://edge.example/account/?verify#p1." in letter.html
    token = letter.text.split("#")[1].split()[0]

    assert ada.post("verify-email", {"token": token, "password": ANOTHER}).status_code == 401
    assert ada.post("verify-email", {"token": token, "password": PASSWORD}).status_code == 201
    assert ada.signs_in().json()["status"] == "signed_in"
    me = ada.get("me").json()
    assert (me["email"], me["language"], me["factors"]["totp"]) == ("Ada@example.org", "de", False)


def test_a_link_opens_an_account_once(world: PeopleWorld) -> None:
    ada = world.browser()
    ada.post("register", {"email": ADA, "password": PASSWORD})
    token = world.link()
    body = {"token": token, "password": PASSWORD}
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(world.browser().post, "verify-email", body) for _ in range(4)]
        codes = sorted(answer.result().status_code for answer in answers)
    assert codes == [201, 401, 401, 401]
    assert ada.post("verify-email", body).json()["code"] == "letter_link_not_valid"
    assert rows(world, "SELECT count(*) FROM person") == [(1,)]


def test_a_link_is_over_after_two_days(world: PeopleWorld) -> None:
    ada = world.browser()
    ada.post("register", {"email": ADA, "password": PASSWORD})
    token = world.link()
    world.clock.advance(days=2, seconds=1)
    assert ada.post("verify-email", {"token": token, "password": PASSWORD}).status_code == 401
    world.works()
    assert rows(world, "SELECT count(*) FROM address_claim") == [(0,)]


def test_whoever_registers_with_somebody_elses_address_chooses_no_password_for_them(
    world: PeopleWorld,
) -> None:
    eve, ada = world.browser(), world.browser()
    eve.post("register", {"email": ADA, "password": ANOTHER})
    eves = world.link()
    ada.post("register", {"email": ADA, "password": PASSWORD})
    adas = world.link()
    # Ada opens the first letter, believing it hers: her password is not the one it is for.
    assert ada.post("verify-email", {"token": eves, "password": PASSWORD}).status_code == 401
    assert ada.post("verify-email", {"token": adas, "password": PASSWORD}).status_code == 201
    assert eve.post("verify-email", {"token": eves, "password": ANOTHER}).status_code == 401
    assert eve.signs_in(password=ANOTHER).status_code == 401


def shape(answer: httpx2.Response) -> tuple[int, object, list[str]]:
    """All of an answer but what differs between any two."""
    body = answer.json()
    body.pop("request_id", None)
    return answer.status_code, body, sorted(answer.headers)


def test_known_and_unknown_addresses_are_answered_alike(world: PeopleWorld) -> None:
    world.member()
    stranger = world.browser()
    for path, body in (
        ("register", {"password": ANOTHER}),
        ("request-password-reset", {}),
        ("login", {"password": ANOTHER}),
    ):
        known, unknown = (stranger.post(path, {**body, "email": email}) for email in (ADA, "bob@example.org"))
        assert shape(known) == shape(unknown)


def test_known_and_unknown_addresses_take_the_same_work(
    world: PeopleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.member()
    verify = argon2.PasswordHasher.verify
    costs: list[argon2.Parameters] = []
    statements: list[str] = []

    def counted(self: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        costs.append(argon2.extract_parameters(hashed))
        return verify(self, hashed, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    done: list[tuple[int, list[str]]] = []
    for email in (ADA, "bob@example.org"):
        statements.clear()
        with heard(world.own, lambda statement, _: statements.append(statement)):
            answer = world.browser().signs_in(email, ANOTHER)
        done.append((answer.status_code, list(statements)))
    assert done[0] == done[1]
    assert len(done[0][1]) == 1
    assert costs[0] == costs[1], "one hash each, at one cost"
    assert len(costs) == 2


def test_the_letter_alone_says_what_is_so(world: PeopleWorld) -> None:
    world.member()
    stranger = world.browser()
    for path, email, subject in (
        ("register", ADA, "You have an account already"),
        ("request-password-reset", ADA, "Choose a new password"),
        ("request-password-reset", "bob@example.org", "There is no account with this address"),
    ):
        stranger.post(path, {"email": email, **({"password": ANOTHER} if path == "register" else {})})
        (letter,) = world.letters()
        assert (letter.to, letter.subject) == (email, subject)


def test_nobodys_mailbox_is_filled(world: PeopleWorld) -> None:
    stranger = world.browser()
    for _ in range(5):
        assert stranger.post("request-password-reset", {"email": ADA}).status_code == 202
    assert len(world.letters()) == 3


def test_a_letter_that_cannot_be_sent_is_tried_for_an_hour_and_counted(world: PeopleWorld) -> None:
    world.member()
    world.browser().post("request-password-reset", {"email": ADA})
    world.mailer.refuses = True
    for _ in range(8):
        world.works()
        world.clock.advance(minutes=35)
    assert backlog.measure(world.worker, now=world.clock()).exhausted_letters == 1
    world.mailer.refuses = False
    assert world.letters() == [], "a person decides, within two days"
    world.clock.advance(days=2)
    world.works()
    assert backlog.measure(world.worker, now=world.clock()).exhausted_letters == 0
    assert rows(world, "SELECT count(*) FROM person_letter WHERE id <> ''") == [(0,)]


def test_a_letter_that_was_refused_once_is_sent_a_minute_later(world: PeopleWorld) -> None:
    world.browser().post("request-password-reset", {"email": ADA})
    world.mailer.refuses = True
    world.works()
    world.mailer.refuses = False
    assert world.letters() == []
    world.clock.advance(minutes=1)
    assert len(world.letters()) == 1


def test_passwords_and_addresses_that_are_not_acceptable_say_why(world: PeopleWorld) -> None:
    stranger = world.browser()
    refused = stranger.post("register", {"email": ADA, "password": "password1234"})
    assert (refused.status_code, refused.json()["code"]) == (422, "password_not_acceptable")
    refused = stranger.post("register", {"email": "аda@example.org", "password": PASSWORD})  # noqa: RUF001 -- the look-alike is the point
    assert (refused.status_code, refused.json()["param"]) == (422, "email")


def test_a_forgotten_password_is_replaced_once_and_ends_every_session(world: PeopleWorld) -> None:
    ada = world.member()
    elsewhere = world.browser()
    elsewhere.post("request-password-reset", {"email": ADA})
    token = world.link()

    def choose(browser: Browser) -> int:
        code: int = browser.post("reset-password", {"token": token, "password": ANOTHER}).status_code
        return code

    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(choose, [world.browser() for _ in range(3)]))
    assert sorted(codes) == [200, 401, 401]
    assert choose(elsewhere) == 401
    assert not ada.is_signed_in
    assert (ada.signs_in().status_code, ada.signs_in(password=ANOTHER).status_code) == (401, 200)
    assert [letter.subject for letter in world.letters()] == ["Your password was changed"]


def test_a_link_to_a_new_password_is_over_after_an_hour(world: PeopleWorld) -> None:
    ada = world.member()
    ada.post("request-password-reset", {"email": ADA})
    token = world.link()
    world.clock.advance(hours=1, seconds=1)
    assert ada.post("reset-password", {"token": token, "password": ANOTHER}).status_code == 401


def test_links_of_one_kind_open_nothing_of_another(world: PeopleWorld) -> None:
    ada = world.member()
    ada.post("request-password-reset", {"email": ADA})
    token = world.link()
    assert ada.post("confirm-email", {"token": token}).status_code == 401
    assert ada.post("login/factor", {"pending": token, "code": "123456"}).status_code == 401


def test_another_address_is_told_to_the_one_before(world: PeopleWorld) -> None:
    ada = world.member()
    ada.post("request-password-reset", {"email": ADA})
    stale = world.link()
    assert ada.post("email", {"email": "ada.byron@example.org"}).status_code == 202
    (letter,) = world.letters()
    assert letter.to == "ada.byron@example.org"
    assert ada.get("me").json()["email"] == ADA, "not before the letter"
    token = letter.text.split("#")[1].split()[0]
    assert world.browser().post("confirm-email", {"token": token}).status_code == 200
    assert [(letter.to, letter.subject) for letter in world.letters()] == [
        (ADA, "Your e-mail address was changed")
    ]
    assert not ada.is_signed_in
    assert ada.signs_in().status_code == 401
    assert ada.signs_in("ada.byron@example.org").status_code == 200
    again = {"token": token}
    assert world.browser().post("confirm-email", again).status_code == 401
    assert ada.post("reset-password", {"token": stale, "password": ANOTHER}).status_code == 401


def test_nobody_takes_an_address_that_has_an_account(world: PeopleWorld) -> None:
    world.member("bob@example.org")
    ada = world.member()
    assert ada.post("email", {"email": "bob@example.org"}).status_code == 202, "answered alike"
    (letter,) = world.letters()
    assert (letter.to, letter.subject) == ("bob@example.org", "This address has an account already")


def test_an_address_that_got_an_account_meanwhile_stays_with_it(world: PeopleWorld) -> None:
    ada = world.member()
    ada.post("email", {"email": "bob@example.org"})
    token = world.link()
    world.member("bob@example.org")
    assert world.browser().post("confirm-email", {"token": token}).status_code == 401
    assert ada.get("me").json()["email"] == ADA


def test_a_changed_password_asks_for_the_present_one(world: PeopleWorld) -> None:
    ada = world.member()
    other = world.browser()
    other.signs_in()
    body = {"present_password": ANOTHER, "password": ANOTHER}
    assert ada.post("password", body).status_code == 401
    before = ada.session
    assert ada.post("password", {**body, "present_password": PASSWORD}).status_code == 200
    assert ada.session != before
    assert (ada.is_signed_in, other.is_signed_in) == (True, False)
    ada.session = before or ""
    assert not ada.is_signed_in, "the token before is over"
    assert world.browser().signs_in(password=ANOTHER).status_code == 200


def test_a_hash_of_another_cost_is_made_anew_at_sign_in(world: PeopleWorld) -> None:
    ada = world.member()
    (before,) = rows(world, "SELECT password_hash FROM person")
    ada.signs_in()
    assert rows(world, "SELECT password_hash FROM person") == [before]
    cost = people.Cost(memory_kib=CHEAP.memory_kib * 2, passes=1, lanes=1)
    object.__setattr__(world.parts, "hashing", people.Hashing(cost))
    assert ada.signs_in().status_code == 200
    (after,) = rows(world, "SELECT password_hash FROM person")
    assert "m=16," in str(after[0])
    assert ada.signs_in().status_code == 200


def test_an_account_is_forgotten_and_its_id_stays(world: PeopleWorld) -> None:
    ada = world.member()
    person_id = ada.get("me").json()["id"]
    world.clock.advance(minutes=11)
    refused = ada.delete("me")
    assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_required")
    assert ada.post("confirm", {"password": PASSWORD}).status_code == 200
    assert ada.delete("me").status_code == 200
    assert not ada.is_signed_in
    assert ada.signs_in().status_code == 401
    kept = rows(world, "SELECT id, address_index, sealed_address, password_hash FROM person")
    assert kept == [(person_id, None, None, None)]
    assert [letter.subject for letter in world.letters()] == ["Your account was deleted"]
    for table in ("person_device", "person_totp", "person_passkey", "address_claim"):
        assert rows(world, f"SELECT count(*) FROM {table}") == [(0,)]  # noqa: S608 -- this file's own words
    assert world.member().get("me").json()["id"] != person_id, "the address is free again"
    assert ("people.erased",) in worker_rows(world, "SELECT topic FROM outbox"), "the worker is told at once"
    assert people.note_erased(world.worker, AuditShelf(), now=world.clock()) == 1


def worker_rows(world: PeopleWorld, statement: str) -> list[tuple[object, ...]]:
    with world.worker.transaction() as session:
        return [tuple(row) for row in session.execute(text(statement))]


def test_an_account_that_is_needed_is_kept_whole(world: PeopleWorld) -> None:
    ada = world.member()

    own = ada.get("me").json()["id"]

    def needed(_session: Session, person_id: str, _now: datetime) -> None:
        assert person_id == own
        raise LastOwner("Name another owner first.")

    object.__setattr__(world.parts, "before_leaving", needed)
    refused = ada.delete("me")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Name another owner first.")
    assert ada.is_signed_in
    assert world.letters() == []


def test_nothing_that_was_written_names_anybody(
    world: PeopleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = world.member()
    ada.post("email", {"email": "ada.byron@example.org"})
    ada.post("register", {"email": "ada@example.org", "password": PASSWORD})
    ada.signs_in(password=ANOTHER)
    ada.post("login", {"email": "ada@example.org", "password": PASSWORD, "ada@example.org": 1})
    said = capsys.readouterr()
    written = [said.out, said.err]
    for table in ("person", "person_device", "address_claim", "outbox"):
        with world.worker.transaction() as session:
            written += [str(row) for row in session.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608 -- our own tables' names
    for key in world.cache.scan_iter():
        written.append(str(key))
        written.append(str(world.cache.dump(key)))
    everything = "\n".join(written).lower()
    for personal in ("ada@", "ada.byron", "example.org", "198.51.100", PASSWORD, ANOTHER, ada.session or "-"):
        assert personal.lower() not in everything, personal
