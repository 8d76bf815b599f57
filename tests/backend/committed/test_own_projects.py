"""Projects and funds, one at a time: seen with a version, changed upon it, by those who may."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final

import pytest

from amply.modules.organizations import funds
from tests.backend.api_world import assert_problem
from tests.backend.member_world import House

ROOF: Final = {
    "name": "Roof",
    "goal": {"minor_units": "900000", "currency": "EUR"},
    "texts": {"en": {"tagline": "A dry roof", "about": "The old one leaks."}},
}


def project(house: House, **changes: Any) -> str:
    made = house.ask("POST", "/projects", by="usr_content", json={**ROOF, **changes})
    assert made.status_code == 201, made.text
    return f"/projects/{made.json()['id']}"


def fund(house: House, name: str = "Wells", **who: Any) -> str:
    made = house.ask("POST", "/funds", json={"name": name}, **(who or {"by": "usr_content"}))
    assert made.status_code == 201, made.text
    return f"/funds/{made.json()['id']}"


def public(house: House, path: str, **headers: str) -> Any:
    return house.client.get(f"/v1/public/organisations/{house.organization_id}{path}", headers=headers)


def give(house: House, path: str) -> None:
    gift = {
        "organization_id": house.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
        "fund_id": path.rsplit("/", maxsplit=1)[-1],
    }
    assert house.client.post("/v1/donations", json=gift, headers={"Idempotency-Key": path}).status_code == 201


def test_one_is_seen_with_its_version_by_its_own_and_by_everybody_and_not_sent_twice(house: House) -> None:
    for path in (project(house), fund(house)):
        own, shown = house.ask("GET", path, by="usr_viewer"), public(house, path)
        assert (own.status_code, shown.status_code) == (200, 200)
        assert own.json() == shown.json()
        assert own.headers["ETag"] == shown.headers["ETag"]
        seen = {"If-None-Match": own.headers["ETag"]}
        assert house.ask("GET", path, by="usr_viewer", headers=seen).status_code == 304
        again = public(house, path, **seen)
        assert (again.status_code, again.content) == (304, b"")


def test_what_is_listed_to_its_own_is_there_before_anybody_else_sees_the_organisation(house: House) -> None:
    path, also = project(house), fund(house)
    house.run("ALTER TABLE organization DISABLE TRIGGER keep_organization_moves")
    house.run("UPDATE organization SET state = 'draft' WHERE id = :id", id=house.organization_id)
    listed = house.ask("GET", "/projects", by="usr_viewer").json()["data"]
    assert [f"/projects/{each['id']}" for each in listed] == [path]
    assert house.ask("GET", path, by="usr_viewer").status_code == 200
    for hidden in (path, also):
        found = public(house, hidden)
        assert_problem(found, status=404, code="organization_not_found", param="organization_id")


@pytest.mark.parametrize(
    ("path", "code", "param"),
    [
        (f"/projects/proj_{'0' * 26}", "project_not_found", None),
        (f"/funds/fund_{'0' * 26}", "fund_not_found", "fund_id"),
    ],
)
def test_one_that_is_not_there_is_not_found(house: House, path: str, code: str, param: str | None) -> None:
    assert_problem(house.ask("GET", path, by="usr_owner"), status=404, code=code, param=param)
    assert_problem(public(house, path), status=404, code=code, param=param)


def test_anothers_is_not_found(house: House) -> None:
    theirs = house.ask("POST", "/projects", by="usr_stranger", of=house.other_id, json=ROOF).json()
    for path, code, param in (
        (f"/projects/{theirs['id']}", "project_not_found", None),
        (f"/funds/{theirs['fund']['id']}", "fund_not_found", "fund_id"),
    ):
        assert_problem(house.ask("GET", path, by="usr_owner"), status=404, code=code, param=param)
        assert_problem(public(house, path), status=404, code=code, param=param)
    assert house.ask("GET", "/projects", by="usr_owner").json()["data"] == []


def test_what_was_seen_is_what_a_project_is_changed_upon_its_name_included(house: House) -> None:
    path = project(house)
    seen = {"If-Match": house.ask("GET", path, by="usr_viewer").headers["ETag"]}
    named = {"name": "  Dry   roof ", "state": "active"}
    changed = house.ask("PATCH", path, by="usr_content", json=named, headers=seen)
    assert changed.status_code == 200, changed.text
    said = changed.json()
    assert (said["name"], said["fund"]["name"], said["state"]) == ("Dry roof", "Dry roof", "active")
    assert (said["goal"], said["texts"]) == (ROOF["goal"], ROOF["texts"]), "what was not sent stays"
    assert public(house, path).json() == said
    late = house.ask("PATCH", path, by="usr_owner", json={"name": "Mine"}, headers=seen)
    assert_problem(late, status=412, code="changed_meanwhile")
    assert_problem(
        house.ask("PATCH", path, by="usr_owner", json={"name": "Mine"}), status=428, code="if_match_missing"
    )
    assert house.ask("GET", path, by="usr_viewer").headers["ETag"] == changed.headers["ETag"]


def test_a_project_is_begun_on_no_fund_that_takes_nothing_and_one_that_is_there_stays_the_answer(
    house: House,
) -> None:
    made = house.ask("POST", "/funds", by="usr_content", json={"name": "Roof", "kind": "project"}).json()
    assert house.ask("POST", f"/funds/{made['id']}/close", by="usr_content").is_success
    refused = house.ask("POST", "/projects", by="usr_content", json=ROOF)
    assert_problem(refused, status=409, code="fund_taken", param="name")
    assert "closed" in refused.json()["detail"]
    assert house.ask("GET", "/projects", by="usr_viewer").json()["data"] == []
    path = project(house, name="Wells")
    fund_id = house.ask("GET", path, by="usr_viewer").json()["fund"]["id"]
    assert house.ask("POST", f"/funds/{fund_id}/close", by="usr_content").is_success
    assert project(house, name="Wells") == path
    assert house.ask("GET", path, by="usr_viewer").json()["fund"]["is_open"] is False


def test_a_projects_fund_is_renamed_by_no_other_route_than_the_projects(house: House) -> None:
    path = project(house)
    fund_path = f"/funds/{house.ask('GET', path, by='usr_viewer').json()['fund']['id']}"

    def is_refused() -> None:
        seen = {"If-Match": house.ask("GET", fund_path, by="usr_viewer").headers["ETag"]}
        for headers in ({}, seen):
            asked = house.ask("PATCH", fund_path, by="usr_owner", json={"name": "Tiles"}, headers=headers)
            assert_problem(asked, status=409, code="fund_of_project")
            assert f"PATCH /v1/organisations/{house.organization_id}{path}" in asked.json()["detail"]

    is_refused()
    seen = {"If-Match": house.ask("GET", path, by="usr_viewer").headers["ETag"]}
    over = house.ask("PATCH", path, by="usr_content", json={"state": "completed"}, headers=seen)
    is_refused()
    assert public(house, path).json() == over.json()


def test_a_projects_fund_that_is_closed_meanwhile_is_a_change_of_the_project(house: House) -> None:
    path = project(house)
    seen = house.ask("GET", path, by="usr_viewer")
    closing = f"/funds/{seen.json()['fund']['id']}/close"
    assert house.ask("POST", closing, by="usr_owner").is_success
    late = house.ask(
        "PATCH",
        path,
        by="usr_content",
        json={"state": "active"},
        headers={"If-Match": seen.headers["ETag"]},
    )
    assert_problem(late, status=412, code="changed_meanwhile")


def test_a_project_keeps_its_name_once_somebody_has_given_and_nothing_else_of_the_change_is_kept(
    house: House,
) -> None:
    path = project(house)
    fund(house, "Wells")
    seen = house.ask("GET", path, by="usr_viewer")
    headers = {"If-Match": seen.headers["ETag"]}
    taken = house.ask("PATCH", path, by="usr_content", json={"name": "Wells"}, headers=headers)
    assert_problem(taken, status=409, code="fund_taken", param="name")
    give(house, f"/funds/{seen.json()['fund']['id']}")
    given = house.ask(
        "PATCH", path, by="usr_content", json={"name": "Tiles", "state": "active"}, headers=headers
    )
    assert_problem(given, status=409, code="fund_taken", param="name")
    assert "Gifts were made" in given.json()["detail"]
    assert house.ask("GET", path, by="usr_viewer").json() == seen.json()
    same = house.ask("PATCH", path, by="usr_content", json={"name": "Roof"}, headers=headers)
    assert same.status_code == 200, "the name it has is no new one"


def test_a_fund_is_renamed_upon_what_was_seen_where_that_is_named(house: House) -> None:
    path = fund(house)
    seen = {"If-Match": house.ask("GET", path, by="usr_viewer").headers["ETag"]}
    first = house.ask("PATCH", path, by="usr_content", json={"name": "Deep wells"}, headers=seen)
    assert (first.status_code, first.json()["name"]) == (200, "Deep wells")
    late = house.ask("PATCH", path, by="usr_owner", json={"name": "Shallow wells"}, headers=seen)
    assert_problem(late, status=412, code="changed_meanwhile")
    upon = {"If-Match": first.headers["ETag"]}
    assert house.ask("PATCH", path, by="usr_owner", json={"name": "Springs"}, headers=upon).is_success
    # As programs of this version have always done it.
    assert house.ask("PATCH", path, by="usr_owner", json={"name": "Rivers"}).is_success
    assert public(house, path).json()["name"] == "Rivers"


@pytest.mark.parametrize("of", ["project", "fund"])
def test_whoever_changes_a_fund_at_the_same_moment_is_waited_for_and_seen(house: House, of: str) -> None:
    path = project(house)
    shown = house.ask("GET", path, by="usr_viewer")
    fund_id = shown.json()["fund"]["id"]
    wanted: dict[str, str] = {"state": "active"}
    if of == "fund":
        made = house.ask("POST", "/funds", by="usr_owner", json={"name": "Well", "kind": "fund"})
        fund_id = made.json()["id"]
        path, wanted = f"/funds/{fund_id}", {"name": "Mine"}
        shown = house.ask("GET", path, by="usr_viewer")
    with closing(house.master.engine.raw_connection()) as other, ThreadPoolExecutor(1) as pool:
        other.cursor().execute("UPDATE fund SET name = 'Tiles' WHERE id = %s", (fund_id,))
        seen = {"If-Match": shown.headers["ETag"]}
        waiting = pool.submit(house.ask, "PATCH", path, by="usr_owner", json=wanted, headers=seen)
        while not house.rows(
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            assert not waiting.done(), "it should wait for the other one"
        other.commit()
        assert_problem(waiting.result(60), status=412, code="changed_meanwhile")


def test_no_project_is_begun_under_another_name_than_was_asked_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague renames the fund that was found, just before it is locked."""
    made = house.ask("POST", "/funds", by="usr_owner", json={"name": "Roof", "kind": "project"}).json()
    lock = funds.locked_fund

    def renamed_before(*args: Any, **named: Any) -> Any:
        with closing(house.master.engine.raw_connection()) as other:
            other.cursor().execute("UPDATE fund SET name = 'Tiles' WHERE id = %s", (made["id"],))
            other.commit()
        return lock(*args, **named)

    monkeypatch.setattr(funds, "locked_fund", renamed_before)
    refused = house.ask("POST", "/projects", by="usr_content", json=ROOF)
    assert_problem(refused, status=409, code="fund_taken", param="name")
    assert "'Tiles'" in refused.json()["detail"]
    assert house.ask("GET", "/projects", by="usr_viewer").json()["data"] == []
