"""Ingestion files as strangers would send them, and the result of reading one."""

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, date, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amply.modules.ingestion import FileRefused, Pieces
from amply.modules.ingestion.columns import Column
from amply.modules.ingestion.domain import Compression, FileFormat, FileReason
from amply.modules.ingestion.reading import Reading, Shape
from tests.backend.intake_world import COLUMNS, ROWS, refused_in, rows_in

VISITS: Final = tuple(Column.of(column) for column in COLUMNS)
NAMES: Final = tuple(column.name for column in VISITS)
EXPECTED: Final = [
    {
        "visit": "v1",
        "guest": "g1",
        "email": "ada@example.org",
        "age": 41,
        "came_on": date(2026, 11, 21),
        "spent": 25,
        "tier": "gold",
        "score": 0.5,
        "is_new": True,
        "seen_at": datetime(2026, 11, 21, 9, tzinfo=UTC),
    },
    {**dict.fromkeys(NAMES), **ROWS[1]},
]


def no_parquet(_file: Pieces, _columns: Sequence[str]) -> AbstractContextManager[Pieces]:
    raise AssertionError


class Read:
    """What one file came to."""

    def __init__(
        self,
        content: bytes | Pieces,
        file_format: str = "jsonl",
        *,
        compression: str = "none",
        columns: Sequence[Column] = VISITS,
        opener: Any = no_parquet,
    ) -> None:
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        shape = Shape(format=FileFormat(file_format), compression=Compression(compression), columns=columns)
        with ExitStack() as opened:
            reading = Reading(
                file,
                shape,
                open_parquet=lambda packed, names: opened.enter_context(opener(packed, names)),
            )
            self.parquet = b"".join(reading.accepted())
        self.rows = rows_in(self.parquet) if self.parquet else []
        self.refused = refused_in(reading.refused_rows())
        self.read, self.quarantined, self.reasons = reading.read, reading.quarantined, dict(reading.reasons)


def refusal(content: bytes | Pieces, file_format: str = "jsonl", **more: Any) -> FileReason:
    with pytest.raises(FileRefused) as caught:
        Read(content, file_format, **more)
    return caught.value.why


def written(rows: Sequence[Mapping[str, Any]], file_format: str) -> bytes:
    if file_format == "csv":
        return _csv(rows)
    if file_format == "parquet":
        return parquet_of(rows)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    text = f"[{', '.join(lines)}]\n" if file_format == "json" else "\n".join(lines)
    return text.encode()


def _csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    def cell(value: Any) -> str:
        if value is None:
            return ""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text

    lines = [",".join(NAMES), *(",".join(cell(row.get(name)) for name in NAMES) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def parquet_of(rows: Sequence[Mapping[str, Any]], **options: Any) -> bytes:
    kinds = {"age": pa.int32(), "spent": pa.int64(), "score": pa.float64(), "is_new": pa.bool_()}
    kinds |= {
        "came_on": pa.date32(),
        "seen_at": pa.timestamp("ns", tz="UTC"),
        "tier": pa.dictionary(pa.int8(), pa.string()),
    }
    read = {"came_on": date.fromisoformat, "seen_at": datetime.fromisoformat}
    cells = {
        name: pa.array(
            [None if row.get(name) is None else read.get(name, lambda each: each)(row[name]) for row in rows],
            type=kinds.get(name, pa.string()),
        )
        for name in NAMES
    }
    file = io.BytesIO()
    pq.write_table(pa.table(cells), file, **options)
    return file.getvalue()
