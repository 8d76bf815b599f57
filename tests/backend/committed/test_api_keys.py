"""API keys over the API: made once, used, rotated, revoked; and what a wrong one costs."""

from typing import Any

import pytest
from sqlalchemy import text

from amply.modules import keys
from amply.modules.access import CredentialNotValid, KeyCaller, Scope
from amply.modules.keys.domain import Secret
from tests.backend.member_world import House
from tests.backend.statements import heard
from tests.backend.world import NOW


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def known(house: House, secret: str, *, livemode: bool = False) -> Any:
    source = keys.KeyCallers(database=house.own, livemode=livemode)
    return source.caller_of(
        headers={"authorization": f"Bearer {secret}"}, cookies={}, address="", now=house.clock()
    )


def test_a_key_is_shown_once_and_kept_as_a_digest(house: House) -> None:
    key_id, secret = house.key("organisation:read", "donations:read")
    (listed,) = house.ask("GET", "/keys", by="usr_admin").json()["data"]
    assert listed == {
        "id": key_id,
        "name": "site",
        "last_four": secret[-4:],
        "is_live": False,
        "scopes": ["donations:read", "organisation:read"],
        "created_by": "usr_owner",
        "created_at": "2026-11-21T09:00:30.000Z",
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }
    (row,) = house.rows("SELECT * FROM api_key")
    assert secret not in str(row)
    assert bytes(row.digest) == Secret(text=secret).digest
    assert known(house, secret) == KeyCaller(
        key_id=key_id,
        organization_id=house.organization_id,
        scopes=frozenset({Scope.ORGANISATION_READ, Scope.DONATIONS_READ}),
        is_live=False,
    )


def test_two_keys_of_a_name_work_while_one_takes_over_from_the_other(house: House) -> None:
    first_id, first = house.key("organisation:read")
    _, second = house.key("organisation:read")
    third = house.ask(
        "POST", "/keys", by="usr_owner", json={"name": " site ", "scopes": ["organisation:read"]}
    )
    assert code(third) == (409, "too_many_keys")
    assert [house.ask("GET", "", key=each).status_code for each in (first, second)] == [200, 200]

    revoked = house.ask("DELETE", f"/keys/{first_id}", by="usr_owner")
    assert revoked.json()["revoked_at"] is not None
    assert code(house.ask("GET", "", key=first)) == (401, "credential_not_valid"), "at once"
    assert house.ask("GET", "", key=second).status_code == 200
    house.key("organisation:read")


def test_a_key_ends_when_it_was_meant_to(house: House) -> None:
    _, secret = house.key("organisation:read", days=1)
    house.clock.advance(hours=23)
    assert house.ask("GET", "", key=secret).status_code == 200
    house.clock.advance(hours=1)
    assert code(house.ask("GET", "", key=secret)) == (401, "credential_not_valid")


def test_what_no_key_can_be_costs_no_look_into_the_database(house: House) -> None:
    _, secret = house.key("organisation:read")
    asked: list[str] = []
    with heard(house.own, lambda statement, _: asked.append(statement)):
        last = "0" if secret[-1] != "0" else "1"
        for wrong in (
            "sk_",
            "sk_test_short",
            secret[:-1] + last,
            secret + "x",
            Secret.fresh(is_live=True).text,
        ):
            with pytest.raises(CredentialNotValid):
                known(house, wrong)
        assert asked == []
        for absent in ("", "v2.1.x", "not-a-key"):
            assert known(house, absent) is None
        assert asked == []
        assert known(house, secret) is not None
        assert len(asked) == 2, "one to find it, one to note its use"


def test_a_key_of_one_mode_is_nobody_in_the_other(house: House) -> None:
    _, secret = house.key("organisation:read")
    with pytest.raises(CredentialNotValid):
        known(house, secret, livemode=True)
    live = Secret.fresh(is_live=True)
    house.run(
        "INSERT INTO api_key (id, organization_id, name, digest, last_four, is_live, scopes, created_by, created_at) "
        "VALUES (:id, :of, 'live', :digest, '0000', true, ARRAY['organisation:read'], 'usr_owner', :now)",
        id=f"key_{'0' * 26}",
        of=house.organization_id,
        digest=live.digest,
        now=NOW,
    )
    assert code(house.ask("GET", "", key=live.text)) == (401, "credential_not_valid")
    assert known(house, live.text, livemode=True).is_live is True


def test_the_last_use_is_noted_once_a_minute_whatever_becomes_of_the_request(house: House) -> None:
    _, secret = house.key("organisation:read")

    def noted() -> Any:
        ((at,),) = house.rows("SELECT last_used_at FROM api_key")
        return at

    assert code(house.ask("GET", "/keys", key=secret)) == (403, "not_allowed")
    first = noted()
    assert first == house.clock()
    house.clock.advance(seconds=59)
    house.ask("GET", "", key=secret)
    assert noted() == first
    house.clock.advance(seconds=1)
    house.ask("GET", "", key=secret)
    assert noted() == house.clock()


def test_each_key_has_its_own_limit(house: House) -> None:
    key_id, secret = house.key("organisation:read")
    house.limiter.counted.clear()
    assert house.ask("GET", "", key=secret).status_code == 200
    house.ask("PATCH", "", key=secret, json={})
    assert house.limiter.counted == [("key_reads", key_id), ("key_writes", key_id)]
    house.limiter.allowed = False
    assert code(house.ask("GET", "", key=secret)) == (429, "rate_limit_exceeded")


def test_a_program_gives_in_its_organisations_name_and_strangers_do_not_meet_its_idempotency_keys(
    house: House,
) -> None:
    _, secret = house.key("donations:write")
    body = {
        "organization_id": house.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
    }
    told = {"Idempotency-Key": "k" * 255}

    def gives(key: str | None) -> Any:
        return house.ask("POST", "/v1/donations", key=key, json=body, headers=told)

    mine, again, strangers = gives(secret), gives(secret), gives(None)
    assert {each.status_code for each in (mine, again, strangers)} == {201}
    assert again.json() == mine.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert strangers.json()["id"] != mine.json()["id"]
    opened = {row.donation_id: row.mail for row in house.rows("SELECT donation_id, mail FROM opened_gift")}
    assert opened[mine.json()["id"]] is None, "counted, and nobody is told from anybody by it"
    assert opened[strangers.json()["id"]] is not None
    # Its successor carries a repetition on.
    _, second = house.key("donations:write")
    assert gives(second).json() == mine.json()


def test_a_session_that_is_over_keeps_nobody_from_giving(house: House) -> None:
    """Where anybody may, only keys are looked at."""

    class Refuses:
        def caller_of(self, *, headers: Any, cookies: Any, address: str, now: Any) -> None:
            if cookies or "x-session" in headers:
                raise CredentialNotValid("Sign in again.")

    house.app.state.callers = (Refuses(), *house.app.state.callers)
    body = {
        "organization_id": house.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
    }
    headers = {"Idempotency-Key": "k", "Cookie": "session=old", "X-Session": "old"}
    assert house.ask("POST", "/v1/donations", json=body, headers=headers).status_code == 201
    assert code(house.ask("GET", "", headers=headers)) == (401, "credential_not_valid")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "site", "scopes": []},
        {"name": "site", "scopes": ["everything"]},
        {"name": "", "scopes": ["organisation:read"]},
        {"name": "a\u0000b", "scopes": ["organisation:read"]},
        {"name": "site", "scopes": ["organisation:read"], "lifetime_days": 0},
        {"name": "site", "scopes": ["organisation:read"], "lifetime_days": 731},
        {"name": "site", "scopes": ["organisation:read"], "is_live": True},
    ],
)
def test_what_cannot_be_a_key_is_refused(house: House, body: dict[str, Any]) -> None:
    assert house.ask("POST", "/keys", by="usr_owner", json=body).status_code == 422
    with house.database.transaction() as session:
        assert session.scalar(text("SELECT 1"))
