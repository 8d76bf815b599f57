"""Files of the ledger, and what pages and files cost on a large one."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules.ledger import exports, pages
from amply.modules.ledger import public as public_routes
from tests.backend.ledger_world import NOW, ORG
from tests.backend.public_ledger import LEDGER, PublicLedger


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
    assert lines == list(reversed(exported.every_page()))


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


def peak(database: Database, entries: int, write: Callable[..., Iterator[bytes]]) -> int:
    """The most memory that writing a file of so many entries took, as far as Python and Arrow hold it."""
    pool = pa.system_memory_pool()
    pa.set_memory_pool(pool)
    arrow_before = int(pool.max_memory())
    export = exports.Export(organization_id=ORG, wanted=pages.EntryFilter(), sequences=range(entries))
    tracemalloc.start()
    length = sum(len(piece) for piece in write(exports.batches(database, export)))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > 1_000
    return most + max(0, int(pool.max_memory()) - arrow_before)


def test_a_file_three_times_as_long_takes_no_more_memory(
    large: PublicLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pieces of a quarter of their size, so that few entries are many pieces."""
    monkeypatch.setattr(exports, "_BATCH", exports._BATCH // 4)
    for write in (exports.csv_file, exports.parquet_file):
        peak(large.own, 500, write)  # what is loaded once
        short, long = peak(large.own, 2_500, write), peak(large.own, 7_500, write)
        assert long < 1.25 * short + 50_000, write


PLANS: dict[str, tuple[Any, dict[str, Any]]] = {
    "newest": (pages._NEWEST, {"org": ORG, "seq_from": 100, "seq_until": 120, "limit": 20}),
    "head": (pages._HEAD, {"org": ORG}),
    "by hash": (pages._BY_HASH, {"leaf_hash": b"\0" * 32}),
    "filtered": (
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
    "seek": (
        pages._SEEK,
        {"org": ORG, "before": 29_000, "kind": "payout.paid", "since": None, "until": None},
    ),
}


def test_no_page_reads_the_whole_log(large: PublicLedger) -> None:
    for name, (statement, asked) in PLANS.items():
        with large.own.transaction() as session:
            plan = "\n".join(session.scalars(text(f"EXPLAIN {statement.text}"), asked))
        assert "Seq Scan on leaf" not in plan, (name, plan)


def test_pages_of_a_large_ledger_end_where_it_begins(large: PublicLedger) -> None:
    window = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z"}
    found = large.every_page(limit=100, **window)
    assert len(found) == len({entry["id"] for entry in found}) > 2_000
    assert {entry["occurred_at"] for entry in found} == {"2026-03-01T00:00Z"}
