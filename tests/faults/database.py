"""The platform's PostgreSQL: tests start, stop and kill it, and inspect it as master user."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from local_cloud.database import SERVICE_USERS, prepare
from local_cloud.postgres import PostgresCluster, PostgresError, RunningPostgres, binary, unprivileged
from tests.faults.waiting import until

NAME = "amply"
MASTER = "amply_master"
PASSWORD = "for-tests-on-loopback"

# What would come due later, comes due now. Only waits are shortened; who does the work is the platform itself.
_NOW_DUE = (
    "UPDATE payment SET created_at = created_at - interval '2 minutes' WHERE status = 'created'",
    "UPDATE payment SET next_attempt_at = now() WHERE status = 'created' AND next_attempt_at > now()",
    "UPDATE provider_event SET next_attempt_at = now() WHERE handled_at IS NULL AND next_attempt_at > now()",
    "UPDATE receipt SET next_attempt_at = now() WHERE sent_at IS NULL AND next_attempt_at > now()",
    "UPDATE outbox SET available_at = now() WHERE published_at IS NULL AND available_at > now()",
)


@dataclass
class PlatformDatabase:
    """One cluster with one database."""

    running: RunningPostgres

    @property
    def cluster(self) -> PostgresCluster:
        return self.running.cluster

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Look inside, as the master user."""
        with self.connect() as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def value(self, query: str, *parameters: object) -> Any:
        """The only column of the only row."""
        (row,) = self.rows(query, *parameters)
        (found,) = row.values()
        return found

    def let_waits_pass(self) -> None:
        """As if the minutes had gone by after which stuck, failed and interrupted work is taken up again."""
        with self.connect() as connection:
            for statement in _NOW_DUE:
                connection.execute(statement.encode())

    def stop_fast(self) -> None:
        """What a maintenance restart does: transactions are broken off, connections closed, data flushed."""
        self.running.stop()

    def cut_power(self) -> None:
        """Every process of the cluster is gone between two instructions."""
        backends = children(self.running.process.pid)
        self.running.kill()
        _kill(backends)

    def start_again(self) -> None:
        """After a power cut, recovery replays the write-ahead log first."""

        def start() -> RunningPostgres | None:
            try:
                return self.cluster.start()
            except PostgresError:
                return None  # the old shared memory may need a second to go away

        self.running = until(start, otherwise="PostgreSQL does not start again")

    def back_up(self) -> Path:
        """Copy the running cluster as a replica or a backup copies it; where the copy is."""
        copy = self.cluster.directory / "backup"
        command = [
            *(str(binary("pg_basebackup")), "-D", str(copy), "-X", "stream", "-c", "fast"),
            *("-h", "127.0.0.1", "-p", str(self.cluster.port), "-U", MASTER),
        ]
        done = subprocess.run(
            command,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
            **unprivileged(),
        )
        assert done.returncode == 0, done.stderr
        return copy

    def restore(self, copy: Path) -> None:
        """The cluster is lost, and what was copied takes its place: address, users and passwords are the same."""
        self.cut_power()
        shutil.rmtree(self.cluster.data)
        copy.rename(self.cluster.data)
        self.start_again()

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """A connection of the master user, in autocommit."""
        return psycopg.Connection[dict[str, Any]].connect(
            self.cluster.url, dbname=NAME, autocommit=True, row_factory=dict_row
        )


def start_database(directory: Path, *, port: int) -> PlatformDatabase:
    """A new cluster with the empty database and the users that services sign in as."""
    cluster = PostgresCluster(
        directory=directory / "postgres",
        port=port,
        superuser=MASTER,
        password=PASSWORD,
    )
    cluster.initialise()
    running = cluster.start()
    prepare(cluster, name=NAME, passwords=dict.fromkeys(SERVICE_USERS, PASSWORD))
    return PlatformDatabase(running)


def children(parent: int) -> list[int]:
    """Processes that this one started. PostgreSQL's backends lead sessions of their own, so a signal to the server's group does not reach them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            # "pid (name) state ppid …": the name may hold anything, even spaces and brackets.
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it ended by itself when the server was gone
            os.kill(pid, signal.SIGKILL)
