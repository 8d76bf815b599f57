"""Sequencer and publisher as processes: told to stop, without their database, without their stores."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from structlog.typing import EventDict

from amply.entrypoints import publisher
from amply.entrypoints.leader import Turn, lead
from amply.infra.database import Database
from amply.infra.migrate import migrate
from amply.infra.roles import LOGIN_ROLES, make_roles
from amply.infra.settings import DatabaseSettings
from amply.modules import ledger
from local_cloud.postgres import PostgresCluster, RunningPostgres
from tests.backend.conftest import PASSWORD, Databases, Server, environment_of, start_server
from tests.backend.ledger_world import NOW, ORIGIN, LedgerWorld, until
from tests.ports import free_port
from tests.tmpfs import room


@contextmanager
def leading(database: Database, *, lock: int, start: Callable[[], Turn]) -> Iterator[list[EventDict]]:
    """Run a process's loop in a thread; gives what it logs."""
    stopping = threading.Event()
    arguments = {"lock": lock, "start": start, "heartbeat_path": "", "stopping": stopping}
    thread = threading.Thread(target=lead, args=(database,), kwargs=arguments)
    with structlog.testing.capture_logs() as logs:
        thread.start()
        try:
            yield logs
        finally:
            stopping.set()
            thread.join(timeout=120)
            assert not thread.is_alive()


def events(logs: list[EventDict]) -> list[str]:
    return [line["event"] for line in logs]


@pytest.fixture
def own_server() -> Iterator[tuple[PostgresCluster, list[RunningPostgres]]]:
    """A PostgreSQL that may be killed without harming other tests."""
    with room("tests") as directory:
        running = [start_server(directory)]
        yield running[0].cluster, running
        running[-1].stop()


def test_the_sequencer_survives_a_database_that_is_killed_under_load(
    own_server: tuple[PostgresCluster, list[RunningPostgres]],
) -> None:
    cluster, running = own_server
    server = Server(running[0])
    master = server.connect(name="postgres", user="master")
    make_roles(master.engine)
    migrate(master.engine)
    master.close()
    for role in LOGIN_ROLES:
        server.run(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
    books = LedgerWorld(
        app=server.connect(name="postgres", user="amply_app"),
        sequencer=server.connect(name="postgres", user="amply_sequencer"),
    )
    with leading(books.sequencer, lock=ledger.SEQUENCER_LOCK, start=books.cleared_turns) as logs:
        until(books.takes_entries)
        books.post_many(50)
        until(lambda: len(books.leaves()) > 0)
        books.post_many(200)
        running[0].kill()
        until(lambda: "turn_failed" in events(logs))
        running.append(cluster.start())
        books.app.engine.dispose()
        until(books.takes_entries)
        books.post()
        until(lambda: len(books.leaves()) == 251)

    books.check_log(size=251)
    books.app.close()
    books.sequencer.close()


def test_the_publisher_goes_on_when_its_stores_answer_again(books: LedgerWorld) -> None:
    away = threading.Event()
    away.set()

    class Away:
        """A public log that may be out of reach."""

        def __getattr__(self, name: str) -> object:
            if away.is_set():
                raise ConnectionError("the store is away")
            return getattr(books.public_log, name)

    outside = publisher.PublisherDependencies(
        signer=books.signer,
        public_log=Away(),  # type: ignore[arg-type] # it passes everything on
        archive=books.archive,
        witnesses=books.witnesses,
    )
    books.post()
    books.sequence()
    start = lambda: publisher.turns(books.sequencer, origin=ORIGIN, outside=outside, clock=lambda: NOW)  # noqa: E731 -- handed on as it is
    began = time.monotonic()
    with leading(books.sequencer, lock=ledger.PUBLISHER_LOCK, start=start) as logs:
        until(lambda: events(logs).count("turn_failed") >= 2)
        assert books.public_log.note is None
        away.clear()
        until(lambda: books.public_log.note is not None)
        until(lambda: publisher.PUBLISHED in events(logs))
        took = time.monotonic() - began
    assert books.public_checkpoint().size == 1
    (measured,) = [line for line in logs if line["event"] == publisher.PUBLISHED]
    assert measured["size"] == 1
    assert 0 <= measured["publishing_seconds"] <= round(took, 3)


def test_a_refused_fork_is_shouted_about_and_the_process_stays(books: LedgerWorld) -> None:
    outside = publisher.PublisherDependencies(
        signer=books.signer, public_log=books.public_log, archive=books.archive, witnesses=books.witnesses
    )
    books.public_log.note = "not a checkpoint"
    start = lambda: publisher.turns(books.sequencer, origin=ORIGIN, outside=outside, clock=lambda: NOW)  # noqa: E731 -- handed on as it is
    with leading(books.sequencer, lock=ledger.PUBLISHER_LOCK, start=start) as logs:
        until(lambda: events(logs).count("turn_failed") >= 2)

    assert "Nothing was signed" in logs[-1]["error"]
    assert logs[-1]["log_level"] == "error"
    assert books.signer.signed == 0


def process(module: str, settings: DatabaseSettings, heartbeat: Path) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AMPLY_SERVICE": "sequencer",
        "AMPLY_ENVIRONMENT": "local",
        "AMPLY_LIVEMODE": "false",
        "AMPLY_HEARTBEAT_PATH": str(heartbeat),
        "AMPLY_LOG_ORIGIN": ORIGIN,
        **environment_of(settings),
    }
    return subprocess.Popen(
        [sys.executable, "-m", module], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_the_sequencer_process_works_beats_and_ends_on_sigterm(
    books: LedgerWorld, databases: Databases, tmp_path: Path
) -> None:
    settings = databases.server.settings(name=databases.name, user="amply_sequencer")
    heartbeat = tmp_path / "heartbeat"
    running = process("amply.entrypoints.sequencer", settings, heartbeat)
    try:
        books.post()
        until(lambda: ledger.clearance_is_due(books.sequencer))
        books.clear()
        until(lambda: len(books.leaves()) == 1)
        until(heartbeat.exists)
        assert check_health("heartbeat", AMPLY_HEARTBEAT_PATH=str(heartbeat)) == 0
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=120)
        assert running.returncode == 0, output.decode()
        assert b'"event": "leading"' in output
    finally:
        running.kill()
        running.communicate()


def check_health(check: str, **environment: str) -> int:
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-m", "amply.entrypoints.health", check]
    return subprocess.run(command, env=environment, check=False, capture_output=True).returncode


def test_a_process_that_has_not_turned_for_a_minute_is_not_well(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    assert check_health("heartbeat", AMPLY_HEARTBEAT_PATH=str(heartbeat)) == 1
    heartbeat.touch()
    assert check_health("heartbeat", AMPLY_HEARTBEAT_PATH=str(heartbeat)) == 0
    os.utime(heartbeat, (1, 1))
    assert check_health("heartbeat", AMPLY_HEARTBEAT_PATH=str(heartbeat)) == 1


def test_an_api_that_does_not_answer_is_not_well() -> None:
    assert check_health("http", AMPLY_API_PORT=str(free_port()), AMPLY_API_TLS="false") == 1
    assert check_health("nonsense") == 1
