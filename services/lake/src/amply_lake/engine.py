"""DuckDB with limits: memory, threads, a spill directory, no extensions and no network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from amply_lake.limits import Limits
from amply_lake.statements import text


@contextmanager
def engine(limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a temporary engine."""
    limits.spill.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(
        config={
            "memory_limit": f"{limits.memory_bytes // 1_000_000}MB",
            "threads": limits.threads,
            "temp_directory": str(limits.spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        }
    ) as db:
        db.execute("SET TimeZone = 'UTC'")
        yield db


def write_parquet(db: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a query's rows to Parquet; returns their number."""
    told = db.execute(
        f"COPY ({query}) TO {text(str(path))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
        "ROW_GROUP_SIZE 122880)"
    ).fetchall()
    return int(told[0][0])


def write_csv(db: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a query's rows as CSV (RFC 4180 except line ends); returns their number."""
    told = db.execute(f"COPY ({query}) TO {text(str(path))} (FORMAT csv, HEADER, DELIMITER ',')").fetchall()
    return int(told[0][0])
