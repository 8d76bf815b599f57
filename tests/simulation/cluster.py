"""The simulation's PostgreSQL: real, and reset to a snapshot in milliseconds.

Nothing else may run in it: another transaction anywhere in a cluster holds back every snapshot's horizon.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from pydantic import SecretStr

from amply.infra.database import connect
from amply.infra.migrate import migrate
from amply.infra.roles import LOGIN_ROLES, make_roles
from amply.infra.settings import DatabaseSettings
from ledger_format.checkpoints import Checkpoint
from local_cloud.postgres import PostgresCluster
from tests.ports import free_port
from tests.tmpfs import room

MASTER: Final = "master"
_PASSWORD: Final = "for-simulations-on-loopback"
_GONE_SECONDS_MAX: Final = 120.0
_OURS: Final = "simulation"
# Power cuts are not simulated, so nothing waits for the disk; vacuuming would hold back horizons at its own time.
# A restored database runs in a server that started at another time, which this one cannot: it is told so. The path is
# searched in its order, so that the tables' checks ask this function.
_LIFE: Final = """
    CREATE SCHEMA simulation;
    CREATE SEQUENCE simulation.life;
    SELECT nextval('simulation.life');
    CREATE FUNCTION public.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql STABLE SECURITY DEFINER
        AS 'SELECT to_timestamp(last_value) FROM simulation.life';
    ALTER DATABASE postgres SET search_path = public, pg_catalog
"""
_PARAMETERS: Final = {
    "autovacuum": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1d",
    "scram_iterations": "1",
}

_TABLES: Final = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    ORDER BY relname
"""
_SEQUENCES: Final = """
    SELECT sequencename, coalesce(last_value, 1), last_value IS NOT NULL FROM pg_sequences
    WHERE schemaname = 'public' ORDER BY sequencename
"""
_WAITS: Final = """
    SELECT coalesce(bool_or(cardinality(pg_blocking_pids(pid)) > 0), false)
    FROM pg_stat_activity WHERE application_name = %s
"""
_BACKENDS: Final = "SELECT pid FROM pg_stat_activity WHERE application_name = %s ORDER BY backend_start, pid"
_EVERYBODY: Final = """
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND application_name <> %s ORDER BY pid
"""
_DECIDED: Final = "SELECT EXISTS (SELECT FROM checkpoint WHERE size = %s AND root = %s)"
_ALIVE: Final = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All committed rows of one moment, as a backup or a replica that lags has them."""

    tables: dict[str, bytes]
    sequences: tuple[tuple[str, int, bool], ...]


class Cluster:
    """Looks and acts from above, on a connection of its own that is never part of the schedule."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._above = self._open()

    def settings(self, user: str) -> DatabaseSettings:
        return DatabaseSettings(
            host="127.0.0.1",
            port=self.port,
            name="postgres",
            user=user,
            auth="password",
            tls="disable",
            password=SecretStr(_PASSWORD),
        )

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._above.execute(query.encode(), parameters).fetchall()

    def run(self, statement: str) -> None:
        self._above.execute(statement.encode())

    def value(self, query: str, *parameters: object) -> Any:
        ((found,),) = self.rows(query, *parameters)
        return found

    def waits_for_a_lock(self, name: str) -> bool:
        """Whether a statement of this actor waits for another's transaction."""
        return bool(self.value(_WAITS, name))

    def has_checkpoint(self, checkpoint: Checkpoint) -> bool:
        """Whether a publisher has decided on this tree."""
        return bool(self.value(_DECIDED, checkpoint.size, checkpoint.root))

    def cancel(self, name: str) -> None:
        """Break off the statement an actor waits with, as a time limit would."""
        for (pid,) in self.rows(_BACKENDS, name):
            if self.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", pid):
                self.rows("SELECT pg_cancel_backend(%s)", pid)

    def cut(self, name: str, *, choice: int | None = None) -> None:
        """End an actor's connections, or one of them; returns when the server has forgotten what they held."""
        pids = [pid for (pid,) in self.rows(_BACKENDS, name)]
        if choice is not None and pids:
            pids = [pids[choice % len(pids)]]
        self._end(pids)

    def see_off(self, pids: list[int]) -> None:
        """Return when the server has forgotten what these connections held, which their clients have closed."""
        give_up = time.monotonic() + _GONE_SECONDS_MAX
        while pids and self.value(_ALIVE, pids):
            assert time.monotonic() < give_up, "a connection that was closed does not end"
            time.sleep(0.0005)

    def take(self) -> Snapshot:
        """Remember what is committed now."""
        with self._above.transaction():
            self._above.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            tables = {}
            for (table,) in self.rows(_TABLES):
                with self._above.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
                    tables[table] = b"".join(bytes(part) for part in copy)
            sequences = tuple((name, last, called) for name, last, called in self.rows(_SEQUENCES))
        return Snapshot(tables=tables, sequences=sequences)

    def put_back(self, snapshot: Snapshot) -> None:
        """End every connection, and let the database be what it was then, in another server's life."""
        self._end([pid for (pid,) in self.rows(_EVERYBODY, _OURS)])
        with self._above.transaction():
            # Without triggers and foreign keys: a restore writes pages, it does not ask the tables.
            self._above.execute("SET LOCAL session_replication_role = replica")
            self._above.execute(f"TRUNCATE {', '.join(snapshot.tables)}".encode())
            for table, content in snapshot.tables.items():
                if content:
                    with self._above.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                        copy.write(content)
            for name, last, called in snapshot.sequences:
                self._above.execute("SELECT setval(%s, %s, %s)", [name, last, called])
        self.begin_another_life()

    def begin_another_life(self) -> None:
        """Whatever was said to the server before was said to another one."""
        self._above.execute("SELECT nextval('simulation.life')")

    def close(self) -> None:
        self._above.close()

    def _end(self, pids: list[int]) -> None:
        if not pids:
            return
        self.rows("SELECT pg_terminate_backend(pid) FROM unnest(%s::integer[]) AS pid", pids)
        self.see_off(pids)

    def _open(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="postgres",
            user=MASTER,
            password=_PASSWORD,
            application_name=_OURS,
            autocommit=True,
        )


class ThrowAwayCluster(PostgresCluster):
    """One whose data nobody wants after a power cut."""

    def command(self) -> list[str]:
        return [*super().command(), "-c", "fsync=off"]


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Started and migrated; stopped and removed at the end."""
    with room("simulation") as directory:
        cluster = ThrowAwayCluster(
            directory=directory / "pg",
            port=free_port(),
            superuser=MASTER,
            password=_PASSWORD,
            parameters=_PARAMETERS,
        )
        cluster.initialise()
        running = cluster.start()
        try:
            above = Cluster(cluster.port)
            master = connect(above.settings(MASTER), application=_OURS)
            make_roles(master.engine)
            migrate(master.engine)
            master.close()
            above.run(_LIFE)
            for role in LOGIN_ROLES:
                above.run(f"ALTER ROLE {role} PASSWORD '{_PASSWORD}'")
            yield above
            above.close()
        finally:
            # "Immediate": nothing of it is wanted any more, least of all a last checkpoint.
            running.process.send_signal(signal.SIGQUIT)
            running.process.wait(timeout=60)
