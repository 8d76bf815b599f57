"""Leader election by advisory lock: one process works, the others stand by.

An advisory lock of the session, held on a connection of its own in autocommit: it ends with the connection, so a dead
leader is followed at once, and it opens no transaction that would hold back the snapshot horizon. The lock keeps two
leaders from wasting work; that two at once do no harm is held by the tables' constraints.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, text

from amply.infra.database import Database

SEQUENCER_LOCK: Final = 0x616D706C7901
PUBLISHER_LOCK: Final = 0x616D706C7902
"""Advisory locks: letters of the name and a number."""


class Leadership:
    """Whether this process is the leader. Valid while its connection lives."""

    def __init__(self, connection: Connection, *, lock: int) -> None:
        self._connection = connection
        self._lock = lock
        self._held = False

    def held(self) -> bool:
        """Try to lead, or make sure that we still do.

        Raises:
            sqlalchemy.exc.OperationalError: The connection is lost, and with it the lock.
        """
        if self._held:
            self._connection.execute(text("SELECT 1"))
        else:
            self._held = bool(
                self._connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": self._lock})
            )
        return self._held


@contextmanager
def leadership(database: Database, *, lock: int) -> Iterator[Leadership]:
    """Stand for one of the locks above; leaving the block gives the lead away."""
    with database.connection() as connection:
        try:
            yield Leadership(connection, lock=lock)
        finally:
            # Not returned to the pool: there it would keep the lock for whoever borrows it next.
            connection.invalidate()
