"""Suspends a process at an exact statement or commit, by a lock in the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from tests.faults.database import PlatformDatabase
from tests.faults.waiting import until

_LOCK: Final = 20_261_121
_WAIT: Final = f"""
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock({_LOCK});
        RETURN NEW;
    END $$
"""

# Deferred: the transaction waits in its COMMIT. A client killed there is not missed, the commit goes through.
CLAIMED: Final = """
    CREATE CONSTRAINT TRIGGER gate AFTER UPDATE ON receipt DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.attempts < NEW.attempts) EXECUTE FUNCTION wait_at_gate()
"""
# Immediate: the statement waits. A client killed there never commits.
SENT: Final = """
    CREATE TRIGGER gate BEFORE UPDATE ON receipt FOR EACH ROW
    WHEN (NEW.sent_at IS NOT NULL) EXECUTE FUNCTION wait_at_gate()
"""


@dataclass(frozen=True)
class Gate:
    """Closed until opened."""

    database: PlatformDatabase
    lock: psycopg.Connection[dict[str, Any]]

    def has_someone(self) -> bool:
        """Whether a process waits here."""
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
        return bool(self.database.value(waiting, _LOCK))

    def open(self) -> None:
        """Let who waits go on, and wait until they have."""
        self.lock.execute("SELECT pg_advisory_unlock_all()")
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
        until(lambda: self.database.value(held, _LOCK) == 0, otherwise="somebody stays in the gate")


@contextmanager
def gate(database: PlatformDatabase, trigger: str) -> Iterator[Gate]:
    """A closed gate, which is gone after the block."""
    with database.connect() as lock:
        lock.execute(_WAIT.encode())
        lock.execute(trigger.encode())
        lock.execute(f"SELECT pg_advisory_lock({_LOCK})".encode())
        try:
            yield Gate(database, lock)
        finally:
            lock.execute("SELECT pg_advisory_unlock_all()")
            lock.execute("DROP FUNCTION wait_at_gate() CASCADE")
