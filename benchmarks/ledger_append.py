"""How much of a plain INSERT's rate a double-entry posting keeps, while the sequencer takes what is posted.

32 writers (a process and a connection each), in turns, on one PostgreSQL with fsync on; writers, server and
sequencer share the machine's cores. Two comparisons:

- in a unit of work, as the application does it: `ledger.post` in `Database.transaction()`, without and with three
  commitments to personal data (salts, HMACs, encrypted openings), against one INSERT of a row of about the same size
  in `Database.transaction()`. This is the ratio.
- statement against statement, without SQLAlchemy: what `ledger.post` prepares and executes, sent by psycopg in
  autocommit, against the same INSERT sent likewise. Stricter: it leaves out what an application spends anyway.

An entry is: idempotency key, entry, transfer, the tables' checks, and its place in the log: the sequencer's work
falls into the same turns, and what it leaves for afterwards is said.
"""

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import psycopg
from pydantic import SecretStr
from sqlalchemy import TextClause, create_engine, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.infra.database import connect
from amply.infra.migrate import LOGIN_ROLES, migrate
from amply.infra.settings import DatabaseSettings
from amply.kernel.ids import new_id
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger import repository, service
from local_cloud.postgres import PostgresCluster
from tests.backend.conftest import free_port

WRITERS: Final = 32
ORGANIZATIONS: Final = 5
TURN_SECONDS: Final = 2.0
TURNS: Final = 4
DRAIN_SECONDS_MAX: Final = 60.0
_PASSWORD: Final = "benchmark-on-loopback"  # noqa: S105 -- a throw-away server on this machine
_ORIGIN: Final = "localhost/benchmark"
_PERSONAL: Final = {
    "donor_name": "Zoë Ångström",
    "donor_email": "zoe.angstroem@example.org",
    "donation_id": "don_01k9z3v8x4e5t6y7m8n9p0q1r2",
}

INSERT: Final = "INSERT INTO plain (id, created_at, payload) VALUES (:id, :now, :payload)"
_PAYLOAD: Final = "x" * 400

Act = Callable[[], object]
"""One transaction."""


def plain_row() -> dict[str, Any]:
    return {"id": new_id("row"), "now": datetime.now(UTC), "payload": _PAYLOAD}


def gift(personal: dict[str, str]) -> ledger.NewEntry:
    """A gift to one of a few organisations: accounts are popular."""
    organization_id = f"org_{secrets.randbelow(ORGANIZATIONS):026d}"
    return ledger.NewEntry(
        kind="donation.succeeded",
        organization_id=organization_id,
        idempotency_key=new_id("key"),
        transfers=ledger.donation_succeeded(
            organization_id=organization_id, amount=Money(minor_units=2_500, currency="EUR")
        ),
        event_at=datetime.now(UTC),
        reference="stripe:payment_intent:pi_3benchmark",
        personal=personal,
    )


@contextmanager
def insert_in_a_unit_of_work(settings: DatabaseSettings) -> Iterator[Act]:
    database, statement = connect(settings, application="benchmark", pool_size=1), text(INSERT)

    def act() -> None:
        with database.transaction() as session:
            session.execute(statement, plain_row())

    yield act
    database.close()


@contextmanager
def post_in_a_unit_of_work(settings: DatabaseSettings, personal: dict[str, str]) -> Iterator[Act]:
    database = connect(settings, application="benchmark", pool_size=1)
    vault = ledger.CommitmentSecrets(key=bytes(32))

    def act() -> None:
        with database.transaction() as session:
            ledger.post(session, entry=gift(personal), now=datetime.now(UTC), secrets=vault)

    yield act
    database.close()


@contextmanager
def execute(
    settings: DatabaseSettings, statement: TextClause, parameters: Callable[[], dict[str, Any]]
) -> Iterator[Act]:
    """A statement sent by the driver alone, prepared, each its own transaction."""
    sql = str(statement.compile(create_engine("postgresql+psycopg://"))).encode()
    with psycopg.connect(
        host=settings.host,
        port=settings.port,
        dbname=settings.name,
        user=settings.user,
        password=settings.password.get_secret_value(),
        autocommit=True,
        prepare_threshold=0,
    ) as connection:
        cursor = connection.cursor()
        yield lambda: cursor.execute(sql, parameters())


def post_statement(settings: DatabaseSettings) -> AbstractContextManager[Act]:
    vault = ledger.CommitmentSecrets(key=bytes(32))
    return execute(
        settings, repository.POST, lambda: service.prepare(gift({}), now=datetime.now(UTC), secrets=vault)
    )


KINDS: Final[dict[str, Callable[[DatabaseSettings], AbstractContextManager[Act]]]] = {
    "INSERT, unit of work": insert_in_a_unit_of_work,
    "double entry, unit of work": lambda settings: post_in_a_unit_of_work(settings, {}),
    "  with 3 commitments": lambda settings: post_in_a_unit_of_work(settings, _PERSONAL),
    "INSERT, statement alone": lambda settings: execute(settings, text(INSERT), plain_row),
    "double entry, statement alone": post_statement,
}


def write(settings: DatabaseSettings, kind: str, begin: float) -> int:
    """One writer's turn; returns how many transactions were acknowledged."""
    done = 0
    with KINDS[kind](settings) as act:
        time.sleep(max(0.0, begin - time.time()))
        while time.time() < begin + TURN_SECONDS:
            act()
            done += 1
    return done


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of this benchmark's own."""

    port: int
    master_url: str

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

    def count(self, query: str) -> int:
        with psycopg.connect(self.master_url) as connection:
            row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def server() -> Iterator[Server]:
    """Started, migrated, with the plain table."""
    with tempfile.TemporaryDirectory(prefix="amply-benchmark-") as room:
        Path(room).chmod(0o755)
        cluster = PostgresCluster(
            directory=Path(room) / "pg", port=free_port(), superuser="master", password=_PASSWORD
        )
        cluster.initialise()
        running = cluster.start()
        pg = Server(port=cluster.port, master_url=cluster.url)
        master = connect(pg.settings("master"), application="benchmark")
        migrate(master.engine)
        master.close()
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            for role in LOGIN_ROLES:
                connection.execute(f"ALTER ROLE {role} PASSWORD '{_PASSWORD}'".encode())
            connection.execute(
                "CREATE TABLE plain (id text PRIMARY KEY, created_at timestamptz, payload text)"
            )
            connection.execute("GRANT INSERT ON plain TO amply_app")
        yield pg
        running.stop()


@contextmanager
def sequencer(port: int) -> Iterator[None]:
    """The real process."""
    environment = os.environ | {
        "AMPLY_SERVICE": "sequencer",
        "AMPLY_ENVIRONMENT": "local",
        "AMPLY_LIVEMODE": "false",
        "AMPLY_LOG_ORIGIN": _ORIGIN,
        "AMPLY_DATABASE_HOST": "127.0.0.1",
        "AMPLY_DATABASE_PORT": str(port),
        "AMPLY_DATABASE_NAME": "postgres",
        "AMPLY_DATABASE_USER": "amply_sequencer",
        "AMPLY_DATABASE_AUTH": "password",
        "AMPLY_DATABASE_TLS": "disable",
        "AMPLY_DATABASE_PASSWORD": _PASSWORD,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "amply.entrypoints.sequencer"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def unsequenced(pg: Server) -> int:
    """Entries that have no place in the log yet."""
    return pg.count("SELECT (SELECT count(*) FROM entry) - (SELECT count(*) FROM leaf)")


def drain(pg: Server) -> float:
    """Wait until the sequencer has taken everything; seconds it took."""
    started = time.monotonic()
    while unsequenced(pg):
        if time.monotonic() - started > DRAIN_SECONDS_MAX:
            raise SystemExit("the sequencer does not catch up")
        time.sleep(0.02)
    return time.monotonic() - started


@dataclass(frozen=True)
class Measured:
    """Transactions a second by kind and turn; what was acknowledged; how far behind the sequencer was after a turn."""

    rates: dict[str, list[float]]
    acknowledged: int
    behind: list[int]
    drain_seconds: list[float]


def measure(pg: Server, pool: ProcessPoolExecutor) -> Measured:
    """All turns, the kinds interleaved."""
    result = Measured({kind: [] for kind in KINDS}, 0, [], [])
    acknowledged = 0
    for _ in range(TURNS):
        for kind in KINDS:
            begin = time.time() + 0.7
            shares = [pool.submit(write, pg.settings("amply_app"), kind, begin) for _ in range(WRITERS)]
            done = sum(share.result() for share in shares)
            result.rates[kind].append(done / TURN_SECONDS)
            if not kind.startswith("INSERT"):
                acknowledged += done
                result.behind.append(unsequenced(pg))
                result.drain_seconds.append(drain(pg))
    return Measured(result.rates, acknowledged, result.behind, result.drain_seconds)


def report(pg: Server, measured: Measured) -> None:
    """The table, and the last line for machines."""
    medians = {kind: statistics.median(rates) for kind, rates in measured.rates.items()}
    unit, alone = medians["INSERT, unit of work"], medians["INSERT, statement alone"]
    print(f"{'transactions/s, ' + str(WRITERS) + ' writers':<34}{'median':>9}{'of INSERT':>11}   turns")
    for kind, rates in measured.rates.items():
        turns = " ".join(f"{rate:,.0f}" for rate in rates)
        share = medians[kind] / (alone if kind.endswith("alone") else unit)
        print(f"{kind:<34}{medians[kind]:>9,.0f}{share:>11.0%}   {turns}")
    leaves = pg.count("SELECT count(*) FROM leaf")
    gaps = pg.count(
        "SELECT count(*) FROM leaf l WHERE idx > 0 AND NOT EXISTS (SELECT FROM leaf WHERE idx = l.idx - 1)"
    )
    print(f"\n{measured.acknowledged:,} entries acknowledged, {leaves:,} sequenced, {gaps} gaps.")
    print(
        f"At a turn's end the sequencer was {max(measured.behind):,} entries behind at most "
        f"and caught up within {max(measured.drain_seconds):.2f} s."
    )
    line = {
        "benchmark": "ledger_append",
        "ratio": round(medians["double entry, unit of work"] / unit, 3),
        "baseline": f"single-row INSERT, {WRITERS} writers",
        "ratio_with_commitments": round(medians["  with 3 commitments"] / unit, 3),
        "ratio_statement_alone": round(medians["double entry, statement alone"] / alone, 3),
        "missing": measured.acknowledged - leaves,
        "gaps": gaps,
        "entries": leaves,
        "behind_max": max(measured.behind),
        "drain_seconds_max": round(max(measured.drain_seconds), 2),
        "per_second": {kind.strip(): round(rate) for kind, rate in medians.items()},
    }
    print(json.dumps(line))


def main() -> None:
    with server() as pg, sequencer(pg.port), ProcessPoolExecutor(WRITERS, get_context("fork")) as pool:
        report(pg, measure(pg, pool))


if __name__ == "__main__":
    main()
