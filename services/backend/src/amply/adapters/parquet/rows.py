"""Subprocess program: reads one Parquet file and writes its rows as JSON lines. Imports nothing of this project.

It is told what to do as JSON in its one argument, reads the file from its input, and writes the rows as it reads them. Where the
file is no good it ends with a number that says why.
"""

import io
import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

_ENDINGS: Final = {"unreadable": 3, "too_large": 4, "too_many_rows": 5, "columns_differ": 6}
"""Exit codes for unusable files."""
_ROWS: Final = 256
"""Rows at a time, so that repeated long cells do not add up."""


def refuse(word: str) -> NoReturn:
    """Exit with a reason."""
    sys.exit(_ENDINGS[word])


def limit(order: dict[str, Any]) -> None:
    """Limit this process's additional memory and CPU time, and forbid writing files."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    memory = pages * resource.getpagesize() + order["memory_bytes"]
    seconds = order["processor_seconds"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def column_reader(kind: Any) -> Callable[[Any], list[Any]]:
    """A converter for values of this column type; nested columns are refused."""
    types = pa.types
    if types.is_dictionary(kind):
        inner = column_reader(kind.value_type)
        return lambda column: inner(column.cast(kind.value_type))
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return texts
    if types.is_timestamp(kind):
        plain = pa.timestamp("us", tz=kind.tz)
        return lambda column: moments(column.cast(plain, safe=False))
    if types.is_date(kind):
        return lambda column: [value and value.isoformat() for value in column.to_pylist()]
    if types.is_decimal(kind):
        return lambda column: [None if value is None else float(value) for value in column.to_pylist()]
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_null(kind):
        values: Callable[[Any], list[Any]] = pa.Array.to_pylist
        return values
    refuse("unreadable")


def texts(column: Any) -> list[Any]:
    """Decode strings. Invalid UTF-8 becomes lone surrogates."""
    plain = column.cast(pa.large_binary())
    return [None if value is None else value.decode(errors="surrogateescape") for value in plain.to_pylist()]


def moments(column: Any) -> list[Any]:
    """Format timestamps. Those without a time zone are written without one."""
    return [value and value.isoformat() for value in column.to_pylist()]


def write_rows(content: bytes, order: dict[str, Any]) -> None:
    """Write all rows in file order."""
    file = pq.ParquetFile(io.BytesIO(content))
    about = file.metadata
    inside = sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups))
    if inside > order["expanded_bytes"]:
        refuse("too_large")
    if about.num_rows > order["rows"]:
        refuse("too_many_rows")
    names = file.schema_arrow.names
    if not names or len(set(names)) < len(names) or not set(names) <= set(order["columns"]):
        refuse("columns_differ")
    readers = [column_reader(field.type) for field in file.schema_arrow]
    for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
        cells = [read(column) for read, column in zip(readers, batch.columns, strict=True)]
        for row in zip(*cells, strict=True):
            sys.stdout.write(json.dumps(dict(zip(names, row, strict=True))) + "\n")
    sys.stdout.flush()


def main() -> None:
    order = json.loads(sys.argv[1])
    content = sys.stdin.buffer.read()
    limit(order)
    try:
        write_rows(content, order)
    except MemoryError:
        refuse("too_large")
    except BrokenPipeError:
        sys.exit(1)
    except Exception:  # noqa: BLE001 -- decoders raise whatever they like about what strangers send
        refuse("unreadable")


if __name__ == "__main__":
    main()
