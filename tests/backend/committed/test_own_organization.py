"""An organisation as its own people and programs see and change it: itself, its funds, its gifts, its payouts."""

from typing import Any, Final
from urllib.parse import quote

import pytest

from amply.modules.payouts import PayoutStatus
from tests.backend.member_world import House
from tests.backend.payout_world import PAYOUT, RECONCILED, Treasury, euros, of_payout, transaction
from tests.backend.statements import heard

READERS: Final = ("usr_owner", "usr_admin", "usr_finance")


@pytest.fixture
def treasury(house: House) -> Treasury:
    """The same organisation with a gift, and a payout of it that is reconciled."""
    made = Treasury(house.database)
    assert made.organization_id == house.organization_id
    made.succeed()
    made.remote.items = [of_payout(), transaction()]
    made.hear(RECONCILED, PayoutStatus.PAID, bank_reference="TRACE7")
    made.sequencer = house.databases.as_role("amply_sequencer")
    made.sequence()
    return made


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def give(house: House, number: int, *, of: str | None = None, **changes: Any) -> str:
    body = {
        "organization_id": of or house.organization_id,
        "amount": {"minor_units": str(2500 + number), "currency": "EUR"},
        "donor": {"name": f"Ada {number}", "email": f"ada{number}@example.org"},
        "message": f"word {number}",
        **changes,
    }
    made = house.client.post("/v1/donations", json=body, headers={"Idempotency-Key": f"gift-{number}-{of}"})
    assert made.status_code == 201, made.text
    donation_id: str = made.json()["id"]
    return donation_id


def change(house: House, body: Any, *, tag: str | None = None, **who: Any) -> Any:
    tag = tag or house.ask("GET", "", by="usr_viewer").headers["ETag"]
    return house.ask("PATCH", "", json=body, headers={"If-Match": tag}, **who)


def test_what_is_changed_is_what_anybody_sees_next(house: House) -> None:
    asked = {
        "name": "River & Sea",
        "takes_anonymous_gifts": True,
        "return_origins": ["https://River.example/", "https://river.example", "http://localhost:8080"],
    }
    changed = change(house, asked, by="usr_admin")
    assert changed.status_code == 200, changed.text
    public = house.client.get(f"/v1/public/organisations/{house.organization_id}").json()
    assert {name: public[name] for name in asked} == {
        "name": "River & Sea",
        "takes_anonymous_gifts": True,
        "return_origins": ["https://river.example", "http://localhost:8080"],
    }
    part = change(house, {"takes_anonymous_gifts": False}, by="usr_owner").json()
    assert (part["name"], part["takes_anonymous_gifts"]) == ("River & Sea", False)
    assert part["return_origins"] == public["return_origins"]
    other = house.client.get(f"/v1/public/organisations/{house.other_id}").json()
    assert other["name"] == "River Trust", "and of nobody else"


def test_of_two_who_change_it_the_second_is_told(house: House) -> None:
    seen = house.ask("GET", "", by="usr_owner").headers["ETag"]
    first = change(house, {"name": "First"}, by="usr_owner", tag=seen)
    assert first.headers["ETag"] == house.ask("GET", "", by="usr_viewer").headers["ETag"] != seen
    assert code(change(house, {"name": "Second"}, by="usr_admin", tag=seen)) == (412, "changed_meanwhile")
    assert code(house.ask("PATCH", "", by="usr_admin", json={"name": "Third"})) == (428, "if_match_missing")
    assert house.ask("GET", "", by="usr_viewer").json()["name"] == "First"


def test_anothers_organisation_is_answered_as_one_that_does_not_exist(house: House) -> None:
    nobodys = f"org_{'0' * 26}"

    def told(organization_id: str, **who: Any) -> Any:
        answer = house.ask("GET", "", of=organization_id, **who)
        return answer.status_code, {**answer.json(), "request_id": ""}

    _, secret = house.key("organisation:read")
    public = house.client.get(f"/v1/public/organisations/{nobodys}")
    expected = (404, {**public.json(), "request_id": ""})
    for who in ({"by": "usr_owner"}, {"key": secret}):
        assert told(house.other_id, **who) == told(nobodys, **who) == expected


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"name": "  "}, (422, "organization_not_acceptable")),
        ({"return_origins": ["https://river.example/path"]}, (422, "return_origin_not_acceptable")),
        ({"return_origins": [f"https://r{n}.example" for n in range(11)]}, (409, "too_many_return_origins")),
        ({"country": "FR"}, (422, "invalid_request")),
    ],
)
def test_what_cannot_be_so_is_refused_and_nothing_is_changed(
    house: House, body: Any, found: tuple[int, str]
) -> None:
    before = house.ask("GET", "", by="usr_owner").json()
    assert code(change(house, {"takes_anonymous_gifts": True, **body}, by="usr_owner")) == found
    assert house.ask("GET", "", by="usr_owner").json() == before


def test_funds_are_created_renamed_until_somebody_gives_for_them_and_closed(house: House) -> None:
    made = house.ask("POST", "/funds", by="usr_content", json={"name": " Wells ", "kind": "project"})
    assert (made.status_code, made.json()["name"], made.json()["kind"]) == (201, "Wells", "project")
    again = house.ask("POST", "/funds", by="usr_content", json={"name": "Wells", "kind": "project"})
    assert again.json() == made.json()
    fund = made.json()["id"]
    renamed = house.ask("PATCH", f"/funds/{fund}", by="usr_content", json={"name": "Deep wells"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Deep wells")
    house.ask("POST", "/funds", by="usr_content", json={"name": "Schools"})
    taken = house.ask("PATCH", f"/funds/{fund}", by="usr_content", json={"name": "Schools"})
    assert code(taken) == (409, "fund_taken")

    give(house, 1, fund_id=fund)
    kept = house.ask("PATCH", f"/funds/{fund}", by="usr_content", json={"name": "Something else"})
    assert code(kept) == (409, "fund_taken")
    assert "Gifts were made" in kept.json()["detail"]
    closed = house.ask("POST", f"/funds/{fund}/close", by="usr_content")
    assert (closed.status_code, closed.json()["is_open"]) == (200, False)
    listed = house.ask("GET", "/funds", by="usr_viewer").json()["data"]
    assert [each["name"] for each in listed] == ["Deep wells", "Schools"]


def test_anothers_fund_is_none(house: House) -> None:
    theirs = house.ask("POST", "/funds", by="usr_stranger", of=house.other_id, json={"name": "Theirs"}).json()
    for method, path, body in (("PATCH", "", {"name": "Mine"}), ("POST", "/close", None)):
        answer = house.ask(method, f"/funds/{theirs['id']}{path}", by="usr_owner", json=body)
        assert code(answer) == (404, "fund_not_found")


def test_gifts_are_listed_newest_first_page_by_page(house: House) -> None:
    mine = [give(house, number) for number in range(5)]
    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = f"?limit=2{f'&cursor={cursor}' if cursor else ''}"
        page = house.ask("GET", f"/gifts{query}", by="usr_finance").json()
        found += [gift["id"] for gift in page["data"]]
        cursor = page["next_cursor"]
        assert page["has_more"] == (cursor is not None)
    assert found == mine[::-1]
    assert cursor is None
    oldest = house.ask("GET", "/gifts?sort=created_at&limit=5", by="usr_finance").json()["data"]
    assert [gift["id"] for gift in oldest] == mine


def test_gifts_are_chosen_by_what_is_known_of_them(house: House) -> None:
    fund = house.ask("POST", "/funds", by="usr_owner", json={"name": "Wells"}).json()["id"]
    first = give(house, 1)
    house.clock.advance(days=1)
    second = give(house, 2, fund_id=fund, amount={"minor_units": "500", "currency": "GBP"})
    day = quote("2026-11-22T00:00:00+00:00")

    def chosen(query: str) -> list[str]:
        return [gift["id"] for gift in house.ask("GET", f"/gifts?{query}", by="usr_owner").json()["data"]]

    assert chosen(f"fund_id={fund}") == chosen("currency=GBP") == chosen(f"since={day}") == [second]
    assert chosen(f"before={day}") == [first]
    assert chosen("status=pending") == [second, first]
    assert chosen("status=succeeded") == chosen(f"currency=EUR&fund_id={fund}") == []
    for wrong in (
        "status=lost",
        "currency=eur",
        "since=2026-11-22",
        "since=2026-11-22T00:00:00",
        "limit=101",
    ):
        assert house.ask("GET", f"/gifts?{wrong}", by="usr_owner").status_code == 422, wrong


def test_who_gave_is_told_to_those_who_may_know_as_far_as_the_donor_lets_it(house: House) -> None:
    change(house, {"takes_anonymous_gifts": True}, by="usr_owner")
    named = give(house, 1, anonymity="none")
    hidden = give(house, 2, anonymity="organization")
    _, secret = house.key("donations:read")

    def seen(donation_id: str, **who: Any) -> Any:
        gift = house.ask("GET", f"/gifts/{donation_id}", **who).json()
        listed = house.ask("GET", "/gifts", **who).json()["data"]
        assert gift in listed
        return gift["donor"], gift["message"], gift["may_be_named"]

    assert seen(named, by="usr_owner") == (None, None, True), "who began and left is not theirs to know"
    house.arrive()
    told = ({"name": "Ada 1", "email": "ada1@example.org"}, "word 1", True)
    for who in (*({"by": each} for each in READERS), {"key": secret}):
        assert seen(named, **who) == told
        assert seen(hidden, **who) == (None, "word 2", False)
    assert seen(named, by="usr_viewer") == (None, None, True)


def test_anothers_gift_is_none(house: House) -> None:
    theirs = give(house, 1, of=house.other_id)
    callers: tuple[dict[str, Any], ...] = ({"by": "usr_owner"}, {"key": house.key("donations:read")[1]})
    for who in callers:
        assert code(house.ask("GET", f"/gifts/{theirs}", **who)) == (404, "donation_not_found")
        assert house.ask("GET", "/gifts", **who).json()["data"] == []


def test_a_page_of_gifts_costs_the_same_statements_however_long_it_is(house: House) -> None:
    _, secret = house.key("donations:read")
    asked: list[str] = []

    def cost(**who: Any) -> int:
        asked.clear()
        with heard(house.own, lambda statement, _: asked.append(statement)):
            assert house.ask("GET", "/gifts", **who).status_code == 200
        return len(asked)

    give(house, 0)
    cost(key=secret)
    few = cost(key=secret), cost(by="usr_owner")
    for number in range(1, 8):
        give(house, number)
    # A key is found; a person's role is asked for. Then who acts is bound, and the gifts are read.
    assert (cost(key=secret), cost(by="usr_owner")) == few == (3, 4)


def test_a_page_of_gifts_is_read_by_an_index(house: House) -> None:
    give(house, 1)
    with house.own.transaction(organization_id=house.organization_id, person_id="usr_owner") as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.exec_driver_sql(
            "EXPLAIN SELECT * FROM organization_gift WHERE (created_at, id) < (now(), 'don_x')"
            " ORDER BY created_at DESC, id DESC LIMIT 21"
        )
        lines = "\n".join(row[0] for row in plan)
    assert "Index Scan Backward using ix_donation_begun" in lines, lines


@pytest.mark.usefixtures("treasury")
def test_payouts_are_read_with_their_reports_by_those_who_may(house: House) -> None:
    _, secret = house.key("payouts:read")
    callers: tuple[dict[str, Any], ...] = ({"by": "usr_finance"}, {"by": "usr_viewer"}, {"key": secret})
    for who in callers:
        (payout,) = house.ask("GET", "/payouts", **who).json()["data"]
        assert (payout["id"], payout["amount"], payout["reconciled"]) == (PAYOUT, "2437", True)
        assert {step["index"] for step in payout["steps"]} == {None}, (
            "no log shows it yet, to its own it is shown"
        )
        report = house.ask("GET", f"/payouts/{PAYOUT}/report?format=disbursement", **who)
        assert report.status_code == 200, report.text
        assert report.headers["content-type"] == "text/csv; charset=utf-8"
        assert "Bank Reference ID,TRACE7" in report.text
        for file_format in ("csv", "journal", "quickbooks"):
            assert (
                house.ask("GET", f"/payouts/{PAYOUT}/report?format={file_format}", **who).status_code == 200
            )
    assert house.ask("GET", "/payouts", by="usr_stranger", of=house.other_id).json()["data"] == []
    theirs = house.ask("GET", f"/payouts/{PAYOUT}/report", by="usr_stranger", of=house.other_id)
    assert code(theirs) == (404, "payout_not_found")


def test_a_payout_whose_items_are_not_known_yet_has_no_report(house: House) -> None:
    treasury = Treasury(house.database)
    treasury.succeed()
    treasury.hear("payout.created", PayoutStatus.PENDING, amount=euros(2437))
    answer = house.ask("GET", f"/payouts/{PAYOUT}/report", by="usr_finance")
    assert code(answer) == (409, "payout_report_not_ready")


def test_owners_alone_choose_what_the_ledgers_pages_show_and_it_is_recorded(house: House) -> None:
    full = {"policy": "full", "delay_days": None, "minimum": None}
    late = {"policy": "delayed", "delay_days": 30}
    assert house.ask("GET", "", by="usr_viewer").json()["ledger_visibility"] == full
    assert change(house, {"name": "Sea", "ledger_visibility": full}, by="usr_admin").status_code == 200
    _, secret = house.key("organisation:write")
    for who in ({"by": "usr_admin"}, {"key": secret}):
        refused = change(house, {"name": "Hill", "ledger_visibility": late}, **who)
        assert code(refused) == (403, "not_allowed")
    wrong = change(house, {"ledger_visibility": {"policy": "delayed"}}, by="usr_owner")
    assert code(wrong) == (422, "visibility_not_acceptable")
    chosen = change(house, {"ledger_visibility": late}, by="usr_owner")
    assert chosen.json()["ledger_visibility"] == {**late, "minimum": None}
    assert chosen.json()["name"] == "Sea", "what was refused changed nothing"
    assert [
        tuple(row) for row in house.rows("SELECT organization_id, policy, delay_days FROM ledger_visibility")
    ] == [(house.organization_id, "delayed", 30)]
    recorded = house.ask("GET", "/audit", by="usr_owner").json()["data"]
    assert [each["action"] for each in recorded].count("organization.visibility_set") == 1


def test_a_gift_names_the_recurring_one_it_was_collected_for(house: House) -> None:
    single, monthly = give(house, 1), give(house, 2)
    plan_id = f"pln_{'0' * 26}"
    house.run(
        "INSERT INTO plan (id, organization_id, account_id, minor_units, currency, every, first_month, day_of_month,"
        " time_zone, status, created_at, updated_at) VALUES (:id, :organization_id, 'acct_1', 2502, 'EUR', 'month',"
        " '2026-01-01', 15, 'Europe/Berlin', 'active', now(), now())",
        id=plan_id,
        organization_id=house.organization_id,
    )
    house.run("UPDATE donation SET plan_id = :plan_id WHERE id = :id", plan_id=plan_id, id=monthly)
    listed = house.ask("GET", "/gifts", by="usr_viewer").json()["data"]
    assert {each["id"]: each["plan_id"] for each in listed} == {single: None, monthly: plan_id}
