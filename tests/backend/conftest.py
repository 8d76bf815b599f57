"""A real PostgreSQL for each test worker, migrated to the newest schema.

`database` is for tests that really commit: it is a fresh database per test, cloned from a migrated template.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import event

from amply.entrypoints import keyring_setup
from amply.infra.database import Database, connect
from amply.infra.migrate import migrate
from amply.infra.roles import LOGIN_ROLES, MIGRATOR, make_roles
from amply.infra.settings import DatabaseSettings
from amply.kernel.ids import new_id
from amply.modules.ledger import booking_gate
from local_cloud.postgres import PostgresCluster, RunningPostgres
from tests.backend import documented
from tests.backend.key_service import HAVE_KEYS, ONLY_OPENS, MemoryTrees, Wrapping, keyring, keyring_for
from tests.backend.ledger_world import NOW, LedgerWorld
from tests.ports import free_port
from tests.tmpfs import room

PASSWORD = "for-tests-on-loopback"
_PLAIN = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


@dataclass(kw_only=True)
class Lent:
    """An opened role that goes from test to test, since a new one would compile every statement again."""

    database: Database
    to: str
    """The name of the database that its next connection is made to."""


@dataclass(frozen=True)
class Server:
    """The worker's PostgreSQL, and how to sign in to one of its databases as one of its roles."""

    running: RunningPostgres
    idle: dict[tuple[str, int], list[Lent]] = field(default_factory=lambda: defaultdict(list))
    """What no test uses, by role and size of its pool."""

    def settings(self, *, name: str, user: str) -> DatabaseSettings:
        return DatabaseSettings(
            host="127.0.0.1",
            port=self.running.cluster.port,
            name=name,
            user=user,
            auth="password",
            tls="disable",
            password=SecretStr(PASSWORD),
        )

    def connect(self, *, name: str, user: str, pool_size: int = 5) -> Database:
        return connect(self.settings(name=name, user=user), application="tests", pool_size=pool_size)

    def lend(self, *, name: str, user: str, pool_size: int) -> Lent:
        """A role, opened for one user at a time, who closes it and puts it back among the idle."""
        found = self.idle[user, pool_size]
        if found:
            lent = found.pop()
            lent.to = name
            return lent
        lent = Lent(database=self.connect(name=name, user=user, pool_size=pool_size), to=name)

        def choose(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
            parameters["dbname"] = lent.to

        event.listen(lent.database.engine, "do_connect", choose, insert=True)
        return lent

    def run(self, statement: str) -> None:
        """Run one statement as the master user, outside any transaction."""
        with psycopg.connect(self.running.cluster.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def copy(self, template: str, *, name: str) -> None:
        """A database as another one is now, which nobody may be using. Its files are copied, which is the faster way."""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")


@dataclass(frozen=True)
class Databases:
    """One test's database, opened as each of the roles that use it."""

    server: Server
    name: str
    lent: list[tuple[tuple[str, int], Lent]] = field(default_factory=list)

    def as_role(self, user: str, *, pool_size: int = 5) -> Database:
        lent = self.server.lend(name=self.name, user=user, pool_size=pool_size)
        self.lent.append(((user, pool_size), lent))
        lent.database.keyring = keyring_for(user, lent.database, bucket=self.name)
        return lent.database

    def sign_commands_in(self, monkeypatch: pytest.MonkeyPatch, *, user: str) -> None:
        """Let commands that run in this process use the database as one of the roles: by their environment, as in a task."""
        for name, value in environment_of(self.server.settings(name=self.name, user=user)).items():
            monkeypatch.setenv(name, value)

    def put_back(self) -> None:
        """At the end: close all that was opened, for the next test."""
        for kind, lent in self.lent:
            lent.database.close()
            self.server.idle[kind].append(lent)


def environment_of(settings: DatabaseSettings) -> dict[str, str]:
    """What a process is told of its database."""
    told = {name: str(getattr(settings, name)) for name in ("host", "port", "name", "user", "auth", "tls")}
    told["password"] = settings.password.get_secret_value()
    keys: dict[str, str] = {}
    if settings.user in {*HAVE_KEYS, ONLY_OPENS}:
        keys["AMPLY_PERSONAL_KEY_ARN"] = "of the tests"
    if settings.user in HAVE_KEYS:
        keys["AMPLY_KEY_TREE_BUCKET"] = settings.name
    return {**{f"AMPLY_DATABASE_{name.upper()}": value for name, value in told.items()}, **keys}


def start_server(directory: Path) -> RunningPostgres:
    cluster = PostgresCluster(
        directory=directory / "pg",
        port=free_port(),
        superuser="master",
        password=PASSWORD,
        durable=False,
    )
    cluster.initialise()
    running = cluster.start()
    hash_once(running, "master")
    return running


def hash_once(running: RunningPostgres, *roles: str) -> None:
    """Give roles the tests' password, hashed once: each of thousands of connections would hash it 4,096 times on both sides."""
    with psycopg.connect(running.cluster.url, autocommit=True) as connection:
        connection.execute("SET scram_iterations = 1")
        for role in roles:
            connection.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'".encode())


def let_bookings_in(database: Database) -> None:
    """What a publisher does once it has compared the database with the public log."""
    with database.transaction() as session:
        booking_gate.open_bookings(session, life=booking_gate.present_life(session), now=NOW)


@pytest.fixture(scope="session", autouse=True)
def every_problem_is_documented() -> Iterator[None]:
    """Whatever a test asks the API: a problem that its route does not document fails the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "request", documented.checked(TestClient.request))
        yield


@pytest.fixture(scope="session", autouse=True)
def commands_have_the_tests_keys() -> Iterator[None]:
    """A command that runs inside a test opens what the test's processes sealed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyring_setup, "KmsKeyWrapping", Wrapping)
        patch.setattr(keyring_setup, "S3KeyTrees", MemoryTrees)
        yield


@pytest.fixture(autouse=True)
def logs_end_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that runs inside a test sets up logging for its process: no other test may find it so.

    Loggers that keep what they were first set up with would be lost to whoever captures lines later.
    """
    configure = structlog.configure

    def uncached(**settings: Any) -> None:
        configure(**(settings | {"cache_logger_on_first_use": False}))

    # Structlog's own way to print an error shows what every variable holds, while other threads go on changing it.
    configure(processors=[*structlog.get_config()["processors"][:-1], _PLAIN])
    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with room("tests") as directory:
        running = start_server(directory)
        started = Server(running)
        started.run("CREATE DATABASE template_amply")
        master = started.connect(name="template_amply", user="master")
        make_roles(master.engine)
        master.close()
        hash_once(running, *LOGIN_ROLES)
        migrator = started.connect(name="template_amply", user=MIGRATOR)
        migrate(migrator.engine)
        migrator.close()
        worker = started.connect(name="template_amply", user="amply_app")
        keyring(worker, bucket="template_amply")
        worker.close()
        publisher = started.connect(name="template_amply", user="amply_sequencer")
        let_bookings_in(publisher)
        publisher.close()
        yield started
        running.stop()


@contextmanager
def fresh_databases(server: Server) -> Iterator[Databases]:
    """A fresh database that really commits, and goes afterwards."""
    name = new_id("test")
    server.copy("template_amply", name=name)
    MemoryTrees.copy("template_amply", name=name)
    made = Databases(server, name)
    try:
        yield made
    finally:
        made.put_back()
        server.run(f"DROP DATABASE {name} WITH (FORCE)")
        MemoryTrees.drop(name)


@pytest.fixture
def databases(server: Server) -> Iterator[Databases]:
    with fresh_databases(server) as made:
        yield made


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """The fresh database as the application's role."""
    opened = databases.as_role("amply_app")
    yield opened
    opened.close()


@pytest.fixture
def books(databases: Databases) -> Iterator[LedgerWorld]:
    """A ledger in the fresh database, and fakes for what lies outside it."""
    app, sequencer = databases.as_role("amply_app"), databases.as_role("amply_sequencer")
    yield LedgerWorld(app=app, sequencer=sequencer)
    app.close()
    sequencer.close()
