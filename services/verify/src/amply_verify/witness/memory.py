"""What the witness has cosigned last, for each log: the one thing it may never forget.

SQLite does what is hard about it: one writer at a time over any number of threads and processes, and a commit that
either is on the disk or never was, whatever is killed (https://www.sqlite.org/atomiccommit.html). `synchronous=EXTRA`
also waits for the directory after the journal's end, so that a commit survives a loss of power.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from amply_verify.outcome import CheckFailure, Exit
from ledger_format.witnessing import TreeHead

_FILE: Final = "witness.sqlite"
_BUSY_SECONDS: Final = 5.0
_EVIDENCE_MAX: Final = 1_000
"""How many are kept: whoever holds a log's key could otherwise fill the disk with them.

Each checkpoint is kept once, whatever other lines its note has, so that nobody but the log can use them up."""

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS seen (
        origin TEXT PRIMARY KEY,
        size   INTEGER NOT NULL,
        root   BLOB NOT NULL,
        note   TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS evidence (
        origin  TEXT NOT NULL,
        size    INTEGER NOT NULL,
        root    BLOB NOT NULL,
        seconds INTEGER NOT NULL,
        reason  TEXT NOT NULL,
        note    TEXT NOT NULL,
        UNIQUE (origin, size, root)
    ) STRICT;
"""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The last checkpoint that was cosigned: size, root, and the note as the log had signed it."""

    size: int
    root: bytes
    note: str


def has_memory(directory: Path) -> bool:
    """Whether a memory was begun in this directory."""
    return (directory / _FILE).exists()


class Memory:
    """The witness's state in one file of a directory."""

    def __init__(self, directory: Path) -> None:
        """Open the file, or begin it.

        Raises:
            CheckFailure: It cannot be used.
        """
        self._path = directory / _FILE
        try:
            with closing(self._open()) as connection:
                connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise CheckFailure(
                Exit.UNREADABLE,
                f"the witness's memory {str(self._path)!r} cannot be used ({error})",
                "mend or free the disk; do not begin with an empty one under the same key",
            ) from error

    @contextmanager
    def exclusively(self) -> Iterator["Turn"]:
        """One turn at the memory. What it remembers is on the disk when the block has ended without an exception."""
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield Turn(connection)
            connection.commit()

    def keep_evidence(self, head: TreeHead, *, note: str, reason: str, seconds: int) -> None:
        """Keep a checkpoint that the log has signed and that was not cosigned: it may prove what the log did."""
        with closing(self._open()) as connection, connection:
            connection.execute(
                "INSERT OR IGNORE INTO evidence SELECT ?, ?, ?, ?, ?, ?"
                " WHERE (SELECT count(*) FROM evidence) < ?",
                (head.origin, head.size, head.root, seconds, reason, note, _EVIDENCE_MAX),
            )

    def evidence(self) -> list[tuple[str, str]]:
        """Reason and note of each checkpoint that was kept, the oldest first."""
        with closing(self._open()) as connection:
            return connection.execute("SELECT reason, note FROM evidence ORDER BY rowid").fetchall()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous = EXTRA")
        return connection


class Turn:
    """What may be read and remembered while nobody else may."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def seen(self, origin: str) -> Seen | None:
        """What was cosigned last; None before the first time."""
        row = self._connection.execute(
            "SELECT size, root, note FROM seen WHERE origin = ?", (origin,)
        ).fetchone()
        return None if row is None else Seen(size=row[0], root=row[1], note=row[2])

    def remember(self, head: TreeHead, *, note: str) -> None:
        """Make this the last one."""
        self._connection.execute(
            "INSERT INTO seen (origin, size, root, note) VALUES (?, ?, ?, ?) ON CONFLICT (origin)"
            " DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note",
            (head.origin, head.size, head.root, note),
        )
