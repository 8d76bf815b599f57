"""Exports of an organisation's published entries, read and written in a stream."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

from amply.infra.database import Database
from amply.infra.streamed_files import DrainableBuffer, drain
from amply.modules.ledger.pages import (
    EntryFilter,
    LoggedEntry,
    OrganizationHasNoLedger,
    entries_between,
    ledger_head,
)

EXPORT_ENTRIES_MAX: Final = 100_000
"""Entries in one file; the response's `Link` header leads to the next one."""

_BATCH: Final = 1_000
_ROW_GROUP: Final = 10

Line = Mapping[str, str | int | None]

LINE_COLUMNS: Final = (
    *("index", "sequence", "entry_id", "kind", "occurred_at", "line", "debit", "credit", "currency"),
    *("amount_minor", "phase", "pending", "reference", "reverses", "supersedes", "matches", "reason"),
    *("leaf_hash", "checkpoint_size"),
)
"""Columns of CSV and Parquet, a row a transfer. `amount_minor` counts minor units."""

_INTEGERS: Final = frozenset({"index", "sequence", "line", "amount_minor", "checkpoint_size"})


class ExportFormat(StrEnum):
    """CSV and Parquet hold a row a transfer, JSON Lines an object an entry."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


MEDIA_TYPES: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON_LINES: "application/x-ndjson",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}


@dataclass(frozen=True, kw_only=True)
class Export:
    """The entries of an export: a filter over an organisation's, by sequence number."""

    organization_id: str
    wanted: EntryFilter
    sequences: range


def batches(database: Database, export: Export) -> Iterator[Sequence[LoggedEntry]]:
    """The entries, oldest first, a thousand sequence numbers a transaction: entries never change in between."""
    for start in range(export.sequences.start, export.sequences.stop, _BATCH):
        piece = range(start, min(start + _BATCH, export.sequences.stop))
        with database.transaction() as session:
            found = entries_between(
                session, organization_id=export.organization_id, wanted=export.wanted, sequences=piece
            )
        yield found


def lines_in_batches(
    database: Database, *, organization_id: str, since: datetime | None, until: datetime | None
) -> Iterator[list[Line]]:
    """All published entries of a period, the oldest first, a row a transfer, as the columns of LINE_COLUMNS; none where there are none.

    For the organisation's own people: what its pages show strangers does not matter here.
    """
    with database.transaction() as session:
        try:
            entries = ledger_head(session, organization_id=organization_id).entries
        except OrganizationHasNoLedger:
            entries = 0
    export = Export(
        organization_id=organization_id,
        wanted=EntryFilter(since=since, until=until),
        sequences=range(entries),
    )
    for piece in batches(database, export):
        yield [line for entry in piece for line in lines(entry)]


def csv_file(pieces: Iterable[Sequence[LoggedEntry]]) -> Iterator[bytes]:
    """RFC 4180, with a header. No field can begin a formula: the ledger's own alphabets have no such character."""
    text = io.StringIO()
    writer = csv.DictWriter(text, LINE_COLUMNS)
    writer.writeheader()
    for piece in pieces:
        writer.writerows(line for entry in piece for line in lines(entry))
        yield drain(text)
    yield drain(text)


def parquet_file(pieces: Iterable[Sequence[LoggedEntry]]) -> Iterator[bytes]:
    """Apache Parquet, zstd; times are UTC, amounts 64-bit integers of minor units."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy: only who exports pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415 -- the same

    schema = _schema()
    sink = DrainableBuffer()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for group in _grouped(pieces):
            writer.write_table(pa.Table.from_pylist([_typed(line) for line in group], schema=schema))
            yield sink.drain()
    yield sink.drain()


def lines(entry: LoggedEntry) -> Iterator[Line]:
    """A row for each transfer of an entry."""
    leaf = entry.leaf
    shared: dict[str, str | int | None] = {
        "index": entry.index,
        "sequence": entry.sequence,
        "entry_id": leaf["id"],
        "kind": leaf["kind"],
        "occurred_at": leaf["ts"],
        "reference": leaf.get("ref"),
        "reverses": leaf.get("reverses"),
        "supersedes": leaf.get("supersedes"),
        "matches": leaf.get("matches"),
        "reason": leaf.get("reason"),
        "leaf_hash": entry.leaf_hash.hex(),
        "checkpoint_size": entry.checkpoint_size,
    }
    for number, transfer in enumerate(leaf["transfers"]):
        yield {
            **shared,
            "line": number,
            "debit": transfer["d"],
            "credit": transfer["c"],
            "currency": transfer["cur"],
            "amount_minor": transfer["amt"],
            "phase": transfer.get("phase"),
            "pending": transfer.get("pending"),
        }


def _grouped(pieces: Iterable[Sequence[LoggedEntry]]) -> Iterator[list[Line]]:
    """Some thousand rows at a time: smaller groups make large files, larger ones need memory."""
    group: list[Line] = []
    for number, piece in enumerate(pieces, start=1):
        group.extend(line for entry in piece for line in lines(entry))
        if number % _ROW_GROUP == 0 and group:
            yield group
            group = []
    if group:
        yield group


def _typed(line: Line) -> dict[str, Any]:
    moment = datetime.fromisoformat(str(line["occurred_at"]))
    return {**line, "amount_minor": int(str(line["amount_minor"])), "occurred_at": moment}


@cache
def _schema() -> Any:
    import pyarrow as pa  # noqa: PLC0415 -- as above

    def kind(name: str) -> Any:
        if name == "occurred_at":
            return pa.timestamp("s", tz="UTC")
        return pa.int64() if name in _INTEGERS else pa.string()

    return pa.schema([(name, kind(name)) for name in LINE_COLUMNS])
