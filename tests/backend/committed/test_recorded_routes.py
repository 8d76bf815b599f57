"""Whatever is changed over HTTP is in the audit log: every route of a permission that is not for reading records who did what."""

from typing import Any

import pytest

from amply.modules import audit
from amply.modules.access import Role
from amply.modules.audit import Action
from tests.backend import recorded_routes
from tests.backend.caller_matrix import MATRIX, Open
from tests.backend.member_world import House
from tests.backend.recorded_requests import REQUESTS, fund, invitation
from tests.backend.recorded_routes import RECORDED


def _records(house: House) -> list[Any]:
    return house.rows("SELECT content::jsonb AS said, organization_id FROM audit_record ORDER BY id")


def test_every_route_that_changes_something_says_what_it_records() -> None:
    changing = {
        route
        for route, line in MATRIX.items()
        if not isinstance(line, Open)
        and not route.startswith(("GET ", "HEAD "))
        and route not in recorded_routes.OF_PEOPLE
    }
    assert changing == RECORDED.keys() == REQUESTS.keys()


@pytest.mark.parametrize("route", REQUESTS)
def test_what_is_changed_is_recorded_with_whoever_did_it(route: str, house: House) -> None:
    asked = REQUESTS[route](house)
    before = len(_records(house))
    is_beside = asked.path.startswith("/v1/") and not asked.path.startswith("/v1/me/")
    answer = house.ask(
        route.split(" ", maxsplit=1)[0],
        asked.path,
        by=asked.by,
        json=asked.body,
        headers=asked.headers,
        params={"organization_id": house.organization_id} if is_beside else None,
    )
    assert answer.is_success, answer.text
    record, *besides = _records(house)[before:]
    assert [each.said["action"] for each in besides] == ([Action.KEY_MADE] if asked.makes_another else [])
    said = record.said
    assert said["action"] == RECORDED[route]
    # The people of this world have no ids of ours, and are digested as anything of a strange shape.
    assert said["actor"] == {"kind": "person", "id": audit.digested(asked.by)}
    assert said["request"] == answer.headers["X-Request-Id"]
    made = answer.json().get("organization_id") if answer.content else None
    assert record.organization_id == (made or house.organization_id)
    if asked.target is not None:
        assert said["targets"][0] in (asked.target, audit.digested(asked.target))


def test_a_key_is_named_as_the_one_that_acted(house: House) -> None:
    key_id, secret = house.key("organisation:write")
    assert house.ask("POST", "/funds", key=secret, json={"name": "Roof", "kind": "fund"}).is_success
    assert _records(house)[-1].said["actor"] == {"kind": "key", "id": key_id}


def test_what_changes_nothing_is_not_recorded(house: House) -> None:
    key_id, _ = house.key("donations:read")
    assert house.ask("DELETE", f"/keys/{key_id}", by="usr_owner").is_success
    fund_id = fund(house)
    assert house.ask("POST", f"/funds/{fund_id}/close", by="usr_owner").is_success
    before = _records(house)
    house.clock.advance(seconds=60)
    assert house.ask("DELETE", f"/keys/{key_id}", by="usr_owner").is_success
    assert house.ask("POST", f"/funds/{fund_id}/close", by="usr_owner").is_success
    assert fund(house) == fund_id
    assert house.ask("DELETE", "/ownership-offer", by="usr_owner").is_success
    assert house.ask("DELETE", "/members/usr_nobody", by="usr_owner").status_code == 404
    assert _records(house) == before


def test_what_was_refused_by_the_database_is_not_recorded(house: House) -> None:
    before = _records(house)
    assert house.ask("DELETE", "/membership", by="usr_owner").status_code == 409
    assert _records(house) == before


def test_the_log_holds_no_address(house: House) -> None:
    invitation(house)
    assert "new@x.example" not in str(_records(house))


def test_owners_and_administrators_read_their_own_organisations_log(house: House) -> None:
    for number in range(3):
        made = house.ask("POST", "/funds", by="usr_owner", json={"name": f"Fund {number}", "kind": "fund"})
        assert made.is_success
    theirs = {"name": "Theirs", "kind": "fund"}
    assert house.ask("POST", "/funds", by="usr_stranger", of=house.other_id, json=theirs).is_success
    first = house.ask("GET", "/audit?limit=2", by="usr_admin").json()
    last = house.ask("GET", f"/audit?limit=2&cursor={first['next_cursor']}", by="usr_admin").json()
    assert (len(first["data"]), len(last["data"]), last["next_cursor"]) == (2, 1, None)
    assert (first["has_more"], last["has_more"]) == (True, False)
    shown = [*first["data"], *last["data"]]
    assert [each["action"] for each in shown] == [Action.FUND_CREATED] * 3
    assert [each["at"] for each in shown] == sorted((each["at"] for each in shown), reverse=True)
    for role in (Role.FINANCE, Role.CONTENT, Role.VIEWER):
        assert house.ask("GET", "/audit", by=f"usr_{role}").status_code == 403
    assert house.ask("GET", "/audit", by="usr_stranger").status_code == 404
