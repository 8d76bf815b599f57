"""Reads one file in a stream: validates each row, groups accepted rows, and keeps refused rows with the reason."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from amply.modules.ingestion.cells import Checker, Row, RowError
from amply.modules.ingestion.columns import Column
from amply.modules.ingestion.decompression import DecompressedFile
from amply.modules.ingestion.domain import (
    EXPANDED_BYTES_MAX,
    QUARANTINED_MAX,
    ROWS_MAX,
    UPLOAD_BYTES_MAX,
    Compression,
    FileFormat,
    FileReason,
    FileRefused,
)
from amply.modules.ingestion.output_files import Quarantine, parquet_of
from amply.modules.ingestion.records import Pieces, Record, of_lines, records_of

_GROUP_ROWS: Final = 10_000
_GROUP_BYTES: Final = 8 * 1024 * 1024

Opened = Callable[[Pieces, Sequence[str]], Pieces]
"""Opens Parquet as JSON lines (`ports.ParquetOpener`), requiring exactly these columns."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A file's declared format."""

    format: FileFormat
    compression: Compression
    columns: Sequence[Column]


class Reading:
    """Reading of one file. Its totals are final once `accepted` is exhausted."""

    def __init__(self, file: Pieces, shape: Shape, *, open_parquet: Opened) -> None:
        self._columns = shape.columns
        self._checker = Checker(shape.columns, are_texts=shape.format is FileFormat.CSV)
        self._quarantine = Quarantine()
        self._records = _records(file, shape, open_parquet)
        self.read = 0
        self.reasons: Counter[str] = Counter()

    @property
    def quarantined(self) -> int:
        """Number of refused rows."""
        return self.reasons.total()

    def accepted(self) -> Iterator[bytes]:
        """Stream the accepted rows as Parquet; nothing at all if there are none.

        Raises:
            FileRefused: Nothing of the file is accepted; rows that were refused until then are kept.
        """
        groups = self._groups()
        first = next(groups, None)
        if not self.read:
            raise FileRefused(FileReason.NO_ROWS)
        if first is not None:
            yield from parquet_of(self._columns, _again(first, groups))

    def refused_rows(self) -> bytes:
        """The file of refused rows."""
        return self._quarantine.content()

    def _groups(self) -> Iterator[Sequence[Row]]:
        group: list[Row] = []
        size = 0
        for record in self._records:
            row = self._looked_at(record)
            if isinstance(row, RowError):
                continue
            group.append(row)
            size += record.size
            if len(group) >= _GROUP_ROWS or size >= _GROUP_BYTES:
                yield group
                group, size = [], 0
        if group:
            yield group

    def _looked_at(self, record: Record) -> Row | RowError:
        self.read += 1
        if self.read > ROWS_MAX:
            raise FileRefused(FileReason.TOO_MANY_ROWS)
        row = record.found if isinstance(record.found, RowError) else self._checker.check(record.found)
        if isinstance(row, RowError):
            if self.quarantined >= QUARANTINED_MAX:
                raise FileRefused(FileReason.TOO_MANY_BAD_ROWS)
            self.reasons[row.reason.value] += 1
            self._quarantine.add(record, row)
        return row


def _records(file: Pieces, shape: Shape, open_parquet: Opened) -> Iterator[Record]:
    names = [column.name for column in shape.columns]
    if shape.format is FileFormat.PARQUET:
        # Parquet is read from its end, so the opener holds all of it.
        whole = DecompressedFile(file, shape.compression, bytes_max=UPLOAD_BYTES_MAX)
        # A page may repeat one value a million times: what its rows are is counted as they come out.
        rows = DecompressedFile(open_parquet(whole, names), Compression.NONE, bytes_max=EXPANDED_BYTES_MAX)
        return of_lines(rows)
    return records_of(DecompressedFile(file, shape.compression), shape.format, names)


def _again(first: Sequence[Row], rest: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    yield first
    yield from rest
