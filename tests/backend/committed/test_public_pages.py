"""The ledger as strangers read it: pages, caches, limits, search."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from amply.modules import ledger
from amply.modules.ledger import pages
from tests.backend.api_world import assert_problem
from tests.backend.ledger_world import NOW, ORG, OTHER_ORG
from tests.backend.public_ledger import FULL, HIDDEN, LEDGER, WEEK_LATE, PublicLedger, ledger_hash


def test_an_entry_is_shown_with_its_place_and_the_checkpoint_that_covers_it(public: PublicLedger) -> None:
    posted = public.post(minor_units=9_007_199_254_740_993)
    public.publish()

    page = public.get().json()
    (shown,) = page["data"]
    (leaf,) = public.books.leaves()
    assert shown == {
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


def test_what_no_published_checkpoint_covers_is_shown_nowhere(
    public: PublicLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = public.post()
    public.publish()
    later = public.post(kind="processor.fee")
    only = public.post(org=OTHER_ORG)
    unchanged = {path: public.get(path).json() for path in ("", "/days", "/totals")}
    tag = {"If-None-Match": public.get().headers["etag"]}

    def is_hidden() -> None:
        for path, before in unchanged.items():
            assert public.get(path).json() == before
        assert public.client.get(LEDGER, headers=tag).status_code == 304
        assert [entry["id"] for entry in public.every_page()] == [first]
        assert public.every_page(kind="processor.fee") == []
        assert [entry["id"] for entry in public.every_page(cursor="99")] == [first]
        files = public.get("/export", format="jsonl", cursor="0").text.splitlines()
        assert [json.loads(line)["id"] for line in files] == [first]
        for path in ("", "/days", "/totals", "/export"):
            other = public.client.get(f"/v1/public/organisations/{OTHER_ORG}/ledger{path}")
            assert_problem(other, status=404, code="organization_has_no_ledger", param="organization_id")
        for entry_id in (later, only):
            shown = public.client.get(f"/v1/public/entries/{entry_id}")
            assert_problem(shown, status=404, code="entry_not_found")

    is_hidden()  # posted
    public.books.sequence()
    is_hidden()  # sequenced, with a leaf and a place
    hashes = [ledger_hash(leaf) for leaf in public.books.leaves()]
    assert len(hashes) == 3
    for hashed in hashes[1:]:
        found = public.client.get("/v1/public/log/search", params={"leaf_hash": hashed})
        assert_problem(found, status=404, code="not_in_log")
    sign_without_publishing(public, monkeypatch)
    is_hidden()  # signed, and not public
    public.publish()
    assert [entry["id"] for entry in public.every_page()] == [later, first]
    assert public.client.get(f"/v1/public/entries/{only}").json()["index"] in (1, 2)
    assert public.client.get(f"/v1/public/entries/{only}").status_code == 200


def sign_without_publishing(public: PublicLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign the next checkpoint, and fail to show it."""

    def away(*_: Any, **__: Any) -> None:
        raise OSError("the bucket is away")

    with monkeypatch.context() as patched:
        patched.setattr(public.books.public_log, "replace_checkpoint", away)
        with pytest.raises(OSError, match="away"):
            public.books.publish()
    with public.books.app.transaction() as session:
        assert session.scalar(text("SELECT size FROM checkpoint WHERE published_at IS NULL")) == 3


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
    public.books.sequence()
    public.books.publish()
    if is_folded:
        ledger.fold_days(public.books.app)
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
    public.books.publish()
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
        (f"/v1/public/log/search?leaf_hash={'0' * 64}", "public_ledger"),
    ],
)
def test_strangers_are_counted_by_their_address(public: PublicLedger, path: str, limit: str) -> None:
    public.limiter.allowed = False
    refused = public.client.get(path, headers={"X-Amply-Client": "203.0.113.9"})
    assert_problem(refused, status=429, code="rate_limit_exceeded")
    assert public.limiter.counted == [(limit, "203.0.113.9")]
    assert refused.headers["ratelimit"].startswith(f'"{limit}";r=0;t=')
    assert refused.json()["detail"].endswith("try again in 1 second.") == (limit == "public_ledger")
    assert refused.headers["retry-after"] == ("1" if limit == "public_ledger" else "3")


def test_answers_say_what_is_left(public: PublicLedger) -> None:
    public.post()
    public.publish()
    read = public.client.get(LEDGER, headers={"Origin": "http://edge.example"})
    assert read.status_code == 200
    assert read.headers["ratelimit"] == '"public_ledger";r=299;t=1'
    assert read.headers["ratelimit-policy"] == '"public_ledger";q=300;w=60'
    assert {"RateLimit", "RateLimit-Policy"} <= set(read.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("no address", "no address"),
    ],
)
def test_a_household_is_counted_once_however_many_addresses_it_has(
    public: PublicLedger, address: str, counted: str
) -> None:
    public.client.get(LEDGER, headers={"X-Amply-Client": address})
    assert public.limiter.counted == [("public_ledger", counted)]


def test_a_receipt_its_hash_and_its_entry_lead_to_the_same_place(public: PublicLedger) -> None:
    posted = public.books.post(personal={"donor_name": "Zoë"})
    public.publish()
    receipt = public.books.receipt(posted.id)
    assert receipt is not None
    (leaf,) = public.books.leaves()
    search = "/v1/public/log/search"
    found = [
        public.client.get(search, params={"leaf_hash": ledger_hash(leaf)}).json(),
        public.client.post(search, content=receipt.encode(), headers=OCTETS).json(),
    ]
    by_id = public.client.get(f"/v1/public/entries/{posted.id}").json()
    assert found == [found[0]] * 2
    assert (by_id["index"], by_id["leaf_hash"]) == (found[0]["index"], found[0]["leaf_hash"])
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
    public.post()
    public.publish()
    search = "/v1/public/log/search"
    assert_problem(public.client.get(search), status=422, code="invalid_request", param="leaf_hash")
    unknown = public.client.get(search, params={"leaf_hash": "0" * 64})
    assert_problem(unknown, status=404, code="not_in_log")
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
    asked = {parameter["name"] for parameter in route["parameters"] if parameter["in"] != "header"}
    assert asked == {"organization_id", "kind", "from", "until", "cursor", "limit"}
    export = paths["/v1/public/organisations/{organization_id}/ledger/export"]["get"]["responses"]["200"]
    assert set(export["content"]) == {"text/csv", "application/x-ndjson", "application/vnd.apache.parquet"}
