"""What people do about their accounts is in the audit log, by their ids alone; and every such route says what it records."""

from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text

from amply.modules.audit import Action
from tests.backend.people_world import ADA, ANOTHER, PASSWORD, PeopleWorld
from tests.backend.recorded_routes import OF_PEOPLE

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def _records(world: PeopleWorld) -> list[Any]:
    with world.worker.transaction() as session:
        return list(session.scalars(text("SELECT content::jsonb FROM audit_record ORDER BY id")))


def test_every_route_that_changes_an_account_says_what_it_records(world: PeopleWorld) -> None:
    changing = {
        f"{method} {route.path}"
        for route in iter_route_contexts(world.app.routes)
        for method in route.methods or ()
        if (route.path or "").startswith("/v1/auth/") and method not in ("GET", "HEAD")
    }
    assert changing == OF_PEOPLE.keys()


def test_what_somebody_changes_of_their_account_is_recorded(world: PeopleWorld) -> None:
    ada = world.member()
    person_id = ada.get("me").json()["id"]
    assert ada.post("password", {"present_password": PASSWORD, "password": ANOTHER}).is_success
    changed = ada.post("factors/totp")
    assert changed.is_success, "it does not count yet, and is not recorded"
    assert ada.post("security-settings", {"ip_binding": "subnet"}).is_success
    world.letters()
    assert ada.post("request-password-reset", {"email": ADA}).is_success
    assert ada.post("reset-password", {"token": world.link(), "password": PASSWORD}).is_success
    assert ada.signs_in().is_success
    world.letters()
    assert ada.post("email", {"email": "ada.byron@example.org"}).is_success
    assert ada.post("confirm-email", {"token": world.link()}).is_success
    assert ada.signs_in("ada.byron@example.org").is_success
    erased = ada.delete("me")
    assert erased.is_success
    records = _records(world)
    assert [each["action"] for each in records] == [
        Action.PERSON_REGISTERED,
        Action.PERSON_PASSWORD_CHANGED,
        Action.PERSON_SESSIONS_BOUND,
        Action.PERSON_PASSWORD_RESET,
        Action.PERSON_ADDRESS_CHANGED,
        Action.PERSON_ERASED,
    ]
    assert {(each["actor"]["kind"], each["actor"]["id"]) for each in records} == {("person", person_id)}
    assert records[-1]["request"] == erased.headers["X-Request-Id"]
    assert "example.org" not in str(records)


def test_what_was_refused_changes_nothing_and_is_not_recorded(world: PeopleWorld) -> None:
    ada = world.member()
    before = _records(world)
    assert ada.post("password", {"present_password": ANOTHER, "password": ANOTHER}).status_code == 401
    assert ada.signs_in(password=ANOTHER).status_code == 401
    assert _records(world) == before


@pytest.mark.parametrize("email", [ADA, "nobody@example.org"])
def test_that_a_password_is_tried_too_often_is_recorded_once(world: PeopleWorld, email: str) -> None:
    ada = world.member()
    person_id = ada.get("me").json()["id"]
    before = _records(world)
    stranger = world.browser(address="203.0.113.9")
    answers = [stranger.signs_in(email, ANOTHER) for _ in range(14)]
    assert [each.status_code for each in answers] == [401] * 10 + [429] * 4
    [record] = _records(world)[len(before) :]
    assert (record["action"], record["outcome"]) == (Action.PERSON_TRIED_TOO_OFTEN, "refused")
    assert record["actor"] == {"kind": "system", "id": "sign-in"}
    assert record.get("targets", []) == ([person_id] if email == ADA else [])
    assert record["request"] == answers[10].headers["X-Request-Id"]
