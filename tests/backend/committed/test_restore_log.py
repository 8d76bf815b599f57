"""The database lost entries that are public: they come back as they were published, or nothing is written."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from amply.entrypoints.admin import main as admin
from amply.modules import ledger
from ledger_format.tiles import decode_bundle, encode_bundle
from tests.backend.committed.test_ledger_publishing import check_public
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, OTHER_ORG, LedgerWorld
from tests.backend.restored_database import Loss


@pytest.fixture
def loss(books: LedgerWorld, some: None, databases: Databases) -> Iterator[Loss]:
    """The database can be put back to what it is now."""
    del some
    master = databases.as_role("master")
    yield Loss.of(books, master)
    master.close()


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


def test_lost_entries_come_back_and_the_log_goes_on(books: LedgerWorld, loss: Loss) -> None:
    facts = [books.entry(key=f"key_{number}", personal={"reference": "x:1"}) for number in range(300)]
    lost = publish(books, *facts)
    before, accounts = books.leaves(), loss.accounts()
    receipts = [books.receipt(lost[0]), books.receipt(lost[-1])]
    loss.strike()
    with pytest.raises(ledger.ForkRefused, match="only 2"):
        books.clear()

    restored = loss.restore(*facts)

    assert restored == ledger.Restored(start=2, size=303, waiting=1, keyless=())
    assert books.leaves() == before
    assert {**loss.accounts(), "keys": None} == {**accounts, "keys": None}
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
    assert loss.restore() == ledger.Restored(start=304, size=304, waiting=0, keyless=())


def test_entries_without_a_fact_are_told(books: LedgerWorld, loss: Loss) -> None:
    known, unknown = books.entry(key="known"), books.entry(key="unknown", minor_units=900)
    _, lost = publish(books, known, unknown)
    loss.strike()

    assert loss.restore(known, books.entry(key="never booked", minor_units=1)).keyless == (lost,)
    assert books.post(key="known").created is False


def test_one_fact_is_one_entry_though_its_minute_is_not_certain(books: LedgerWorld, loss: Loss) -> None:
    twice = [books.entry(key="one"), books.entry(key="two")]
    publish(books, *twice)
    loss.strike()

    assert loss.restore(*twice, *twice).keyless == ()


def test_a_fact_that_was_booked_again_after_the_backup_is_no_second_entry(
    books: LedgerWorld, loss: Loss
) -> None:
    """The event lay unhandled in the backup, and a worker was not stopped."""
    again, other = books.entry(key="again"), books.entry(key="other")
    publish(books, again, other)
    loss.strike()
    books.post(key="again")

    with pytest.raises(ledger.CannotRestore, match="again was booked here after the backup"):
        loss.restore(again, other)
    assert len(books.leaves()) == 2
    loss.strike()
    assert loss.restore(again, other).keyless == ()


def test_what_is_booked_meanwhile_and_says_the_same_as_no_lost_entry_is_no_hindrance(
    books: LedgerWorld, loss: Loss
) -> None:
    lost, younger = books.entry(key="lost"), books.entry(key="younger")
    publish(books, lost)
    loss.strike()
    books.post(key="younger")

    assert loss.restore(lost, younger).keyless == ()


def test_a_changed_bundle_writes_nothing(books: LedgerWorld, loss: Loss) -> None:
    publish(books, books.entry(minor_units=1_000))
    loss.strike()
    path = "tile/entries/000.p/4"
    raws = decode_bundle(books.public_log.objects[path])
    books.public_log.objects[path] = encode_bundle(
        [*raws[:-1], raws[-1].replace(b'"amt":"1000"', b'"amt":"9000"')]
    )

    with pytest.raises(ledger.CannotRestore, match="do not give the signed root"):
        loss.restore()
    books.public_log.objects[path] = books.public_log.objects[path][:-1]
    with pytest.raises(ledger.CannotRestore, match="damaged"):
        loss.restore()
    del books.public_log.objects[path]
    with pytest.raises(ledger.CannotRestore, match="missing"):
        loss.restore()
    assert len(books.leaves()) == 2


def test_places_given_to_others_cannot_be_restored_over(books: LedgerWorld, loss: Loss) -> None:
    publish(books, books.entry(), books.entry())
    loss.strike()
    books.post()
    books.sequence()

    with pytest.raises(ledger.CannotRestore, match="places were given to other entries"):
        loss.restore()


def test_nothing_is_written_beside_a_working_sequencer_or_for_another_key(
    books: LedgerWorld, loss: Loss
) -> None:
    publish(books, books.entry())
    loss.strike()
    with ledger.leadership(books.sequencer, lock=ledger.SEQUENCER_LOCK) as sequencer:
        assert sequencer.held()
        with pytest.raises(ledger.CannotRestore, match="stop it"):
            loss.restore()
    books.public_log.note = str(books.public_log.note).replace("\n4\n", "\n5\n")
    with pytest.raises(ledger.CannotRestore, match="not one this key has signed"):
        loss.restore()
    books.public_log.note = None
    with pytest.raises(ledger.CannotRestore, match="no file 'checkpoint'"):
        loss.restore()


def test_the_operators_command(
    books: LedgerWorld,
    loss: Loss,
    databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(books, books.entry(key="lost"))
    before = books.leaves()
    loss.strike()
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
    databases.sign_commands_in(monkeypatch, user="master")
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
