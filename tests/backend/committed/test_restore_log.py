"""The database lost entries that are public: they come back as they were published, or nothing is written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from amply.entrypoints.admin import main as admin
from amply.infra.migrate import OWNER
from amply.modules import ledger
from ledger_format.tiles import decode_bundle, encode_bundle
from tests.backend.committed.test_ledger_publishing import check_public
from tests.backend.conftest import PASSWORD, Databases
from tests.backend.ledger_world import NOW, OTHER_ORG, LedgerWorld

LOST_TABLES = ("opening", "transfer", "entry", "leaf", "tile", "balance", "checkpoint", "outbox")


@pytest.fixture
def lose(databases: Databases) -> Callable[[], None]:
    """Remember the database as it is; what is called later puts it back to that."""
    master = databases.as_role("master")
    with master.transaction() as session:
        for table in LOST_TABLES:
            session.execute(text(f"CREATE TABLE kept_{table} AS TABLE {table}"))
    master.close()

    def back() -> None:
        forgetful = databases.as_role("master")
        generated = {"leaf": "idx, entry_id, org, org_seq, org_prev, bytes"}
        generated["checkpoint"] = "size, previous_size, root, note, created_at, published_at"
        with forgetful.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for table in LOST_TABLES:
                columns = generated.get(table, "*")
                into = f"{table} ({columns})" if columns != "*" else table
                session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 -- the tables above
                copy = f"INSERT INTO {into} OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept_{table}"  # noqa: S608 -- likewise
                session.execute(text(copy))
        forgetful.close()

    return back


@pytest.fixture
def restore(books: LedgerWorld, databases: Databases) -> Callable[..., ledger.Restored]:
    def run(*facts: ledger.NewEntry) -> ledger.Restored:
        def read(path: str) -> bytes | None:
            note = books.public_log.note
            return note.encode() if path == "checkpoint" and note else books.public_log.objects.get(path)

        master = databases.as_role("master")
        try:
            return ledger.restore_log(
                master, key=books.verifier, read=read, facts=facts, now=NOW, owner=OWNER
            )
        finally:
            master.close()

    return run


def publish(books: LedgerWorld, *entries: ledger.NewEntry) -> list[str]:
    """Book these, sequence and publish; their ids."""
    with books.app.transaction() as session:
        posted = [ledger.post(session, entry=entry, now=NOW, secrets=books.secrets).id for entry in entries]
    books.sequence()
    books.publish()
    return posted


@pytest.fixture
def some(books: LedgerWorld) -> None:
    """Two entries are public before the backup, and one is booked and has no place yet."""
    publish(books, books.entry(), books.entry(organization_id=OTHER_ORG))
    books.post(key="waits", minor_units=700)


@pytest.mark.usefixtures("some")
def test_lost_entries_come_back_and_the_log_goes_on(
    books: LedgerWorld, lose: Callable[[], None], restore: Callable[..., ledger.Restored]
) -> None:
    facts = [books.entry(key=f"key_{number}", personal={"reference": "x:1"}) for number in range(300)]
    lost = publish(books, *facts)
    before, balance = books.leaves(), books.trial_balance()
    receipts = [books.receipt(lost[0]), books.receipt(lost[-1])]
    lose()
    with pytest.raises(ledger.ForkRefused, match="only 2"):
        books.clear()

    restored = restore(*facts)

    assert restored == ledger.Restored(start=2, size=303, waiting=1, keyless=())
    assert books.leaves() == before
    assert books.trial_balance() == balance
    books.clear()
    books.publish()
    check_public(books, size=303)
    with books.app.transaction() as session:
        again = ledger.post(session, entry=facts[7], now=NOW, secrets=books.secrets)
    assert not again.created, "a fact that is delivered again is known"
    assert again.id in lost
    books.post()
    books.sequence()
    books.publish()
    check_public(books, size=304)
    assert all(receipts)
    assert restore() == ledger.Restored(start=304, size=304, waiting=0, keyless=())


@pytest.mark.usefixtures("some")
def test_entries_without_a_fact_are_told(
    books: LedgerWorld, lose: Callable[[], None], restore: Callable[..., ledger.Restored]
) -> None:
    known, unknown = books.entry(key="known"), books.entry(key="unknown", minor_units=900)
    _, lost = publish(books, known, unknown)
    lose()

    assert restore(known, books.entry(key="never booked", minor_units=1)).keyless == (lost,)
    assert books.post(key="known").created is False


@pytest.mark.usefixtures("some")
def test_one_fact_is_one_entry_though_its_minute_is_not_certain(
    books: LedgerWorld, lose: Callable[[], None], restore: Callable[..., ledger.Restored]
) -> None:
    twice = [books.entry(key="one"), books.entry(key="two")]
    publish(books, *twice)
    lose()

    assert restore(*twice, *twice).keyless == ()


@pytest.mark.usefixtures("some")
def test_a_changed_bundle_writes_nothing(
    books: LedgerWorld, lose: Callable[[], None], restore: Callable[..., ledger.Restored]
) -> None:
    publish(books, books.entry(minor_units=1_000))
    lose()
    path = "tile/entries/000.p/4"
    raws = decode_bundle(books.public_log.objects[path])
    books.public_log.objects[path] = encode_bundle(
        [*raws[:-1], raws[-1].replace(b'"amt":"1000"', b'"amt":"9000"')]
    )

    with pytest.raises(ledger.CannotRestore, match="do not give the signed root"):
        restore()
    books.public_log.objects[path] = books.public_log.objects[path][:-1]
    with pytest.raises(ledger.CannotRestore, match="damaged"):
        restore()
    del books.public_log.objects[path]
    with pytest.raises(ledger.CannotRestore, match="missing"):
        restore()
    assert len(books.leaves()) == 2


@pytest.mark.usefixtures("some")
def test_places_given_to_others_cannot_be_restored_over(
    books: LedgerWorld, lose: Callable[[], None], restore: Callable[..., ledger.Restored]
) -> None:
    publish(books, books.entry(), books.entry())
    lose()
    books.post()
    books.sequence()

    with pytest.raises(ledger.CannotRestore, match="places were given to other entries"):
        restore()


@pytest.mark.usefixtures("some")
def test_nothing_is_written_beside_a_working_sequencer_or_for_another_key(
    books: LedgerWorld, lose: Callable[[], None], restore: Callable[..., ledger.Restored]
) -> None:
    publish(books, books.entry())
    lose()
    with ledger.leadership(books.sequencer, lock=ledger.SEQUENCER_LOCK) as sequencer:
        assert sequencer.held()
        with pytest.raises(ledger.CannotRestore, match="stop it"):
            restore()
    books.public_log.note = str(books.public_log.note).replace("\n4\n", "\n5\n")
    with pytest.raises(ledger.CannotRestore, match="not one this key has signed"):
        restore()
    books.public_log.note = None
    with pytest.raises(ledger.CannotRestore, match="no file 'checkpoint'"):
        restore()


@pytest.mark.usefixtures("some")
def test_the_operators_command(
    books: LedgerWorld,
    lose: Callable[[], None],
    databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(books, books.entry(key="lost"))
    before = books.leaves()
    lose()
    for path, body in {**books.public_log.objects, "checkpoint": str(books.public_log.note).encode()}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(body)
    fact = {
        "idempotency_key": "lost",
        "kind": "donation.succeeded",
        "organization_id": "org_" + "0" * 26,
        "event_at": NOW.isoformat(),
        "transfers": [
            {
                "d": f"org_{'0' * 26}/processor_balance",
                "c": f"org_{'0' * 26}/gifts",
                "cur": "EUR",
                "amt": "2500",
            }
        ],
    }
    facts = tmp_path / "facts.jsonl"
    facts.write_text(json.dumps(fact) + "\n")
    settings = databases.server.settings(name=databases.name, user="master")
    for name in ("host", "port", "name", "user", "auth", "tls"):
        monkeypatch.setenv(f"AMPLY_DATABASE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("AMPLY_DATABASE_PASSWORD", PASSWORD)
    command = ["restore-log", "--log", str(tmp_path), "--key", str(books.verifier), "--facts", str(facts)]

    told = CliRunner().invoke(admin, command)

    assert told.exit_code == 0, told.output
    assert json.loads(told.output.splitlines()[-1]) == {
        "entries_before": 2,
        "entries": 4,
        "had_waited": 1,
        "without_fact": [],
    }
    assert books.leaves() == before
    facts.write_text("{}\n")
    refused = CliRunner().invoke(admin, command)
    assert refused.exit_code == 2
    assert "Line 1" in refused.output
