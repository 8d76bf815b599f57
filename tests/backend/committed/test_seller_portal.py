"""What an organisation sees of its data: nobody's choice, nobody else's data, and nothing where nothing is sold."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from amply.entrypoints import application
from amply.modules.access import Role
from amply.modules.seller_portal import SHARED
from tests.backend.given_months import first_gift, gave, put
from tests.backend.member_world import House
from tests.backend.seller_data import certificate_text


@pytest.fixture
def seller(house: House) -> House:
    """With one gift that was begun just now."""
    first_gift(house.client, house.organization_id)
    return house


def happened(house: House, month: str, people: int, ticked: int = 0, withdrew: int = 0, **more: Any) -> None:
    gave(house.master, month, people, ticked, withdrew, **{"organization_id": house.organization_id, **more})


def seen(house: House, path: str, *, by: str = "usr_owner", **query: Any) -> Any:
    answer = house.ask("GET", f"/data/{path}", by=by, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def consents(house: House) -> list[tuple[str, str, str, str]]:
    def told(people: dict[str, Any]) -> str:
        return str(people["people"]) if people["said"] == "about" else people["said"]

    found = seen(house, "consents")
    assert found["degraded"] is False
    return [
        (each["month"], told(each["gave"]), told(each["ticked"]), told(each["withdrew"]))
        for each in found["data"]
    ]


def test_consents_are_told_by_month_in_numbers_that_tell_of_nobody(seller: House) -> None:
    happened(seller, "2026-10", 65, 45, 23, gifts=90)
    happened(seller, "2026-09", 25, 25, 4)
    happened(seller, "2026-08", 19, 19, 19)
    happened(seller, "2026-07", 400, 19)
    assert consents(seller) == [
        ("2026-10", "60", "40", "20"),
        ("2026-09", "20", "nearly_all", "fewer"),
        ("2026-08", "fewer", "fewer", "fewer"),
        ("2026-07", "400", "fewer", "fewer"),
    ]


def test_the_present_month_is_not_told(seller: House) -> None:
    """Whoever looked before and after a gift would know what its donor chose."""
    happened(seller, "2026-11", 65, 45)
    happened(seller, "2025-11", 30, 5)
    happened(seller, "2025-10", 30, 5)
    assert consents(seller) == [("2025-11", "30", "fewer", "fewer")]


def test_only_who_saw_a_form_and_gave_is_counted(seller: House) -> None:
    happened(seller, "2026-10", 40, 21)
    happened(seller, "2026-10", 50, status="failed")
    happened(seller, "2026-10", 60, method="cash")
    happened(seller, "2026-10", 70, organization_id=seller.other_id)
    happened(seller, "2026-10", 80, status="pending")
    assert consents(seller) == [("2026-10", "40", "nearly_all", "fewer")]
    assert seen(seller, "consents", by="usr_finance") == seen(seller, "consents")


def test_later_gifts_of_a_plan_are_asked_by_no_form(seller: House) -> None:
    happened(seller, "2026-10", 100)
    put(
        seller.master,
        """
        INSERT INTO plan_charge (plan_id, period, due_on, minor_units, currency, state, donation_id, opened_at, updated_at)
        SELECT 'plan_' || id, CASE WHEN row_number() OVER (ORDER BY id) <= 30 THEN 1 ELSE 0 END, '2026-10-15', 2500, 'EUR',
            'paid', id, now(), now()
        FROM donation WHERE status = 'succeeded'
        """,
    )
    assert consents(seller) == [("2026-10", "70", "fewer", "fewer")]


def test_where_nothing_is_sold_every_answer_is_empty_and_says_so(house: House) -> None:
    house.stall.dataset("cafes", owner=house.organization_id, latest=1)
    with TestClient(application.create(replace(house.parts, seller_data=None))) as client:
        house.client, enabled = client, house.client
        empty = {"degraded": True, "data": []}
        page = {**empty, "has_more": False, "next_cursor": None}
        assert seen(house, "consents") == empty
        assert seen(house, "datasets") == {**page, "shared": None}
        assert seen(house, "datasets/cafes/releases") == page
        assert seen(house, "datasets/cafes/usage") == page
        assert seen(house, "revenue") == page
        nothing: dict[str, Any] = {
            "degraded": True,
            "filename": None,
            "text": None,
            "sha256": None,
            "parts": [],
        }
        assert seen(house, "datasets/cafes/releases/1/certificate") == nothing
        house.client = enabled
    with TestClient(application.create(replace(house.parts, consents=None))) as client:
        house.client, enabled = client, house.client
        assert seen(house, "consents") == empty, "nobody is asked"
        house.client = enabled


def test_an_organisation_sees_its_own_datasets_and_the_one_of_all_gifts(house: House) -> None:
    for name in ("arcades", "bakeries", "cafes"):
        house.stall.source(name, owner=house.organization_id)
    house.stall.dataset("bakeries", owner=house.organization_id, refused="too few people in 3 of 4 classes")
    house.stall.dataset("theirs", owner=house.other_id, latest=1)
    house.stall.dataset(SHARED, owner="amply", latest=2)
    first = seen(house, "datasets", limit=2)
    assert [(each["id"], each["latest_release"], each["refused"]) for each in first["data"]] == [
        ("arcades", None, None),
        ("bakeries", None, "too few people in 3 of 4 classes"),
    ]
    assert (first["shared"]["id"], first["shared"]["latest_release"]) == (SHARED, 2)
    rest = seen(house, "datasets", limit=2, cursor=first["next_cursor"])
    assert ([each["id"] for each in rest["data"]], rest["has_more"], rest["shared"]) == (
        ["cafes"],
        False,
        None,
    )


@pytest.mark.parametrize("what", ["releases", "releases/1/certificate", "usage"])
def test_anothers_dataset_is_answered_as_one_that_is_not_there(house: House, what: str) -> None:
    house.stall.dataset("theirs", owner=house.other_id, latest=1)
    house.stall.release("theirs", 1)
    answers = [
        house.ask("GET", f"/data/datasets/{name}/{what}", by="usr_owner") for name in ("theirs", "nobodys")
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (404, "sold_dataset_not_found")
    ] * 2
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    theirs = house.ask("GET", f"/data/datasets/theirs/{what}", by="usr_stranger", of=house.other_id)
    assert theirs.status_code == 200


def test_releases_come_in_pages_with_what_they_promise(house: House) -> None:
    house.stall.dataset("cafes", owner=house.organization_id, latest=3)
    for number in (1, 2, 3):
        house.stall.release("cafes", number, withdrawn=number == 2)
    first = seen(house, "datasets/cafes/releases", limit=2)
    assert [(each["number"], each["withdrawn_at"]) for each in first["data"]] == [
        (3, None),
        (2, "2026-11-01T06:00:00.000Z"),
    ]
    newest = first["data"][0]
    assert (newest["rows"], newest["k"], newest["l_min"], newest["policy"]) == (4120, 21, 3, "donations-v1")
    rest = seen(house, "datasets/cafes/releases", limit=2, cursor=first["next_cursor"])
    assert ([each["number"] for each in rest["data"]], rest["has_more"]) == ([1], False)


def test_a_certificate_is_given_as_it_was_signed(house: House) -> None:
    house.stall.dataset(SHARED, owner="amply", latest=2)
    house.stall.release(SHARED, 2)
    told = seen(house, f"datasets/{SHARED}/releases/2/certificate", by="usr_finance")
    assert told["text"] == certificate_text(SHARED, 2)
    assert told["filename"] == "donations-000002.certificate"
    (part,) = told["parts"]
    assert (part["people"], part["k"], part["l_min"], part["t_max"], part["loss"]) == (
        2310,
        21,
        3,
        "0.218",
        "0.31",
    )
    missing = house.ask("GET", f"/data/datasets/{SHARED}/releases/3/certificate", by="usr_owner")
    assert (missing.status_code, missing.json()["code"]) == (404, "data_release_not_found")


def test_a_certificate_that_is_not_the_one_that_was_released_is_not_given(house: House) -> None:
    house.stall.dataset("cafes", owner=house.organization_id, latest=1)
    house.stall.release("cafes", 1)
    (place,) = house.stall.certificates
    house.stall.certificates[place] += b"more"
    answer = house.ask("GET", "/data/datasets/cafes/releases/1/certificate", by="usr_owner")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


def test_use_is_told_by_month_and_contract_and_names_no_buyer(house: House) -> None:
    house.stall.dataset("cafes", owner=house.organization_id, latest=1)
    for month, contract in (("2026-09", "dct_a"), ("2026-10", "dct_a"), ("2026-10", "dct_b")):
        house.stall.use("cafes", month, contract, answers=2)
    first = seen(house, "datasets/cafes/usage", limit=2)
    assert first["data"] == [
        {"month": "2026-10", "contract_id": name, "answers": 2, "files": 4, "bytes": 2000}
        for name in ("dct_b", "dct_a")
    ]
    rest = seen(house, "datasets/cafes/usage", limit=2, cursor=first["next_cursor"])
    assert ([each["month"] for each in rest["data"]], rest["has_more"]) == (["2026-09"], False)


def test_revenue_leads_to_the_ledger(house: House) -> None:
    house.stall.share(house.organization_id, "2026-09", "ent_published#0", 1234)
    house.stall.share(house.organization_id, "2026-10", "ent_waiting#0", -34)
    house.stall.share(house.other_id, "2026-10", "ent_others#0", 99)
    put(
        house.master,
        "INSERT INTO leaf (idx, entry_id, org, org_seq, bytes) VALUES (0, 'ent_published', 'org', 0, '{}')",
        "INSERT INTO checkpoint (size, root, note, created_at, published_at) VALUES (1, sha256(''), 'n', now(), now())",
    )
    first = seen(house, "revenue", by="usr_finance", limit=1)
    assert first["data"] == [
        {
            "period": "2026-10",
            "dataset_id": "gifts_by_age",
            "amount": {"minor_units": "-34", "currency": "EUR"},
            "transfer_id": "ent_waiting#0",
            "entry_id": "ent_waiting",
            "index": None,
        }
    ]
    (rest,) = seen(house, "revenue", cursor=first["next_cursor"])["data"]
    assert (rest["entry_id"], rest["index"], rest["amount"]["minor_units"]) == ("ent_published", 0, "1234")


def test_what_data_brings_is_for_owners_and_finance(house: House) -> None:
    asked = {role: house.ask("GET", "/data/revenue", by=f"usr_{role}").status_code for role in Role}
    assert asked == {role: 200 if role in (Role.OWNER, Role.FINANCE) else 403 for role in Role}


def test_a_cursor_of_another_list_or_of_nobodys_is_refused(house: House) -> None:
    house.stall.dataset("cafes", owner=house.organization_id, latest=3)
    house.stall.dataset("bakeries", owner=house.organization_id, latest=3)
    for name in ("cafes", "bakeries"):
        for number in (1, 2, 3):
            house.stall.release(name, number)
    given = seen(house, "datasets/cafes/releases", limit=1)["next_cursor"]
    for path in ("datasets/bakeries/releases", "datasets/cafes/usage", "datasets", "revenue"):
        for cursor in (given, given[:-2], "x"):
            answer = house.ask("GET", f"/data/{path}", by="usr_owner", params={"cursor": cursor})
            assert (answer.status_code, answer.json()["code"]) == (422, "cursor_not_acceptable"), (
                path,
                cursor,
            )
