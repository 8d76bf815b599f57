"""Writes accepted rows as Parquet and refused rows as gzipped JSON lines. Deterministic: the same rows give the same bytes."""

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from amply.infra.streamed_files import DrainableBuffer
from amply.modules.ingestion.cells import Row, RowError
from amply.modules.ingestion.columns import Column, ColumnType
from amply.modules.ingestion.domain import SHOWN_CHARACTERS_MAX
from amply.modules.ingestion.records import Record

PARQUET: Final = "application/vnd.apache.parquet"
_GZIP: Final = 31
"""`zlib`'s `wbits` for gzip, whose header then has no file name and no time."""


def parquet_of(columns: Sequence[Column], groups: Iterator[Sequence[Row]]) -> Iterator[bytes]:
    """Apache Parquet, zstd, a row group for each group."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy: only who writes rows pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415 -- the same

    kinds: dict[ColumnType, Any] = {
        ColumnType.TEXT: pa.string(),
        ColumnType.INTEGER: pa.int64(),
        ColumnType.NUMBER: pa.float64(),
        ColumnType.BOOLEAN: pa.bool_(),
        ColumnType.DATE: pa.date32(),
        ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([(column.name, kinds[column.type]) for column in columns])
    sink = DrainableBuffer()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for group in groups:
            cells = [
                pa.array([row[place] for row in group], type=field.type) for place, field in enumerate(schema)
            ]
            writer.write_table(pa.Table.from_arrays(cells, schema=schema))
            yield sink.drain()
    yield sink.drain()


class Quarantine:
    """Refused rows as gzipped JSON lines: position, reason, and the beginning of the row."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(wbits=_GZIP)
        self._packed = bytearray()

    def add(self, record: Record, bad: RowError) -> None:
        """Append a row."""
        shown = record.shown[:SHOWN_CHARACTERS_MAX]
        line = {
            "line": record.line,
            "reason": bad.reason.value,
            "column": bad.column,
            "row": shown.encode(errors="replace").decode(),
            "is_whole": len(record.shown) <= SHOWN_CHARACTERS_MAX,
        }
        self._packed += self._packer.compress(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def content(self) -> bytes:
        """The complete file; nothing can be appended afterwards."""
        return bytes(self._packed) + self._packer.flush()
