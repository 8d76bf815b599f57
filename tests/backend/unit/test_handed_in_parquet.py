"""Parquet of strangers, read by a program of its own: what it brings down, and what it does not."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amply.adapters import parquet as parquet_adapter
from amply.adapters.parquet import OpeningFailed, ParquetRows
from amply.modules.ingestion import FileRefused
from amply.modules.ingestion.domain import FileReason, RowReason
from tests.backend.handed_in import NAMES, Read, parquet_of, refusal
from tests.backend.intake_world import ROWS


def test_parquet_of_other_columns_or_with_columns_in_columns_is_refused() -> None:
    def made(**cells: Any) -> bytes:
        file = io.BytesIO()
        pq.write_table(pa.table(cells), file)
        return file.getvalue()

    opener = ParquetRows().open
    assert refusal(made(visit=["v"], name=["Ada"]), "parquet", opener=opener) == FileReason.COLUMNS_DIFFER
    assert refusal(made(visit=[["v"]], guest=["g"]), "parquet", opener=opener) == FileReason.UNREADABLE


def test_cells_of_parquet_are_looked_at_as_others_are() -> None:
    file = io.BytesIO()
    texts = pa.array([b"v", b"\xe9", b"v", b"v"], type=pa.binary()).view(pa.string())
    table = pa.table(
        {"visit": texts, "guest": ["g"] * 4, "score": [1.0, 1.0, float("nan"), 1.0], "age": [1, 1, 1, 999]}
    )
    pq.write_table(table, file)
    done = Read(file.getvalue(), "parquet", opener=ParquetRows().open)
    assert len(done.rows) == 1
    assert [(each["line"], each["reason"]) for each in done.refused] == [
        (2, RowReason.NOT_UTF8),
        (3, RowReason.NOT_A_NUMBER),
        (4, RowReason.OUT_OF_RANGE),
    ]


def test_parquet_that_is_much_larger_inside_is_refused_and_brings_nothing_down() -> None:
    """A cell of a megabyte, twenty thousand times: a file of some kilobytes."""
    file = io.BytesIO()
    cell = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"visit": cell, "guest": cell}), file, compression="zstd", store_schema=False)
    assert len(file.getvalue()) < 200_000
    assert refusal(file.getvalue(), "parquet", opener=ParquetRows().open) == FileReason.TOO_LARGE


def test_rows_of_parquet_are_counted_as_they_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that is kept once, and repeated by numbers of some bits."""
    file = io.BytesIO()
    cell = pa.DictionaryArray.from_arrays(pa.array([0] * 3_000, pa.int32()), pa.array(["x" * 4_000]))
    pq.write_table(pa.table({"visit": cell, "guest": cell}), file, store_schema=False)
    inside = pq.ParquetFile(file).metadata.row_group(0).total_byte_size
    monkeypatch.setattr("amply.modules.ingestion.reading.EXPANDED_BYTES_MAX", 1_000_000)
    assert inside < 100_000
    assert refusal(file.getvalue(), "parquet", opener=ParquetRows().open) == FileReason.TOO_LARGE


def test_who_has_read_enough_of_parquet_waits_for_nothing_more() -> None:
    opener = ParquetRows()
    content = parquet_of([*ROWS] * 20_000)
    with opener.open(io.BytesIO(content), NAMES) as lines:
        assert lines.read(10) != b""
    with opener.open(io.BytesIO(content), NAMES) as lines:
        assert lines.read(10) != b"", "the next one is not kept waiting"


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", FileRefused),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", OpeningFailed),
        ("raise SystemExit(1)", OpeningFailed),
    ],
)
def test_what_a_file_brings_down_is_the_files_fault_and_all_else_is_ours(
    ends: str, expected: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "rows.py"
    program.write_text(ends)
    monkeypatch.setattr(parquet_adapter, "_PROGRAM", program)
    with pytest.raises(expected), ParquetRows().open(io.BytesIO(b"x" * 3_000_000), NAMES) as lines:
        lines.read(10)
