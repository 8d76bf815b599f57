"""How much of a plain INSERT's rate a double-entry posting keeps, while the sequencer takes what is posted.

32 writers (a process and a connection each), in turns, on one PostgreSQL with fsync on; writers, server and
sequencer share the machine's cores. Three comparisons:

- in a unit of work, as the application does it: `ledger.post` in `Database.transaction()`, without and with four
  commitments to personal data (salts, HMACs, encrypted openings), against one INSERT of a row of about the same size
  in `Database.transaction()`. This is the ratio.
- insert-only: the row of `entry` alone with its transaction, number and indexes, in a table like it without transfers
  or triggers: what being in the log asks of a writer before there is any double entry. Against the same INSERT.
- statement against statement, without SQLAlchemy: what `ledger.post` prepares and executes, sent by psycopg in
  autocommit, against the same INSERT sent likewise. Stricter: it leaves out what an application spends anyway.

The first two are taken once more while no sequencer runs: what the double entry costs apart from the sequencer's share
of the cores. What that leaves is sequenced afterwards and counted.

It takes about four minutes. `--quick` takes one short turn of few writers: enough to see that it runs, not to believe
its figures.

An entry is: idempotency key, entry, transfer, the tables' checks, and its place in the log with a posting for each
account: the sequencer's work falls into the same turns, and what it leaves for afterwards is said.
"""

import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import TextClause, create_engine, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from amply.infra.database import connect
from amply.infra.settings import DatabaseSettings
from amply.kernel.ids import new_id, new_random_id
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger import repository, service
from benchmarks.apparatus.order_of_places import count_out_of_order
from benchmarks.apparatus.postgresql import PASSWORD, Server, server

IS_QUICK: Final = "--quick" in sys.argv
WRITERS: Final = 4 if IS_QUICK else 32
WARM_UP_ACTS: Final = 3
"""Before the clock starts: opening a connection and filling caches is not what is compared."""

ORGANIZATIONS: Final = 5
START_SECONDS: Final = 0.5 if IS_QUICK else 1.5
"""All writers have warmed up by then."""

TURN_SECONDS: Final = 0.5 if IS_QUICK else 1.5
TURNS: Final = 1 if IS_QUICK else 7
WAIT_SECONDS_MAX: Final = 60.0
_ORIGIN: Final = "localhost/benchmark"
_PERSONAL: Final = {
    "donor_name": "Zoë Ångström",
    "donor_email": "zoe.angstroem@example.org",
    "donation_id": "don_01k9z3v8x4e5t6y7m8n9p0q1r2",
    "reference": "stripe:payment_intent:pi_3benchmark",
}

INSERT: Final = "INSERT INTO plain (id, created_at, payload) VALUES (:id, :now, :payload)"
_PAYLOAD: Final = "x" * 400
ENTRY_ROW: Final = """
    INSERT INTO entry_row (id, kind, organization_id, idempotency_key, event_at, created_at, commitments)
    VALUES (:id, :kind, :organization_id, :id, :now, :now, CAST(:commitments AS jsonb))
"""
PLAIN_TABLE: Final = (
    "CREATE TABLE entry_row (LIKE entry INCLUDING ALL)",
    "GRANT INSERT ON entry_row TO amply_app",
    "CREATE TABLE plain (id text PRIMARY KEY, created_at timestamptz, payload text)",
    "GRANT INSERT ON plain TO amply_app",
)

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
        reference=None,
        personal=personal,
    )


def entry_row() -> dict[str, Any]:
    return {
        "id": new_random_id("ent"),
        "kind": "donation.succeeded",
        "organization_id": f"org_{secrets.randbelow(ORGANIZATIONS):026d}",
        "now": datetime.now(UTC),
        "commitments": "{}",
    }


@contextmanager
def insert_in_a_unit_of_work(
    settings: DatabaseSettings, sql: str, row: Callable[[], dict[str, Any]]
) -> Iterator[Act]:
    database, statement = connect(settings, application="benchmark", pool_size=1), text(sql)

    def act() -> None:
        with database.transaction() as session:
            session.execute(statement, row())

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
    "INSERT, unit of work": lambda settings: insert_in_a_unit_of_work(settings, INSERT, plain_row),
    "insert-only, unit of work": lambda settings: insert_in_a_unit_of_work(settings, ENTRY_ROW, entry_row),
    "double entry, unit of work": lambda settings: post_in_a_unit_of_work(settings, {}),
    "  with 4 commitments": lambda settings: post_in_a_unit_of_work(settings, _PERSONAL),
    "INSERT, statement alone": lambda settings: execute(settings, text(INSERT), plain_row),
    "double entry, statement alone": post_statement,
}

WITHOUT_SEQUENCER: Final = ("INSERT, unit of work", "double entry, unit of work")
"""Taken once more while no sequencer runs."""


@dataclass(frozen=True)
class Share:
    """One writer's part of a turn: transactions acknowledged, and how many a second while its clock ran."""

    acknowledged: int
    rate: float


def write(settings: DatabaseSettings, kind: str, begin: float) -> Share:
    """One writer's turn. On a machine so busy that warming up takes longer than planned, its clock starts later."""
    timed = 0
    with KINDS[kind](settings) as act:
        for _ in range(WARM_UP_ACTS):
            act()
        time.sleep(max(0.0, begin - time.time()))
        started = time.monotonic()
        while (seconds := time.monotonic() - started) < TURN_SECONDS:
            act()
            timed += 1
    return Share(acknowledged=timed + WARM_UP_ACTS, rate=timed / seconds)


@contextmanager
def sequencer(pg: Server) -> Iterator[None]:
    """The real process, let go as the publisher would."""
    environment = os.environ | {
        "AMPLY_SERVICE": "sequencer",
        "AMPLY_ENVIRONMENT": "local",
        "AMPLY_LIVEMODE": "false",
        "AMPLY_LOG_ORIGIN": _ORIGIN,
        "AMPLY_DATABASE_HOST": "127.0.0.1",
        "AMPLY_DATABASE_PORT": str(pg.port),
        "AMPLY_DATABASE_NAME": "postgres",
        "AMPLY_DATABASE_USER": "amply_sequencer",
        "AMPLY_DATABASE_AUTH": "password",
        "AMPLY_DATABASE_TLS": "disable",
        "AMPLY_DATABASE_PASSWORD": PASSWORD,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "amply.entrypoints.sequencer"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: pg.count("SELECT count(*) FROM clearance") > 0, "the sequencer does not ask")
        pg.execute("UPDATE clearance SET cleared_at = now()")
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
    wait_until(lambda: unsequenced(pg) == 0, "the sequencer does not catch up")
    return time.monotonic() - started


def wait_until(is_so: Callable[[], bool], complaint: str) -> None:
    """Look every 20 ms; after WAIT_SECONDS_MAX end with the complaint."""
    give_up = time.monotonic() + WAIT_SECONDS_MAX
    while not is_so():
        if time.monotonic() > give_up:
            raise SystemExit(complaint)
        time.sleep(0.02)


@dataclass(frozen=True)
class Measured:
    """Transactions a second by kind and turn; what was acknowledged; how far behind the sequencer was after a turn."""

    rates: dict[str, list[float]]
    acknowledged: int
    behind: list[int]
    drain_seconds: list[float]

    def share(self, kind: str) -> float:
        """The median, over turns, of this kind's rate against INSERT's in the same turn."""
        insert = "INSERT, statement alone" if kind.endswith("alone") else "INSERT, unit of work"
        pairs = zip(self.rates[kind], self.rates[insert], strict=True)
        return statistics.median(rate / plain for rate, plain in pairs)


def turn(pg: Server, pool: ProcessPoolExecutor, kind: str, result: Measured) -> int:
    """All writers' turn of one kind; how many entries they have posted."""
    begin = time.time() + START_SECONDS
    futures = [pool.submit(write, pg.settings("amply_app"), kind, begin) for _ in range(WRITERS)]
    shares = [future.result() for future in futures]
    result.rates.setdefault(kind, []).append(sum(share.rate for share in shares))
    return 0 if kind.lower().startswith("insert") else sum(share.acknowledged for share in shares)


def measure(pg: Server, pool: ProcessPoolExecutor, *, turns: int) -> Measured:
    """All turns beside a live sequencer, the kinds interleaved."""
    result = Measured({}, 0, [], [])
    acknowledged = 0
    for _ in range(turns):
        for kind in KINDS:
            posted = turn(pg, pool, kind, result)
            if posted:
                acknowledged += posted
                result.behind.append(unsequenced(pg))
                result.drain_seconds.append(drain(pg))
    return replace(result, acknowledged=acknowledged)


def measure_alone(pg: Server, pool: ProcessPoolExecutor, *, turns: int) -> Measured:
    """All turns of the writers' own part, with no sequencer."""
    result = Measured({}, 0, [], [])
    acknowledged = sum(turn(pg, pool, kind, result) for _ in range(turns) for kind in WITHOUT_SEQUENCER)
    return replace(result, acknowledged=acknowledged)


def report(pg: Server, measured: Measured, alone: Measured) -> None:
    """The table, and the last line for machines."""
    medians = {kind: statistics.median(rates) for kind, rates in measured.rates.items()}
    print(f"{'transactions/s, ' + str(WRITERS) + ' writers':<34}{'median':>9}{'of INSERT':>11}   turns")
    for kind, rates in measured.rates.items():
        turns = " ".join(f"{rate:,.0f}" for rate in rates)
        print(f"{kind:<34}{medians[kind]:>9,.0f}{measured.share(kind):>11.0%}   {turns}")
    print("while no sequencer runs:")
    for kind in WITHOUT_SEQUENCER:
        turns = " ".join(f"{rate:,.0f}" for rate in alone.rates[kind])
        print(f"{kind:<34}{statistics.median(alone.rates[kind]):>9,.0f}{alone.share(kind):>11.0%}   {turns}")
    acknowledged = measured.acknowledged + alone.acknowledged
    leaves = pg.count("SELECT count(*) FROM leaf")
    gaps = pg.count(
        "SELECT count(*) FROM leaf l WHERE idx > 0 AND NOT EXISTS (SELECT FROM leaf WHERE idx = l.idx - 1)"
    )
    print(f"\n{acknowledged:,} entries acknowledged, {leaves:,} sequenced, {gaps} gaps.")
    print(
        f"At a turn's end the sequencer was {max(measured.behind):,} entries behind at most "
        f"and caught up within {max(measured.drain_seconds):.2f} s."
    )
    line = {
        "benchmark": "ledger_append",
        "ratio": round(measured.share("double entry, unit of work"), 3),
        "baseline": f"single-row INSERT, {WRITERS} writers",
        "ratio_insert_only": round(measured.share("insert-only, unit of work"), 3),
        "ratio_without_sequencer": round(alone.share("double entry, unit of work"), 3),
        "ratio_with_commitments": round(measured.share("  with 4 commitments"), 3),
        "ratio_statement_alone": round(measured.share("double entry, statement alone"), 3),
        "missing": acknowledged - leaves,
        "out_of_order": count_out_of_order(pg),
        "gaps": gaps,
        "entries": leaves,
        "behind_max": max(measured.behind),
        "drain_seconds_max": round(max(measured.drain_seconds), 2),
        "per_second": {kind.strip(): round(rate) for kind, rate in medians.items()},
    }
    print(json.dumps(line))


def main() -> None:
    with server() as pg, ProcessPoolExecutor(WRITERS, get_context("fork")) as pool:
        pg.execute(*PLAIN_TABLE)
        alone = measure_alone(pg, pool, turns=TURNS)
        with sequencer(pg):
            drain(pg)
            report(pg, measure(pg, pool, turns=TURNS), alone)


if __name__ == "__main__":
    main()
