"""A PostgreSQL of a benchmark's own: on loopback, fsync on, migrated, and gone afterwards unless it is to be kept."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from pydantic import SecretStr

from amply.infra.database import connect
from amply.infra.migrate import migrate
from amply.infra.roles import LOGIN_ROLES, make_roles
from amply.infra.settings import DatabaseSettings
from local_cloud.postgres import PostgresCluster

PASSWORD: Final = "benchmark-on-loopback"  # noqa: S105 -- a throw-away server on this machine
_MASTER: Final = "master"
_PARAMETERS: Final = {"max_wal_size": "4GB"}
"""A million rows are written without a checkpoint every few seconds."""


@dataclass(frozen=True)
class Server:
    """Where it listens, and its process. Every role of the platform can sign in with PASSWORD."""

    port: int
    master_url: str
    pid: int = 0

    def settings(self, user: str) -> DatabaseSettings:
        """What the application is told to sign in as `user`."""
        return DatabaseSettings(
            host="127.0.0.1",
            port=self.port,
            name="postgres",
            user=user,
            auth="password",
            tls="disable",
            password=SecretStr(PASSWORD),
        )

    def execute(self, *statements: str) -> None:
        """Run statements as the master user, each committed at once."""
        with psycopg.connect(self.master_url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def count(self, query: str) -> int:
        """The number a query answers with."""
        with psycopg.connect(self.master_url) as connection:
            row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def server() -> Iterator[Server]:
    """Started and migrated; stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="amply-benchmark-") as room:
        Path(room).chmod(0o755)  # PostgreSQL may run as another user
        with kept(Path(room)) as pg:
            yield pg


@contextmanager
def kept(room: Path) -> Iterator[Server]:
    """The server whose data are in `room`: made where there is none, migrated, and stopped at the end. The data stay."""
    cluster = PostgresCluster(
        directory=room / "pg", port=free_port(), superuser=_MASTER, password=PASSWORD, parameters=_PARAMETERS
    )
    cluster.initialise()
    running = cluster.start()
    try:
        pg = Server(port=cluster.port, master_url=cluster.url, pid=running.process.pid)
        master = connect(pg.settings(_MASTER), application="benchmark")
        make_roles(master.engine)
        migrate(master.engine)
        master.close()
        # What the publisher does once it has compared the database with the public log.
        pg.execute("UPDATE booking_gate SET server_started = pg_postmaster_start_time(), of_table = tableoid")
        pg.execute(*(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'" for role in LOGIN_ROLES))
        yield pg
    finally:
        running.stop()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
