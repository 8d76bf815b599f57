"""Input files (Parquet, CSV), treated as untrusted: validated before they are read."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from amply_lake.errors import NoRowsError, SourceError
from amply_lake.limits import Limits
from amply_lake.policy import Policy
from amply_lake.statements import name, text

_CHUNK: Final = 1 << 20
_MAX_HEADER: Final = 65_536
_PLAIN: Final = (
    "VARCHAR",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    "DECIMAL",
    "FLOAT",
    "DOUBLE",
    "TINYINT",
    "SMALLINT",
)
_PLAIN_TOO: Final = ("INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "TIME")


@dataclass(frozen=True, slots=True)
class Source:
    """A source file, identified by its hash."""

    path: Path
    sha256: str
    size_bytes: int


def identify(paths: Sequence[Path], limits: Limits) -> list[Source]:
    """Hash the files, without duplicates.

    Raises:
        SourceError: There is none, or too many, or one cannot be read, or is too large.
    """
    if not 1 <= len(paths) <= limits.files:
        raise SourceError(f"{len(paths)} files were given; give 1 to {limits.files}")
    found: dict[str, Source] = {}
    for path in paths:
        try:
            size = path.stat().st_size
            if size > limits.source_bytes:
                raise SourceError(
                    f"{path.name} has {size} bytes, and {limits.source_bytes} may be read; split it"
                )
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise SourceError(
                f"{path.name} cannot be read ({error.strerror}); give a file that can"
            ) from error
        found.setdefault(digest, Source(path, digest, size))
    return sorted(found.values(), key=lambda source: source.sha256)


def open_source(
    db: duckdb.DuckDBPyConnection, sources: Sequence[Source], policy: Policy, limits: Limits
) -> None:
    """Create the view `source` over the files, with exactly the policy's columns.

    Raises:
        NoRowsError: There is no row in them.
        SourceError: A file is not what the policy says, or is larger inside than it may be.
    """
    queries = [_query(db, source, policy, limits) for source in sources]
    db.execute(f"CREATE OR REPLACE TEMP VIEW source AS {' UNION ALL '.join(queries)}")
    _check_cells(db, policy, limits)


def _query(db: duckdb.DuckDBPyConnection, source: Source, policy: Policy, limits: Limits) -> str:
    columns = ", ".join(map(name, policy.columns))
    if source.path.name.endswith(".parquet"):
        _check_parquet(db, source, policy, limits)
        return f"SELECT {columns} FROM read_parquet({text(str(source.path))})"
    if source.path.name.endswith((".csv", ".csv.gz")):
        header = _check_csv(source, policy, limits)
        types = ", ".join(f"{text(column)}: 'VARCHAR'" for column in header)
        return (
            f"SELECT {columns} FROM read_csv({text(str(source.path))}, auto_detect = false, header = true, "
            f"delim = ',', quote = '\"', escape = '\"', new_line = '\\n', strict_mode = true, null_padding = false, "
            f"ignore_errors = false, max_line_size = {limits.cell_bytes * len(header)}, columns = {{{types}}})"
        )
    raise SourceError(f"{source.path.name} is neither .parquet, .csv nor .csv.gz; name it as what it is")


def _check_columns(found: Sequence[str], file: str, policy: Policy) -> None:
    missing = sorted(policy.columns.keys() - set(found))
    unknown = sorted(set(found) - policy.columns.keys())
    if missing:
        raise SourceError(
            f"{file} lacks {', '.join(missing)}; give files as the policy {policy.id} describes them"
        )
    if unknown:
        raise SourceError(
            f"{file} has {', '.join(map(repr, unknown))}, of which the policy {policy.id} says nothing; "
            "say there what they are, or leave them out"
        )
    if len(set(found)) != len(found):
        raise SourceError(f"{file} has a column twice; leave one of them")


def _check_parquet(db: duckdb.DuckDBPyConnection, source: Source, policy: Policy, limits: Limits) -> None:
    file, literal = source.path.name, text(str(source.path))
    try:
        described = db.execute(f"DESCRIBE SELECT * FROM read_parquet({literal})").fetchall()
        inside, rows = db.execute(
            "SELECT sum(total_uncompressed_size), max(file_rows) FROM (SELECT total_uncompressed_size, "
            f"sum(row_group_num_rows) OVER (PARTITION BY path_in_schema) AS file_rows FROM parquet_metadata({literal}))"
        ).fetchall()[0]
    except duckdb.Error as error:
        raise SourceError(f"{file} is not whole Parquet; make it again") from error
    _check_columns([row[0] for row in described], file, policy)
    for column, kind, *_ in described:
        if not kind.startswith((*_PLAIN, *_PLAIN_TOO)) or kind.endswith("]"):
            raise SourceError(
                f"the column {column} of {file} is {kind}; write it as text, number, date or time"
            )
    _check_expansion(file, source.size_bytes, int(inside or 0), limits)
    if int(rows or 0) > limits.rows:
        raise SourceError(f"{file} says it has {rows} rows, and {limits.rows} may be read; split it")


def _check_csv(source: Source, policy: Policy, limits: Limits) -> list[str]:
    file = source.path.name
    try:
        if file.endswith(".gz"):
            with gzip.open(source.path) as packed:
                head = packed.read(_MAX_HEADER)
                inside = len(head)
                while piece := packed.read(_CHUNK):
                    inside += len(piece)
                    _check_expansion(file, source.size_bytes, inside, limits)
        else:
            with source.path.open("rb") as plain:
                head = plain.read(_MAX_HEADER)
        line = head.split(b"\n", 1)[0].decode()
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{file} is not whole gzip; make it again") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{file} is not UTF-8; write it as UTF-8") from error
    # The engine, told of line feeds, finds no row in such a file, and that would be no error.
    if line.endswith("\r"):
        raise SourceError(f"{file} ends its lines with carriage returns; write line feeds alone")
    header = next(csv.reader(io.StringIO(line)), [])
    _check_columns(header, file, policy)
    return header


def _check_expansion(file: str, packed: int, inside: int, limits: Limits) -> None:
    if inside > limits.source_bytes or inside > max(limits.free_bytes, packed * limits.expansion):
        raise SourceError(
            f"{file} unpacks to more than {limits.expansion} times its size; give it less densely packed"
        )


def _check_cells(db: duckdb.DuckDBPyConnection, policy: Policy, limits: Limits) -> None:
    """Read every cell once: its bytes are text, and none is huge."""
    longest = ", ".join(f"max(strlen(CAST({name(column)} AS VARCHAR)))" for column in policy.columns)
    try:
        count, *lengths = db.execute(f"SELECT count(*), {longest} FROM source").fetchall()[0]
    except duckdb.OutOfMemoryException as error:
        raise SourceError("the source does not fit the memory that the limits allow; split it") from error
    except duckdb.Error:
        # What the engine says quotes what it could not read, which may be somebody's.
        raise SourceError(
            "the source holds something else than UTF-8 text in rows of one length; correct the file and give it again"
        ) from None
    if count == 0:
        raise NoRowsError("the source has no rows; give files that have")
    if count > limits.rows:
        raise SourceError(f"the source has {count} rows, and {limits.rows} may be read; split it")
    for column, length in zip(policy.columns, lengths, strict=True):
        if (length or 0) > limits.cell_bytes:
            raise SourceError(
                f"a cell of {column} has {length} bytes, and {limits.cell_bytes} may be; shorten it"
            )
