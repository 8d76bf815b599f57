"""The sandbox's state: one SQLite file, one connection, one transaction at a time.

Write-ahead logging with `synchronous=NORMAL` keeps every committed transaction through a killed process; only
a power failure may lose the last ones, which a sandbox can bear for the speed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import RLock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (account, kind, sequence);

CREATE TABLE IF NOT EXISTS idempotency_keys (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    created INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    status INTEGER,
    body TEXT,
    PRIMARY KEY (scope, key)
) STRICT;

CREATE TABLE IF NOT EXISTS deliveries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    last_status INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due);

CREATE TABLE IF NOT EXISTS due_work (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    work TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL,
    due REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS billing_work (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    work TEXT NOT NULL,
    subject TEXT NOT NULL,
    account TEXT NOT NULL,
    clock TEXT NOT NULL,
    due INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS billing_work_due ON billing_work (account, clock, due, sequence);

CREATE TABLE IF NOT EXISTS paid_out (
    balance_transaction TEXT PRIMARY KEY,
    payout TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS paid_out_by_payout ON paid_out (payout);

CREATE TABLE IF NOT EXISTS put_forward (
    seconds REAL NOT NULL
) STRICT;
"""

# What a killed process left half done: the key's work was rolled back with it, the delivery may not have arrived.
_RECOVER = """
DELETE FROM idempotency_keys WHERE status IS NULL;
UPDATE deliveries SET state = 'pending' WHERE state = 'sending';
"""


class Store:
    """Opens the file, brings it up to date, and hands out transactions."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA busy_timeout = 5000")
        self._connection.executescript(_SCHEMA + _RECOVER)
        self._bring_up_to_date()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: commits at the end of the block, rolls back when it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def ahead(self) -> timedelta:
        """How far the sandbox's clock was put forward altogether."""
        with self.transaction() as connection:
            (seconds,) = connection.execute("SELECT coalesce(sum(seconds), 0) FROM put_forward").fetchone()
        return timedelta(seconds=seconds)

    def put_forward(self, by: timedelta) -> None:
        """Remember that it was."""
        with self.transaction() as connection:
            connection.execute("INSERT INTO put_forward (seconds) VALUES (?)", (by.total_seconds(),))

    def _bring_up_to_date(self) -> None:
        columns = [row["name"] for row in self._connection.execute("PRAGMA table_info(due_work)")]
        if "charge" in columns:
            self._connection.execute("ALTER TABLE due_work RENAME COLUMN charge TO subject")

    def close(self) -> None:
        """Close the file; nothing may use the store afterwards."""
        with self._lock:
            self._connection.close()


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction within the transaction: what raises inside leaves nothing behind."""
    connection.execute("SAVEPOINT attempt")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO attempt")
        connection.execute("RELEASE attempt")
        raise
    connection.execute("RELEASE attempt")
