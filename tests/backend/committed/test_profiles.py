"""What an organisation says of itself in public: its site, its goals, its words in several languages."""

from typing import Any

import pytest

from tests.backend.api_world import assert_problem
from tests.backend.member_world import House

TEXTS = {
    "en": {"tagline": "Clean rivers", "about": "We keep rivers clean.\nAnd their banks."},
    "de": {"tagline": "Saubere Flüsse", "about": "Wir halten Flüsse sauber."},
}


def change(house: House, *, by: str = "usr_owner", **said: Any) -> Any:
    etag = house.ask("GET", "", by=by).headers["ETag"]
    return house.ask("PATCH", "", by=by, json=said, headers={"If-Match": etag})


def shown(house: House) -> Any:
    return house.client.get(f"/v1/public/organisations/{house.organization_id}").json()


def test_what_it_says_is_public_and_what_is_not_sent_stays(house: House) -> None:
    assert change(house, website=" https://river.example/about", sdgs=[14, 6, 14], texts=TEXTS).is_success
    assert change(house, name="River Trust of the Vale").is_success
    found = shown(house)
    assert (found["website"], found["sdgs"]) == ("https://river.example/about", [6, 14])
    assert found["texts"] == TEXTS
    assert change(house, texts={"de": TEXTS["de"]}, website=" ").is_success
    assert (shown(house)["texts"], shown(house)["website"]) == ({"de": TEXTS["de"]}, None)


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"website": "javascript:alert(1)"}, "website"),
        ({"texts": {"en": {"tagline": "a\u202eb", "about": "x"}}}, "texts.en.tagline"),
        ({"texts": {"en": {"tagline": "x" * 141, "about": "x"}}}, "texts.en.tagline"),
        ({"texts": {"en": {"tagline": "x", "about": " "}}}, "texts.en.about"),
    ],
)
def test_what_cannot_be_shown_is_refused(house: House, said: dict[str, Any], param: str) -> None:
    assert_problem(change(house, **said), status=422, code="organization_not_acceptable", param=param)
    assert shown(house)["texts"] == {}


def test_goals_and_languages_are_those_there_are(house: House) -> None:
    assert change(house, sdgs=[18]).status_code == 422
    assert change(house, texts={"english": TEXTS["en"]}).status_code == 422


def test_content_does_not_change_it_and_its_readers_see_it(house: House) -> None:
    refused = house.ask("PATCH", "", by="usr_content", json={"website": "https://x.example"})
    assert_problem(refused, status=403, code="not_allowed")


ROOF = {"name": "Roof", "goal": {"minor_units": "900000", "currency": "EUR"}, "texts": {"en": TEXTS["en"]}}


def projects(house: House) -> Any:
    return house.client.get(f"/v1/public/organisations/{house.organization_id}/projects").json()["data"]


def test_a_project_has_a_goal_a_state_and_a_fund_that_takes_its_gifts(house: House) -> None:
    made = house.ask("POST", "/projects", by="usr_content", json=ROOF)
    assert made.status_code == 201, made.text
    assert house.ask("POST", "/projects", by="usr_owner", json=ROOF).json()["id"] == made.json()["id"], "once"
    [shown] = projects(house)
    assert (shown["name"], shown["state"], shown["goal"]) == ("Roof", "planned", ROOF["goal"])
    gift = {
        "organization_id": house.organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
        "fund_id": shown["fund"]["id"],
    }
    assert house.client.post("/v1/donations", json=gift, headers={"Idempotency-Key": "1"}).status_code == 201

    path, etag = f"/projects/{shown['id']}", {"If-Match": made.headers["ETag"]}
    done = house.ask("PATCH", path, by="usr_content", json={"state": "completed"}, headers=etag)
    assert (done.json()["state"], done.json()["fund"]["is_open"]) == ("completed", False)
    refused = house.client.post("/v1/donations", json=gift, headers={"Idempotency-Key": "2"})
    assert_problem(refused, status=422, code="fund_not_acceptable", param="fund_id")
    stale = house.ask("PATCH", path, by="usr_content", json={"state": "active"}, headers=etag)
    assert_problem(stale, status=412, code="changed_meanwhile")
    again = {"If-Match": done.headers["ETag"]}
    over = house.ask("PATCH", path, by="usr_content", json={"state": "active"}, headers=again)
    assert_problem(over, status=409, code="project_over")


def test_a_project_of_another_organisation_is_none(house: House) -> None:
    made = house.ask("POST", "/projects", by="usr_owner", json=ROOF)
    headers = {"If-Match": made.headers["ETag"]}
    path = f"/projects/{made.json()['id']}"
    asked = house.ask("PATCH", path, by="usr_stranger", of=house.other_id, json={}, headers=headers)
    assert_problem(asked, status=404, code="project_not_found")
    finance = house.ask("POST", "/projects", by="usr_finance", json=ROOF)
    assert_problem(finance, status=403, code="not_allowed")
