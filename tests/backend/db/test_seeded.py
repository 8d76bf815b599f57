"""What `make seed-large` writes: the same for the same seed, through every rule of the database, and never twice."""
# ruff: noqa: S608 -- statements are put together from this file's own words

import psycopg
import pytest
from sqlalchemy import text

from amply.infra.database import Database
from benchmarks.apparatus import large
from ledger_format.entries import decode
from tests.backend.conftest import PASSWORD, Databases

SIZE = large.Size(organizations=20, gifts=600, batch=200, seed=7)
_DIGESTS = {
    "donation": "id, organization_id, minor_units, currency, status, entry_id, created_at, fund_id",
    "payment": "id, donation_id, account_id, remote_id",
    "entry": "id, organization_id, event_at",
    "transfer": "entry_id, debit, credit, currency, amount_minor",
    "leaf": "idx, entry_id, org, org_seq, leaf_hash",
    "ledger_day": "org, day, kind, currency, entries, amount_minor",
}


def url_of(databases: Databases) -> str:
    port = databases.server.running.cluster.port
    return f"postgresql://master:{PASSWORD}@127.0.0.1:{port}/{databases.name}"


def digests(database: Database) -> dict[str, str]:
    with database.transaction() as session:
        return {
            table: session.scalars(
                text(
                    f"SELECT md5(string_agg(CAST(({columns}) AS text), '' ORDER BY ({columns}))) FROM {table}"
                )
            ).one()
            for table, columns in _DIGESTS.items()
        }


def count(database: Database, what: str) -> int:
    with database.transaction() as session:
        return int(session.scalars(text(f"SELECT count(*) FROM {what}")).one())


def test_what_is_seeded_is_a_ledger_whose_chains_hold(database: Database, databases: Databases) -> None:
    assert large.fill(url_of(databases), database, SIZE)
    assert (count(database, "organization"), count(database, "donation")) == (20, 600)
    arrived = count(database, "donation WHERE status = 'succeeded'")
    assert arrived == count(database, "leaf") == count(database, "entry") > 400
    largest = f"donation WHERE organization_id = '{large.organization_id(0)}'"
    assert count(database, largest) > 150
    with database.transaction() as session:
        rows = session.execute(text("SELECT org, org_seq, bytes FROM leaf ORDER BY idx")).all()
    for row in rows:
        entry = decode(bytes(row.bytes))
        assert (entry.org, entry.org_seq) == (row.org, row.org_seq)
    assert count(database, "checkpoint") == 3

    before = digests(database)
    assert not large.fill(url_of(databases), database, SIZE)
    assert digests(database) == before
    with pytest.raises(SystemExit, match="other numbers"):
        large.fill(url_of(databases), database, large.Size(organizations=20, gifts=600, batch=200, seed=8))


def test_a_run_that_was_ended_goes_on_and_makes_the_same_rows(
    database: Database, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = large._write

    def ends_in_the_second(connection: psycopg.Connection[tuple[object, ...]], *given: object) -> None:
        write(connection, *given)  # type: ignore[arg-type] # as it was called
        if given[1] == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(large, "_write", ends_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        large.fill(url_of(databases), database, SIZE)
    assert count(database, "donation") == 200
    monkeypatch.undo()
    assert large.fill(url_of(databases), database, SIZE)
    resumed = digests(database)

    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for table in (
            *_DIGESTS,
            "checkpoint",
            "receipt",
            "seeded",
            "account",
            "processor_account",
            "fund",
            "organization",
        ):
            session.execute(text(f"DELETE FROM {table}"))
        session.execute(text("UPDATE ledger_day_fold SET folded_to = 0"))
    master.close()
    assert large.fill(url_of(databases), database, SIZE)
    assert digests(database) == resumed
