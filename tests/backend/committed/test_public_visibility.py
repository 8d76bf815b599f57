"""Sums by day and kind, and what an organisation chose to show."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amply.entrypoints.admin import main as admin
from amply.modules import ledger, organizations
from amply.modules.ledger import days
from ledger_format.merkle import leaf_hash
from tests.backend.api_world import assert_problem
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW
from tests.backend.public_ledger import HIDDEN, SUMS, WEEK_LATE, PublicLedger


def test_days_and_totals_add_up_what_was_published(public: PublicLedger) -> None:
    for minor_units, days_ago in ((100, 2), (200, 2), (300, 1)):
        public.post(minor_units=minor_units, days_ago=days_ago)
    public.post(minor_units=7, kind="processor.fee", days_ago=1)
    public.publish()
    public.post(minor_units=10_000)
    public.books.sequence()
    ledger.fold_days(public.books.app)

    found = public.get("/days").json()
    assert found["summed_size"] == 4
    assert [(day["day"], day["kind"], day["entries"], day["amount"]) for day in found["data"]] == [
        ("2026-11-20", "donation.succeeded", 1, "300"),
        ("2026-11-20", "processor.fee", 1, "7"),
        ("2026-11-19", "donation.succeeded", 2, "300"),
    ]
    totals = public.get("/totals").json()["data"]
    assert [(total["kind"], total["currency"], total["entries"], total["amount"]) for total in totals] == [
        ("donation.succeeded", "EUR", 3, "600"),
        ("processor.fee", "EUR", 1, "7"),
    ]


def test_folding_in_any_pieces_gives_the_same_sums(
    public: PublicLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        public.post(minor_units=100 + number, days_ago=number % 3)
    public.publish()
    at_once = public.get("/days").json()["data"]
    with public.books.app.transaction() as session:
        session.execute(text("UPDATE ledger_day_fold SET folded_to = 0"))
    monkeypatch.setattr(days, "FOLD_LEAVES_MAX", 3)
    with public.books.app.transaction() as session:
        session.execute(text("UPDATE ledger_day SET entries = 0, amount_minor = 0"))
    assert ledger.fold_days(public.books.app) == 20
    assert public.get("/days").json()["data"] == at_once
    assert ledger.fold_days(public.books.app) == 0


def test_sums_wider_than_64_bits_stay_exact(public: PublicLedger) -> None:
    for _ in range(3):
        public.post(minor_units=2**63 - 1)
    public.publish()
    (total,) = public.get("/totals").json()["data"]
    assert total["amount"] == str(3 * (2**63 - 1))


@pytest.mark.parametrize(
    "period",
    [
        {"from": "2026-11-02", "until": "2026-11-01"},
        {"from": "2026-11-01", "until": "2026-11-01"},
        {"from": "2020-01-01", "until": "2026-11-01"},
    ],
)
def test_a_period_of_days_is_bounded(public: PublicLedger, period: dict[str, str]) -> None:
    public.post()
    public.publish()
    assert_problem(public.get("/days", **period), status=422, code="period_not_acceptable", param="from")


def test_without_a_choice_everything_is_shown(public: PublicLedger) -> None:
    public.post()
    public.publish()
    page = public.get().json()
    assert page["visibility"] == {"policy": "full", "delay_days": None, "minimum": None}
    assert len(page["data"]) == 1


def test_sums_hide_entries_small_groups_and_the_day_that_is_not_over(public: PublicLedger) -> None:
    for days_ago, entries in ((0, 5), (1, 2), (2, 3)):
        for _ in range(entries):
            public.post(days_ago=days_ago)
    public.publish()
    public.show(SUMS)
    for path in ("", "/export"):
        assert_problem(public.get(path), status=404, code="ledger_shown_in_sums")
    shown = public.get("/days").json()["data"]
    assert [(day["day"], day["entries"]) for day in shown] == [("2026-11-19", 3)]
    (total,) = public.get("/totals").json()["data"]
    assert (total["entries"], total["amount"]) == (3, "7500"), "a total tells nothing that no day tells"


def test_delay_hides_what_is_young_from_pages_sums_and_files(public: PublicLedger) -> None:
    for days_ago in (9, 8, 7, 6, 0):
        public.post(days_ago=days_ago)
    public.publish()
    public.show(WEEK_LATE)
    assert [entry["sequence"] for entry in public.every_page()] == [2, 1, 0]
    assert [day["day"] for day in public.get("/days").json()["data"]] == ["2026-11-13", "2026-11-12"]
    (total,) = public.get("/totals").json()["data"]
    assert total["entries"] == 2, "the seventh day is not over"
    lines = public.get("/export", format="jsonl").text.splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [0, 1, 2]
    public.clock.advance(days=1)
    assert [entry["sequence"] for entry in public.every_page()] == [3, 2, 1, 0]


def test_hidden_pages_say_so_and_the_log_still_finds_the_entry(public: PublicLedger) -> None:
    posted = public.post()
    public.publish()
    public.show(HIDDEN)
    for path in ("", "/days", "/totals", "/export"):
        refused = public.get(path)
        assert_problem(refused, status=404, code="ledger_not_shown")
        assert "public log" in refused.json()["detail"]
    assert public.client.get(f"/v1/public/entries/{posted}").json()["index"] == 0
    (leaf,) = public.books.leaves()
    found = public.client.get("/v1/public/log/search", params={"leaf_hash": leaf_hash(leaf).hex()}).json()
    assert (found["index"], found["published"]) == (0, True)


@pytest.mark.parametrize(
    ("visibility", "numbers"),
    [
        ("full", {"delay_days": 1}),
        ("full", {"minimum": 3}),
        ("internal", {"minimum": 3}),
        ("delayed", {}),
        ("delayed", {"delay_days": 0}),
        ("delayed", {"delay_days": 1_097}),
        ("delayed", {"delay_days": 7, "minimum": 3}),
        ("aggregated", {}),
        ("aggregated", {"minimum": 1}),
        ("aggregated", {"minimum": 1_001}),
    ],
)
def test_a_policy_needs_its_own_number_and_the_table_holds_it_to_that(
    public: PublicLedger, visibility: str, numbers: dict[str, int]
) -> None:
    with pytest.raises(ledger.VisibilityNotAcceptable):
        ledger.VisibilityPolicy(visibility=ledger.Visibility(visibility), **numbers)
    row = {"policy": visibility, "delay_days": None, "minimum": None, **numbers}
    with pytest.raises(IntegrityError), public.books.app.transaction() as session:
        session.execute(
            text("INSERT INTO ledger_visibility VALUES ('org_x', :policy, :delay_days, :minimum, now())"), row
        )


def test_an_operator_chooses_for_an_organisation(
    public: PublicLedger, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with public.books.app.transaction() as session:
        made = organizations.create(session, name="River Trust", slug="river", country="DE", now=NOW)
    databases.sign_commands_in(monkeypatch, user="amply_operator")
    command = ["organization", "visibility", "--id", made.id, "--policy", "delayed"]
    done = CliRunner().invoke(admin, [*command, "--days", "30"])
    assert done.exit_code == 0, done.output
    with public.books.app.transaction() as session:
        chosen = ledger.visibility_of(session, organization_id=made.id)
    assert chosen == ledger.VisibilityPolicy(visibility=ledger.Visibility.DELAYED, delay_days=30)
    refused = CliRunner().invoke(admin, command)
    assert isinstance(refused.exception, ledger.VisibilityNotAcceptable)
