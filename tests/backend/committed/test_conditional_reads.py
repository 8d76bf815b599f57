"""Who has an answer already is told so; who filters by what a list does not have is told that, too."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from amply.infra.database import Database
from amply.kernel.pagination import cursor_of
from tests.backend.conftest import Databases
from tests.backend.member_world import House

PUBLIC: Final = "/v1/public/organisations"
OWN_LISTS: Final = ("/gifts", "/payouts", "/funds", "/members", "/keys", "/invitations", "/audit", "")


@pytest.fixture
def house(database: Database, databases: Databases) -> Iterator[House]:
    made = House(database, databases)
    yield made
    made.close()


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_has_not_changed_is_not_sent_again(house: House) -> None:
    for path in (
        PUBLIC,
        f"{PUBLIC}/{house.organization_id}",
        f"{PUBLIC}/{house.organization_id}/funds",
        *OWN_LISTS,
    ):
        first = house.ask("GET", path, by="usr_owner")
        assert first.status_code == 200, first.text
        tag = first.headers["ETag"]
        for named in (tag, f'"another", {tag}', "*", tag.removeprefix("W/")):
            again = house.ask("GET", path, by="usr_owner", headers={"If-None-Match": named})
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag), (path, named)
            assert again.headers["X-Request-Id"]
            assert "content-type" not in again.headers
        other = house.ask("GET", path, by="usr_owner", headers={"If-None-Match": '"another"'})
        assert (other.status_code, other.json()) == (200, first.json()), path
        kept = "no-cache" if path.startswith(PUBLIC) else "no-store"
        assert first.headers["Cache-Control"] == kept, path


def test_a_change_is_another_tag(house: House) -> None:
    for path, by in (
        (PUBLIC, None),
        (f"{PUBLIC}/{house.organization_id}/funds", None),
        ("/funds", "usr_viewer"),
    ):
        before = house.ask("GET", path, by=by).headers["ETag"]
        house.ask("POST", "/funds", by="usr_owner", json={"name": f"Fund for {path[-6:]} {by}"})
        house.run("UPDATE organization SET name = name || '.'")
        answer = house.ask("GET", path, by=by, headers={"If-None-Match": before})
        assert answer.status_code == 200, path
        assert answer.headers["ETag"] != before


def test_whoever_may_not_read_is_told_that_and_no_tag(house: House) -> None:
    tag = house.ask("GET", "/gifts", by="usr_owner").headers["ETag"]
    for who, status in (("usr_content", 403), ("usr_stranger", 404), (None, 401)):
        answer = house.ask("GET", "/gifts", headers={"If-None-Match": tag}, by=who)
        assert answer.status_code == status
        assert "ETag" not in answer.headers


def test_the_problem_of_a_list_is_no_answer_to_keep(house: House) -> None:
    answer = house.ask("GET", f"{PUBLIC}/org_nobody", headers={"If-None-Match": "*"})
    assert code(answer) == (404, "organization_not_found")


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        (PUBLIC, "country, cursor, expand, limit, slug, sort"),
        ("/gifts", "before, currency, cursor, expand, fund_id, limit, since, sort, status"),
        ("/payouts", "before, currency, cursor, limit, since, sort, status"),
        ("/audit", "action, actor, cursor, limit, since, until"),
    ],
)
def test_what_a_list_does_not_know_is_refused_in_one_sentence(house: House, path: str, takes: str) -> None:
    answer = house.ask("GET", f"{path}?limit=1&name=x", by="usr_owner")
    assert code(answer) == (422, "parameter_not_known")
    assert answer.json()["detail"] == f"Leave out what this list does not know: it takes {takes}."
    for wrong, param in (("limit=101", "limit"), ("sort=-amount", "sort"), ("expand=donor", "expand.0")):
        if param.partition(".")[0] in takes:
            answer = house.ask("GET", f"{path}?{wrong}", by="usr_owner")
            assert code(answer) == (422, "invalid_request")


def test_a_cursor_of_another_list_or_order_is_refused(house: House) -> None:
    stranger = cursor_of("payouts:created_at", ["2026-01-01T00:00:00+00:00", "po_1"])
    naive = cursor_of("gifts:-created_at", ["2026-01-01", "don_1"])
    no_day = cursor_of("gifts:-created_at", ["tomorrow", "don_1"])
    for path in ("/gifts", "/payouts", "/audit", PUBLIC):
        for cursor in ("don_1", stranger, naive, no_day, "x" * 2_000):
            answer = house.ask("GET", f"{path}?cursor={cursor}", by="usr_owner")
            assert code(answer) == (422, "cursor_not_acceptable"), (path, cursor)
    assert house.ask("GET", f"/payouts?sort=created_at&cursor={stranger}", by="usr_owner").status_code == 200


def test_organisations_are_sorted_filtered_and_shown_with_their_funds(house: House) -> None:
    house.ask("POST", "/funds", by="usr_owner", json={"name": "Wells"})
    house.run("UPDATE organization SET country = 'FR', name = 'AAA' WHERE id = :id", id=house.other_id)
    mine, other = house.organization_id, house.other_id

    def listed(query: str) -> list[str]:
        return [each["id"] for each in house.client.get(f"{PUBLIC}?{query}").json()["data"]]

    assert listed("sort=name") == listed("sort=-name")[::-1] == [other, mine]
    assert listed("sort=-created_at") == listed("sort=created_at")[::-1]
    assert listed("country=FR") == listed("slug=hill-trust") == [other]
    found = house.client.get(f"{PUBLIC}?expand=funds&sort=name").json()["data"]
    assert [[fund["name"] for fund in each["funds"]] for each in found] == [[], ["Wells"]]
    assert house.client.get(f"{PUBLIC}/{mine}?expand=funds").json()["funds"][0]["name"] == "Wells"
    assert house.client.get(f"{PUBLIC}/{mine}").json()["funds"] is None
    assert code(house.client.get(f"{PUBLIC}?expand=funds&limit=21")) == (422, "page_too_large")


def test_records_are_searched_by_their_organisation(house: House) -> None:
    house.ask("POST", "/funds", by="usr_owner", json={"name": "Wells"})
    house.ask("POST", "/funds", by="usr_admin", json={"name": "Trees"})
    house.key("organisation:read")

    def found(query: str) -> int:
        return len(house.ask("GET", f"/audit?{query}", by="usr_owner").json()["data"])

    assert found("action=fund.created") == 2
    second, first = house.ask("GET", "/audit?action=fund.created", by="usr_owner").json()["data"]
    for record in (first, second):
        assert found(f"action=fund.created&actor=person:{record['actor']['id']}") == 1
    assert found("since=2030-01-01T00:00:00Z") == found("until=2020-01-01T00:00:00Z") == 0
    assert found("") == 3
