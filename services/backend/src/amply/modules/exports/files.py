"""Writes rows as CSV or Parquet in a stream, holding a thousand rows at a time."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from amply.infra.spreadsheet_cells import as_cell
from amply.infra.streamed_files import DrainableBuffer, drain

_ROW_GROUP: Final = 10

Row = Mapping[str, str | int | None]


def csv_file(columns: Sequence[str], pieces: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """CSV (RFC 4180) with a header; texts are escaped against formulas."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    for piece in pieces:
        writer.writerows([_cell(row[name]) for name in columns] for row in piece)
        yield drain(written)
    yield drain(written)


def parquet_file(columns: Sequence[str], pieces: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """Apache Parquet, zstd. Columns ending in `_minor` are 64-bit integers of minor units, all others text."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy: only who exports pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415 -- the same

    schema = pa.schema([(name, pa.int64() if name.endswith("_minor") else pa.string()) for name in columns])
    sink = DrainableBuffer()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for group in _grouped(pieces):
            writer.write_table(pa.Table.from_pylist([dict(row) for row in group], schema=schema))
            yield sink.drain()
    yield sink.drain()


def _cell(value: str | int | None) -> str | int:
    if isinstance(value, str):
        return as_cell(value)
    return "" if value is None else value


def _grouped(pieces: Iterable[Sequence[Row]]) -> Iterator[list[Row]]:
    group: list[Row] = []
    for number, piece in enumerate(pieces, start=1):
        group.extend(piece)
        if number % _ROW_GROUP == 0 and group:
            yield group
            group = []
    if group:
        yield group
