"""The database's disk is full: what was acknowledged stays, what was not is refused, and the log goes on by itself.

A limit on the size of files stands for the end of the disk: it needs no mount and no rights, and PostgreSQL meets the
same refused write. Segments of its write-ahead log have 1 MiB here, so that a limit of as much lets it write its log and
stops tables from growing; a smaller one stops the log itself, which no database survives without a restart.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from amply.infra.migrate import migrate
from amply.infra.roles import LOGIN_ROLES, make_roles
from amply.modules import ledger
from local_cloud.postgres import PostgresCluster, RunningPostgres, binary, unprivileged
from tests.backend.committed.test_ledger_processes import events, leading
from tests.backend.conftest import PASSWORD, Server, hash_once, let_bookings_in
from tests.backend.ledger_world import LedgerWorld, until
from tests.faults.database import children
from tests.ports import free_port
from tests.tmpfs import room

MEBIBYTE = 1 << 20
ENTRIES_AT_ONCE = 100
BATCHES_MAX = 60


@dataclass
class SmallDisk:
    """A PostgreSQL whose files can be kept from growing."""

    running: RunningPostgres

    def limit(self, octets: int | None) -> None:
        """No file of its may be longer from now on; what is longer stays as it is. None: no limit."""
        server = self.running.process.pid
        for pid in (server, *children(server)):
            # As the server's own user, who needs no right to do that; a backend may have ended meanwhile.
            command = ["prlimit", "--pid", str(pid), f"--fsize={octets or 'unlimited'}:unlimited"]
            done = subprocess.run(command, check=False, capture_output=True, text=True, **unprivileged())
            assert done.returncode == 0 or "No such process" in done.stderr, done.stderr

    def make_room(self) -> None:
        self.limit(None)

    def start_again(self) -> None:
        self.running = self.running.cluster.start()


def _cluster(directory: Path) -> PostgresCluster:
    return PostgresCluster(directory=directory, port=free_port(), superuser="master", password=PASSWORD)


@pytest.fixture(scope="module")
def migrated() -> Iterator[Path]:
    """A stopped server's folder with the schema in it, of which each test has a copy."""
    with room("tests") as directory:
        cluster = _cluster(directory / "pg")
        cluster.initialise()
        smaller = [str(binary("pg_resetwal")), "--wal-segsize=1", "-D", str(cluster.data)]
        subprocess.run(smaller, check=True, capture_output=True, **unprivileged())
        running = cluster.start()
        server = Server(running)
        master = server.connect(name="postgres", user="master")
        make_roles(master.engine)
        migrate(master.engine)
        master.close()
        hash_once(running, *LOGIN_ROLES)
        running.stop()
        yield cluster.directory


@pytest.fixture
def disk(migrated: Path) -> Iterator[SmallDisk]:
    with room("tests") as directory:
        # With its owner: the server runs as another user.
        subprocess.run(["cp", "-a", str(migrated), str(directory)], check=True)
        small = SmallDisk(_cluster(directory / migrated.name).start())
        yield small
        small.running.stop()


@pytest.fixture
def books(disk: SmallDisk) -> Iterator[LedgerWorld]:
    server = Server(disk.running)
    made = LedgerWorld(
        app=server.connect(name="postgres", user="amply_app"),
        sequencer=server.connect(name="postgres", user="amply_sequencer"),
    )
    let_bookings_in(made.sequencer)
    yield made
    made.app.close()
    made.sequencer.close()


def post_until_refused(books: LedgerWorld) -> int:
    """How many entries were acknowledged before the disk was full."""
    for batch in range(BATCHES_MAX):
        try:
            books.post_many(ENTRIES_AT_ONCE)
        except DBAPIError:
            return batch * ENTRIES_AT_ONCE
    pytest.fail("the disk does not become full")


def test_tables_that_cannot_grow_refuse_entries_and_lose_none(disk: SmallDisk, books: LedgerWorld) -> None:
    with leading(books.sequencer, lock=ledger.SEQUENCER_LOCK, start=books.cleared_turns):
        disk.limit(MEBIBYTE)
        acknowledged = post_until_refused(books)
        assert acknowledged > 0
        disk.make_room()

        books.post()
        until(lambda: len(books.leaves()) == acknowledged + 1)

    books.check_log(size=acknowledged + 1)


def test_places_that_cannot_be_written_are_given_later(disk: SmallDisk, books: LedgerWorld) -> None:
    """The sequencer alone meets the full disk: entries are booked before it, and have their places afterwards."""
    for _ in range(10):
        books.post_many(300)
    disk.limit(MEBIBYTE)
    with leading(books.sequencer, lock=ledger.SEQUENCER_LOCK, start=books.cleared_turns) as logs:
        until(lambda: "turn_failed" in events(logs))
        assert books.leaves() == []
        disk.make_room()
        until(lambda: len(books.leaves()) == 3_000)

    books.check_log(size=3_000)


def test_a_write_ahead_log_that_cannot_be_written_stops_the_server_and_nothing_is_lost(
    disk: SmallDisk, books: LedgerWorld
) -> None:
    with leading(books.sequencer, lock=ledger.SEQUENCER_LOCK, start=books.cleared_turns) as logs:
        books.post_many(ENTRIES_AT_ONCE)
        disk.limit(1 << 13)
        lost = post_until_refused(books)
        assert lost == 0, "not even one transaction finds room"
        disk.running.process.wait(timeout=60)
        until(lambda: "turn_failed" in events(logs))

        disk.start_again()
        books.app.engine.dispose()
        until(books.takes_entries)
        books.post()
        until(lambda: len(books.leaves()) == ENTRIES_AT_ONCE + 1)

    books.check_log(size=ENTRIES_AT_ONCE + 1)
