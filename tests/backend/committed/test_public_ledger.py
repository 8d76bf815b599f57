"""The ledger as strangers read it: pages, sums, files, search, and what an organisation chose to show."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amply.entrypoints import application
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import ledger, organizations
from amply.modules.ledger import days, exports, pages
from amply.modules.ledger import public as public_routes
from ledger_format.merkle import leaf_hash
from tests.backend.committed.test_http_api import assert_problem
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORG, OTHER_ORG, LedgerWorld
from tests.backend.world import FakeClock, FakeProcessor, NoLimit

LEDGER = f"/v1/public/organisations/{ORG}/ledger"


class PublicLedger:
    """A ledger with entries of several kinds and days, and a stranger who reads it with no more rights than the API."""

    def __init__(self, books: LedgerWorld, databases: Databases) -> None:
        self.books = books
        self.clock = FakeClock()
        self.limiter = NoLimit()
        self.own = databases.as_role("amply_api")
        app = application.create(
            application.Parts(
                database=self.own,
                processor=FakeProcessor(),
                verifier=None,
                limiter=self.limiter,
                clock=self.clock,
                livemode=False,
                log_url="http://edge.example/log",
                allowed_origins=("http://edge.example",),
                client_address_header="X-Amply-Client",
            )
        )
        self.client = TestClient(app, raise_server_exceptions=False)

    def post(
        self, *, minor_units: int = 2_500, days_ago: int = 0, kind: str = "donation.succeeded", org: str = ORG
    ) -> str:
        amount = Money(minor_units=minor_units, currency="EUR")
        moved = ledger.processor_fee if kind == "processor.fee" else ledger.donation_succeeded
        entry = replace(
            self.books.entry(organization_id=org, minor_units=minor_units),
            kind=kind,
            transfers=moved(organization_id=org, amount=amount),
            event_at=NOW - timedelta(days=days_ago),
            reference=None,
        )
        with self.books.app.transaction() as session:
            return ledger.post(session, entry=entry, now=NOW, secrets=self.books.secrets).id

    def publish(self) -> None:
        self.books.sequence()
        self.books.publish()
        ledger.fold_days(self.books.app)

    def show(self, policy: ledger.VisibilityPolicy) -> None:
        with self.books.app.transaction() as session:
            ledger.set_visibility(session, organization_id=ORG, policy=policy, now=NOW)

    def get(self, path: str = "", **query: Any) -> Any:
        return self.client.get(
            f"{LEDGER}{path}", params={name.rstrip("_"): value for name, value in query.items()}
        )

    def every_page(self, **query: Any) -> list[dict[str, Any]]:
        """All entries by following cursors, which must end."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        for _ in range(1_000):
            page = self.get(**query, **cursor).json()
            found += page["data"]
            assert page["has_more"] == (page["next_cursor"] is not None)
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}
        raise AssertionError("the pages did not end")


@pytest.fixture
def public(books: LedgerWorld, databases: Databases) -> Iterator[PublicLedger]:
    made = PublicLedger(books, databases)
    with made.client:
        yield made
    made.own.close()


FULL = ledger.VisibilityPolicy(visibility=ledger.Visibility.FULL)
SUMS = ledger.VisibilityPolicy(visibility=ledger.Visibility.AGGREGATED, minimum=3)
WEEK_LATE = ledger.VisibilityPolicy(visibility=ledger.Visibility.DELAYED, delay_days=7)
HIDDEN = ledger.VisibilityPolicy(visibility=ledger.Visibility.INTERNAL)


# ---- pages -----------------------------------------------------------------------------------------------------


def test_an_entry_is_shown_with_its_place_and_the_checkpoint_that_covers_it(public: PublicLedger) -> None:
    posted = public.post(minor_units=9_007_199_254_740_993)
    public.publish()
    later = public.post()
    public.books.sequence()

    page = public.get().json()
    newest, oldest = page["data"]
    assert (newest["id"], newest["published"], newest["checkpoint_size"]) == (later, False, None)
    (leaf, _) = public.books.leaves()
    assert oldest == {
        "id": posted,
        "index": 0,
        "sequence": 0,
        "kind": "donation.succeeded",
        "occurred_at": "2026-11-21T09:00Z",
        "transfers": [
            {
                "debit": f"{ORG}/processor_balance",
                "credit": f"{ORG}/gifts",
                "currency": "EUR",
                "amount": "9007199254740993",
                "phase": None,
                "pending": None,
            }
        ],
        **dict.fromkeys(("reference", "reverses", "supersedes", "matches", "reason")),
        "leaf_hash": ledger_hash(leaf),
        "published": True,
        "checkpoint_size": 1,
    }
    assert (page["published_size"], page["log_url"]) == (1, "http://edge.example/log")


def ledger_hash(leaf: bytes) -> str:
    return leaf_hash(leaf).hex()


def test_pages_hold_every_entry_once_newest_first_and_only_the_organisations_own(
    public: PublicLedger,
) -> None:
    for number in range(7):
        public.post(minor_units=100 + number)
        public.post(org=OTHER_ORG)
    public.publish()
    shown = public.every_page(limit=2)
    assert [entry["sequence"] for entry in shown] == [6, 5, 4, 3, 2, 1, 0]
    assert [entry["transfers"][0]["amount"] for entry in shown] == [str(106 - n) for n in range(7)]


def test_entries_that_arrive_while_one_reads_move_no_page(public: PublicLedger) -> None:
    for _ in range(4):
        public.post()
    public.publish()
    first = public.get(limit=2).json()
    public.post()
    public.publish()
    second = public.get(limit=2, cursor=first["next_cursor"]).json()
    assert [entry["sequence"] for entry in (*first["data"], *second["data"])] == [3, 2, 1, 0]


@pytest.mark.parametrize("is_folded", [True, False])
def test_kind_and_time_are_filters(public: PublicLedger, *, is_folded: bool) -> None:
    for days_ago in (40, 30, 20, 10, 0):
        public.post(days_ago=days_ago)
        public.post(days_ago=days_ago, kind="processor.fee")
    if is_folded:
        public.publish()
    else:
        public.books.sequence()
    fees = public.every_page(kind="processor.fee", limit=2)
    assert [entry["sequence"] for entry in fees] == [9, 7, 5, 3, 1]
    window = {"from": (NOW - timedelta(days=30)).isoformat(), "until": (NOW - timedelta(days=10)).isoformat()}
    assert [entry["sequence"] for entry in public.every_page(**window)] == [7, 6, 5, 4]
    assert [entry["sequence"] for entry in public.every_page(kind="processor.fee", **window)] == [7, 5]
    assert public.every_page(kind="payout.paid") == []


def test_a_filtered_page_looks_at_few_entries_and_says_that_there_may_be_more(
    public: PublicLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    public.post(kind="processor.fee")
    for _ in range(9):
        public.post()
    public.books.sequence()
    monkeypatch.setattr(pages, "SCAN_MAX", 4)
    first = public.get(kind="processor.fee").json()
    assert (first["data"], first["has_more"], first["next_cursor"]) == ([], True, "6")
    assert [entry["sequence"] for entry in public.every_page(kind="processor.fee")] == [0]


def test_days_tell_where_old_entries_are(public: PublicLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year of other entries is not walked through for one old payout."""
    public.post(kind="processor.fee", days_ago=300)
    for days_ago in range(299, 260, -1):
        public.post(days_ago=days_ago)
    public.publish()
    monkeypatch.setattr(pages, "SCAN_MAX", 4)
    first = public.get(kind="processor.fee").json()
    assert [entry["sequence"] for entry in first["data"]] == [0]
    assert not first["has_more"]


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ({"cursor": "-1"}, "invalid_request", "cursor"),
        ({"cursor": "9" * 19}, "invalid_request", "cursor"),
        ({"cursor": "x"}, "invalid_request", "cursor"),
        ({"limit": 0}, "invalid_request", "limit"),
        ({"limit": 101}, "invalid_request", "limit"),
        ({"kind": "Donation; DROP TABLE leaf"}, "invalid_request", "kind"),
        ({"from": "2026-11-21"}, "invalid_request", "from"),
        ({"from": "2026-11-21T00:00:00Z", "until": "2026-11-20T00:00:00Z"}, "period_not_acceptable", "until"),
    ],
)
def test_bad_questions_are_answered_in_one_shape(
    public: PublicLedger, query: dict[str, Any], code: str, param: str
) -> None:
    public.post()
    public.publish()
    assert_problem(public.get(**query), status=422, code=code, param=param)


def test_an_organisation_without_entries_has_no_ledger(public: PublicLedger) -> None:
    for path in ("", "/days", "/totals", "/export"):
        assert_problem(
            public.get(path), status=404, code="organization_has_no_ledger", param="organization_id"
        )


# ---- caches and limits -----------------------------------------------------------------------------------------


def test_an_unchanged_page_is_not_sent_again(public: PublicLedger) -> None:
    public.post()
    public.publish()
    for path in ("", "/days", "/totals"):
        first = public.get(path)
        assert first.headers["cache-control"] == "public, max-age=10"
        tag = {"If-None-Match": first.headers["etag"]}
        again = public.client.get(f"{LEDGER}{path}", headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        public.post()
        public.publish()
        assert public.client.get(f"{LEDGER}{path}", headers=tag).status_code == 200
        tag = {"If-None-Match": public.get(path).headers["etag"]}
        public.show(WEEK_LATE)
        assert public.client.get(f"{LEDGER}{path}", headers=tag).status_code == 200
        public.show(FULL)


def test_what_is_not_shown_is_kept_by_no_cache(public: PublicLedger) -> None:
    public.post()
    public.publish()
    public.show(HIDDEN)
    assert public.get().headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        (LEDGER, "public_ledger"),
        (f"{LEDGER}/days", "public_ledger"),
        (f"{LEDGER}/totals", "public_ledger"),
        (f"{LEDGER}/export", "public_exports"),
        ("/v1/public/log/search?entry_id=ent_1", "public_ledger"),
    ],
)
def test_strangers_are_counted_by_their_address(public: PublicLedger, path: str, limit: str) -> None:
    public.limiter.allowed = False
    refused = public.client.get(path, headers={"X-Amply-Client": "203.0.113.9"})
    assert_problem(refused, status=429, code="rate_limit_exceeded")
    assert public.limiter.counted == [(limit, "203.0.113.9")]


# ---- sums ------------------------------------------------------------------------------------------------------


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


# ---- what an organisation shows --------------------------------------------------------------------------------


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
    found = public.client.get("/v1/public/log/search", params={"entry_id": posted}).json()
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
    settings = databases.server.settings(name=databases.name, user="amply_app")
    for name in ("host", "port", "name", "user", "auth", "tls"):
        monkeypatch.setenv(f"AMPLY_DATABASE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("AMPLY_DATABASE_PASSWORD", settings.password.get_secret_value())
    command = ["organization", "visibility", "--id", made.id, "--policy", "delayed"]
    done = CliRunner().invoke(admin, [*command, "--days", "30"])
    assert done.exit_code == 0, done.output
    with public.books.app.transaction() as session:
        chosen = ledger.visibility_of(session, organization_id=made.id)
    assert chosen == ledger.VisibilityPolicy(visibility=ledger.Visibility.DELAYED, delay_days=30)
    refused = CliRunner().invoke(admin, command)
    assert isinstance(refused.exception, ledger.VisibilityNotAcceptable)


# ---- files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def exported(public: PublicLedger) -> PublicLedger:
    for number in range(5):
        public.post(
            minor_units=2**63 - 1 - number, kind="processor.fee" if number % 2 else "donation.succeeded"
        )
    public.publish()
    public.post()
    public.books.sequence()
    return public


def test_a_csv_file_holds_every_published_transfer(exported: PublicLedger) -> None:
    answer = exported.get("/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{ORG}-ledger-0.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["sequence"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert [row["amount_minor"] for row in rows] == [str(2**63 - 1 - number) for number in range(5)]
    assert not any(value.startswith(("=", "+", "-", "@", "\t")) for row in rows for value in row.values())


def test_a_parquet_file_holds_the_same_with_types(exported: PublicLedger) -> None:
    answer = exported.get("/export", format="parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.column_names == list(exports.LINE_COLUMNS)
    assert table["amount_minor"].to_pylist() == [2**63 - 1 - number for number in range(5)]
    assert table["occurred_at"].to_pylist()[0] == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    rows = list(csv.DictReader(io.StringIO(exported.get("/export").text, newline="")))
    assert table["leaf_hash"].to_pylist() == [row["leaf_hash"] for row in rows]


def test_json_lines_hold_what_the_pages_hold(exported: PublicLedger) -> None:
    answer = exported.get("/export", format="jsonl")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == [entry for entry in reversed(exported.every_page()) if entry["published"]]


def test_files_are_filtered_like_pages(exported: PublicLedger) -> None:
    lines = exported.get("/export", format="jsonl", kind="processor.fee").text.splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [1, 3]


def test_a_file_is_bounded_and_leads_to_the_next(
    exported: PublicLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_routes, "EXPORT_ENTRIES_MAX", 2)
    monkeypatch.setattr(exports, "_BATCH", 1)
    found: list[int] = []
    following = f"{LEDGER}/export?format=jsonl"
    files = 0
    while following:
        answer = exported.client.get(following)
        found += [json.loads(line)["sequence"] for line in answer.text.splitlines()]
        files += 1
        following = answer.links.get("next", {}).get("url", "")
    assert (found, files) == ([0, 1, 2, 3, 4], 3)


def test_a_parquet_file_of_many_pieces_is_whole(
    exported: PublicLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_BATCH", 1)
    monkeypatch.setattr(exports, "_ROW_GROUP", 2)
    read = pq.ParquetFile(io.BytesIO(exported.get("/export", format="parquet").content))
    assert (read.metadata.num_row_groups, read.metadata.num_rows) == (3, 5)
    empty = exported.get("/export", format="parquet", kind="payout.paid")
    assert pq.read_table(io.BytesIO(empty.content)).num_rows == 0


# ---- search ----------------------------------------------------------------------------------------------------


def test_a_receipt_its_hash_and_its_entry_lead_to_the_same_place(public: PublicLedger) -> None:
    posted = public.books.post(personal={"donor_name": "Zoë"})
    public.publish()
    receipt = public.books.receipt(posted.id)
    assert receipt is not None
    (leaf,) = public.books.leaves()
    search = "/v1/public/log/search"
    found = [
        public.client.get(search, params={"entry_id": posted.id}).json(),
        public.client.get(search, params={"leaf_hash": ledger_hash(leaf)}).json(),
        public.client.get(search, params={"entry_id": posted.id, "leaf_hash": ledger_hash(leaf)}).json(),
        public.client.post(search, content=receipt.encode(), headers=OCTETS).json(),
    ]
    assert found == [found[0]] * 4
    assert found[0] == {
        "entry_id": posted.id,
        "organization_id": ORG,
        "index": 0,
        "leaf_hash": ledger_hash(leaf),
        "published": True,
        "checkpoint_size": 1,
        "log_url": "http://edge.example/log",
    }


OCTETS = {"Content-Type": "application/octet-stream"}


def test_what_the_log_does_not_hold_is_not_found(public: PublicLedger) -> None:
    posted = public.post()
    public.publish()
    search = "/v1/public/log/search"
    assert_problem(public.client.get(search), status=422, code="search_not_acceptable", param="entry_id")
    for params in (
        {"entry_id": "ent_x"},
        {"leaf_hash": "0" * 64},
        {"entry_id": posted, "leaf_hash": "0" * 64},
    ):
        assert_problem(public.client.get(search, params=params), status=404, code="not_in_log")
    assert_problem(
        public.client.get(search, params={"leaf_hash": "ABC"}),
        status=422,
        code="invalid_request",
        param="leaf_hash",
    )
    not_one = public.client.post(search, content=b"a holiday picture", headers=OCTETS)
    assert_problem(not_one, status=422, code="receipt_not_readable")
    assert "holiday" not in not_one.text


def test_the_documentation_describes_files_and_errors(public: PublicLedger) -> None:
    paths = public.client.get("/openapi.json").json()["paths"]
    route = paths["/v1/public/organisations/{organization_id}/ledger"]["get"]
    assert {"200", "404", "422", "429"} <= set(route["responses"])
    assert "`ledger_not_shown`" in route["responses"]["404"]["description"]
    asked = {parameter["name"] for parameter in route["parameters"]}
    assert asked == {"organization_id", "kind", "from", "until", "cursor", "limit"}
    export = paths["/v1/public/organisations/{organization_id}/ledger/export"]["get"]["responses"]["200"]
    assert set(export["content"]) == {"text/csv", "application/x-ndjson", "application/vnd.apache.parquet"}


# ---- size ------------------------------------------------------------------------------------------------------

_MANY = r"""
    INSERT INTO leaf (idx, entry_id, org, org_seq, org_prev, bytes)
    SELECT
        number, 'ent_' || lpad(number::text, 26, '0'), CAST(:org AS text), number,
        CASE WHEN number > 0 THEN sha256('') END,
        convert_to(format(
            '{"id":"ent_%s","kind":"donation.succeeded","log":"log.example/tests","org":"%s","org_seq":"%s",'
            '"transfers":[{"amt":"2500","c":"%s/gifts","cur":"EUR","d":"%s/processor_balance"}],'
            '"ts":"2026-%s-01T00:00Z","v"\:1}',
            lpad(number::text, 26, '0'), CAST(:org AS text), number, CAST(:org AS text), CAST(:org AS text), lpad((1 + number * 11 / CAST(:many AS bigint))::text, 2, '0')
        ), 'UTF8')
    FROM generate_series(0, CAST(:many AS bigint) - 1) AS number
"""


@pytest.fixture
def large(public: PublicLedger, databases: Databases) -> PublicLedger:
    """Thirty thousand published entries, put there without the sequencer's work."""
    many = 30_000
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(_MANY), {"org": ORG, "many": many})
        session.execute(
            text(
                "INSERT INTO checkpoint (size, root, note, created_at, published_at) "
                "VALUES (:many, sha256(''), 'signed', now(), now())"
            ),
            {"many": many},
        )
    with master.connection() as connection:
        connection.execute(text("ANALYZE leaf, checkpoint"))
    master.close()
    ledger.fold_days(public.books.app)
    return public


def peak(database: Database, entries: int, write: Callable[..., Iterator[bytes]]) -> int:
    """The most memory that writing a file of so many entries took, as far as Python and Arrow hold it."""
    pool = pa.system_memory_pool()
    pa.set_memory_pool(pool)
    arrow_before = pool.max_memory()
    export = exports.Export(organization_id=ORG, wanted=pages.EntryFilter(), sequences=range(entries))
    tracemalloc.start()
    length = sum(len(piece) for piece in write(exports.batches(database, export)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > 1_000
    return most + max(0, pool.max_memory() - arrow_before)


@pytest.mark.parametrize("write", [exports.csv_file, exports.parquet_file])
def test_a_file_three_times_as_long_takes_no_more_memory(
    large: PublicLedger, write: Callable[..., Iterator[bytes]]
) -> None:
    peak(large.own, 2_000, write)  # what is loaded once
    short, long = peak(large.own, 10_000, write), peak(large.own, 30_000, write)
    assert long < 1.25 * short + 200_000


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        (pages._NEWEST, {"org": ORG, "seq_from": 100, "seq_until": 120, "limit": 20}),
        (pages._PUBLISHED_ENTRIES, {"org": ORG, "published_size": 30_000}),
        (pages._HEAD, {"org": ORG}),
        (pages._BY_HASH, {"leaf_hash": b"\0" * 32}),
        (pages._BY_ENTRY, {"entry_id": "ent_1"}),
        (
            pages._NEWEST_MATCHING,
            {
                "org": ORG,
                "seq_from": 100,
                "seq_until": 2_100,
                "limit": 20,
                "kind": "payout.paid",
                "since": NOW,
                "until": NOW,
            },
        ),
        (pages._SEEK, {"org": ORG, "before": 29_000, "kind": "payout.paid", "since": None, "until": None}),
    ],
    ids=["newest", "published", "head", "by-hash", "by-entry", "filtered", "seek"],
)
def test_no_page_reads_the_whole_log(large: PublicLedger, statement: Any, asked: dict[str, Any]) -> None:
    with large.own.transaction() as session:
        plan = "\n".join(session.scalars(text(f"EXPLAIN {statement.text}"), asked))
    assert "Seq Scan on leaf" not in plan, plan


def test_pages_of_a_large_ledger_end_where_it_begins(large: PublicLedger) -> None:
    window = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
    found = large.every_page(limit=100, **window)
    assert len(found) == len({entry["id"] for entry in found}) > 2_000
    assert {entry["occurred_at"] for entry in found} == {"2026-03-01T00:00Z"}
