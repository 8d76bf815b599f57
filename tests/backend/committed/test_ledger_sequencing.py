"""Every committed entry gets one place, none is skipped, and no writer waits for it."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import UniqueViolation
from sqlalchemy import text

from amply.entrypoints.leader import Turn, lead
from amply.infra.database import Database
from amply.kernel.ids import new_id
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger.sequencing import Start, sequence_batch
from ledger_format.entries import decode, to_minute
from ledger_format.merkle import leaf_hash, root_of
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORG, ORIGIN, OTHER_ORG, LedgerWorld, until
from tests.hypothesis_profiles import examples


def test_leaves_decode_back_to_their_rows(books: LedgerWorld) -> None:
    posted = books.post(personal={"donor_name": "Zoë"}, minor_units=1_234)
    books.sequence()

    entry = decode(books.leaves()[0])
    with books.app.transaction() as session:
        row = session.execute(text("SELECT * FROM entry")).one()
        transfers = session.execute(text("SELECT * FROM transfer ORDER BY line")).all()

    assert (entry.log, entry.id, entry.kind, entry.org) == (
        ORIGIN,
        posted.id,
        row.kind,
        row.organization_id,
    )
    assert entry.ts == to_minute(row.event_at)
    assert (entry.ref, entry.reverses) == (row.reference, row.reverses)
    assert {field: digest.hex() for field, digest in entry.commitments.items()} == row.commitments
    assert [(t.debit, t.credit, t.currency, t.amount_minor) for t in entry.transfers] == [
        (t.debit, t.credit, t.currency, t.amount_minor) for t in transfers
    ]


def test_each_organisation_has_its_own_chain(books: LedgerWorld) -> None:
    for organization_id in (ORG, OTHER_ORG, ORG, ORG, OTHER_ORG):
        books.post(organization_id=organization_id)
    books.sequence()
    books.post(organization_id=OTHER_ORG)
    books.sequence()

    books.check_log(size=6)
    assert [entry.org_seq for entry in map(decode, books.leaves())] == [0, 0, 1, 2, 1, 2]


def test_entries_of_one_transaction_keep_their_order(books: LedgerWorld) -> None:
    with books.app.transaction() as session:
        posted = [
            ledger.post(session, entry=books.entry(), now=NOW, secrets=books.secrets) for _ in range(20)
        ]
    books.sequence()

    assert [decode(raw).id for raw in books.leaves()] == [entry.id for entry in posted]


def test_an_entry_waits_for_older_transactions_and_is_not_lost(books: LedgerWorld) -> None:
    """The older transaction commits after the younger one was seen: what a watermark loses."""
    older = books.app.engine.connect()
    older.execute(text("SELECT pg_current_xact_id()"))
    younger = books.post()

    assert books.sequence() == 0, "an older transaction might still write"
    older.commit()
    older.close()
    assert books.sequence() == 1
    assert decode(books.leaves()[0]).id == younger.id


def test_a_transaction_that_stays_open_is_reported(books: LedgerWorld) -> None:
    older = books.app.engine.connect()
    older.execute(text("SELECT pg_current_xact_id()"))
    books.post()
    sequencer = ledger.Sequencer(origin=ORIGIN)

    with structlog.testing.capture_logs() as logs:
        sequencer.step(books.sequencer, now=NOW + timedelta(seconds=3))
        assert logs == []
        sequencer.step(books.sequencer, now=NOW + timedelta(seconds=9))
    assert [(line["event"], line["log_level"], line["seconds"]) for line in logs] == [
        ("ledger_horizon_lags", "warning", 9.0)
    ]
    older.rollback()
    older.close()


def test_a_backlog_is_taken_in_batches(books: LedgerWorld) -> None:
    books.post_many(25)
    sequencer = ledger.Sequencer(origin=ORIGIN, batch_max=10)

    assert [sequencer.step(books.sequencer, now=NOW) for _ in range(4)] == [10, 10, 5, 0]
    books.check_log(size=25)


def test_entries_of_one_transaction_split_by_a_batch_all_get_a_place(books: LedgerWorld) -> None:
    books.post_many(7)
    sequencer = ledger.Sequencer(origin=ORIGIN, batch_max=3)

    assert [sequencer.step(books.sequencer, now=NOW) for _ in range(4)] == [3, 3, 1, 0]
    assert len({decode(raw).id for raw in books.leaves()}) == 7


def test_a_new_leader_finds_what_an_earlier_one_left(books: LedgerWorld) -> None:
    first = ledger.Sequencer(origin=ORIGIN, batch_max=2)
    books.post_many(5)
    first.step(books.sequencer, now=NOW)

    assert ledger.Sequencer(origin=ORIGIN).step(books.sequencer, now=NOW) == 3
    assert first.step(books.sequencer, now=NOW) == 0


def test_an_entry_that_was_overlooked_is_found_by_the_next_leader(
    books: LedgerWorld, databases: Databases
) -> None:
    overlooked = books.post()
    books.post()
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE entry SET xid = '999999999999' WHERE id = :id"), {"id": overlooked.id})
    leader = ledger.Sequencer(origin=ORIGIN)
    with books.sequencer.transaction() as session:
        start = Start(walked_to=None)
        assert sequence_batch(session, origin=ORIGIN, start=start).taken == 1
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE entry SET xid = '5' WHERE id = :id"), {"id": overlooked.id})
    master.close()

    with structlog.testing.capture_logs() as logs:
        assert leader.step(books.sequencer, now=NOW) == 1
        assert leader.step(books.sequencer, now=NOW) == 0
    assert [(line["event"], line["entries"]) for line in logs] == [("ledger_entries_were_overlooked", 1)]
    books.check_log(size=2)


def test_rows_restored_from_a_dump_are_taken_although_their_transactions_lie_ahead(
    books: LedgerWorld, databases: Databases
) -> None:
    """A dump keeps `xid` and the new cluster counts from the start again."""
    books.post()
    master = databases.as_role("master")
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE entry SET xid = '999999999999'"))
    master.close()

    assert books.sequence() == 1
    sequencer = ledger.Sequencer(origin=ORIGIN)
    books.post()
    assert sequencer.step(books.sequencer, now=NOW) == 1
    books.post()
    assert sequencer.step(books.sequencer, now=NOW) == 1


def test_a_failed_batch_leaves_nothing_behind(books: LedgerWorld) -> None:
    books.post_many(3)

    def take_and_fail() -> None:
        with books.sequencer.transaction() as session:
            sequence_batch(session, origin=ORIGIN, start=Start())
            raise ConnectionError

    with pytest.raises(ConnectionError):
        take_and_fail()

    assert books.leaves() == []
    assert books.balance(f"{ORG}/gifts") == (0, 0)
    assert books.sequence() == 3
    books.check_log(size=3)


def test_of_two_sequencers_one_works_and_the_other_waits_and_says_so(
    books: LedgerWorld, databases: Databases
) -> None:
    other = databases.as_role("amply_sequencer")
    books.post()
    with structlog.testing.capture_logs() as logs:
        first = Running(books.sequencer, start=books.cleared_turns)
        until(lambda: len(books.leaves()) == 1)
        second = Running(other, start=books.cleared_turns)
        until(lambda: any(line["event"] == "waiting_idle" for line in logs))
        books.post()
        until(lambda: len(books.leaves()) == 2)
        assert [line["event"] for line in logs] == ["leading", "waiting_idle"]

        first.stop()
        books.post()
        until(lambda: len(books.leaves()) == 3)
        assert [line["event"] for line in logs] == ["leading", "waiting_idle", "leading"]
        second.stop()
    books.check_log(size=3)
    other.close()


def test_two_leaders_at_once_cannot_both_write(books: LedgerWorld) -> None:
    """Should the lock ever fail, the tables' constraints still hold: one of the two is refused."""
    books.post()
    both_have_taken = threading.Barrier(2)

    def take(_: int) -> bool:
        try:
            with books.sequencer.transaction() as session:
                session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
                session.execute(text("SELECT 1 FROM leaf"))
                both_have_taken.wait(timeout=60)
                sequence_batch(session, origin=ORIGIN, start=Start())
        except UniqueViolation:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, range(2))) == [False, True]
    books.check_log(size=1)


def test_sixteen_writers_and_a_live_sequencer_lose_nothing(books: LedgerWorld, databases: Databases) -> None:
    writers, each = 16, 20
    app = databases.as_role("amply_app", pool_size=writers)
    with structlog.testing.capture_logs() as logs:
        sequencer = Running(books.sequencer, start=books.cleared_turns)
        write_all(books, app, writers=writers, each=each)
        until(lambda: len(books.leaves()) == writers * each)
        sequencer.stop()
    app.close()

    assert [line["event"] for line in logs] == ["leading"], "nothing was overlooked, nothing lagged"
    books.check_log(size=writers * each)


def write_all(books: LedgerWorld, app: Database, *, writers: int, each: int) -> None:
    """So many writers at once, each so many entries, for three organisations."""

    def write(writer: int) -> None:
        for number in range(each):
            entry = books.entry(organization_id=f"org_{writer % 3:026d}", key=f"{writer}:{number}")
            with app.transaction() as session:
                ledger.post(session, entry=entry, now=NOW, secrets=books.secrets)

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))


AMOUNTS = st.integers(min_value=1, max_value=99_999_999)
POSTINGS = st.lists(
    st.tuples(st.sampled_from(["gift", "fee", "refund"]), st.integers(0, 2), AMOUNTS), min_size=1, max_size=12
)


@given(postings=POSTINGS, batch_max=st.integers(1, 5))
@settings(
    max_examples=examples(day=10, night=200), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_balances_are_what_a_dictionary_would_hold(
    postings: list[tuple[str, int, int]], batch_max: int, books: LedgerWorld
) -> None:
    orgs = [new_id("org") for _ in range(3)]
    model: Counter[tuple[str, str]] = Counter()
    for what, which, minor_units in postings:
        transfer = transfer_for(what, orgs[which], minor_units)
        books.post_transfers(orgs[which], transfer)
        model[transfer.debit, "debit"] += minor_units
        model[transfer.credit, "credit"] += minor_units

    sequencer = ledger.Sequencer(origin=ORIGIN, batch_max=batch_max)
    while sequencer.step(books.sequencer, now=NOW):
        pass

    for account in {account for account, _ in model}:
        assert books.balance(account) == (model[account, "debit"], model[account, "credit"])
    debits, credits_ = books.trial_balance()
    assert debits == credits_


def transfer_for(what: str, org: str, minor_units: int) -> ledger.NewTransfer:
    amount = Money(minor_units=minor_units, currency="EUR")
    if what == "gift":
        return ledger.donation_succeeded(organization_id=org, amount=amount)[0]
    if what == "fee":
        return ledger.processor_fee(organization_id=org, amount=amount)[0]
    return ledger.NewTransfer(debit=f"{org}/gifts", credit=f"{org}/processor_balance", amount=amount)


def test_the_tiles_hold_the_tree_of_the_leaves(books: LedgerWorld) -> None:
    for count in (1, 254, 1, 1, 300):
        books.post_many(count)
        books.sequence()
    books.publish()

    assert books.public_checkpoint().root == root_of([leaf_hash(raw) for raw in books.leaves()])


class Running:
    """The sequencer's process, as a thread."""

    def __init__(self, database: Database, *, start: Callable[[], Turn]) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=lead,
            args=(database,),
            kwargs={
                "lock": ledger.SEQUENCER_LOCK,
                "start": start,
                "heartbeat_path": "",
                "stopping": self._stopping,
            },
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=120)
        assert not self._thread.is_alive()
