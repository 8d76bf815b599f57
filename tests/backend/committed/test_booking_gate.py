"""Nothing is booked in a database that may have forgotten what is public; and what waited is booked once afterwards."""

from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amply.adapters import sqs
from amply.entrypoints import backlog, scheduler
from amply.infra.database import Database
from amply.modules import ledger, webhooks
from amply.modules.ledger import booking_gate
from ledger_format.checkpoints import Checkpoint
from ledger_format.notes import sign_note
from tests.backend.api_world import Api
from tests.backend.committed.test_provider_events import Books
from tests.backend.conftest import Databases
from tests.backend.ledger_world import NOW, ORIGIN, LedgerWorld
from tests.backend.webhook_fakes import FakeBus


def begin_another_life(databases: Databases) -> None:
    """What the gate says was said to another server: a restored backup, a promoted replica, or a restart."""
    alter(databases, "UPDATE booking_gate SET server_started = server_started - interval '1 second'")


def alter(databases: Databases, statement: str) -> None:
    with closing(databases.as_role("master")) as master, master.transaction() as session:
        session.execute(text(statement))


def ahead(books: LedgerWorld) -> str:
    """A checkpoint of ours that this database cannot have led to."""
    text_ = Checkpoint(origin=ORIGIN, size=9, root=b"\3" * 32).note_text()
    return sign_note(text_, ORIGIN, books.signer.public_key(), books.signer.sign)


def closed_because(books: LedgerWorld) -> str | None:
    with books.sequencer.transaction() as session:
        reason: str | None = session.scalar(text("SELECT closed_because FROM booking_gate"))
    return reason


def test_another_life_of_the_database_books_nothing_before_it_was_compared(
    books: LedgerWorld, databases: Databases
) -> None:
    before = books.post(key="before")
    begin_another_life(databases)

    with pytest.raises(ledger.BookingsPaused):
        books.post(key="after")
    assert books.post(key="before") == ledger.PostedEntry(id=before.id, created=False), (
        "what stands is no booking"
    )

    books.clear()
    assert books.post(key="after").created


def test_rows_read_back_from_a_dump_open_nothing(books: LedgerWorld, databases: Databases) -> None:
    """The server may be the same; the table is another."""
    alter(databases, "ALTER TABLE booking_gate RENAME TO kept")
    alter(databases, "CREATE TABLE booking_gate (LIKE kept)")
    alter(databases, "INSERT INTO booking_gate SELECT * FROM kept")
    alter(databases, "GRANT SELECT ON booking_gate TO amply_app")

    with pytest.raises(ledger.BookingsPaused):
        books.post()


def test_a_refusal_stops_every_booking_until_it_ends(books: LedgerWorld) -> None:
    books.public_log.note = ahead(books)
    with pytest.raises(ledger.ForkRefused, match="only 0"):
        books.clear()

    with pytest.raises(ledger.BookingsPaused):
        books.post()
    assert "only 0" in str(closed_because(books))
    assert ledger.clearance_is_due(books.sequencer), (
        "the publisher looks again, whether or not a sequencer asks"
    )

    books.public_log.note = None
    books.clear()
    assert closed_because(books) is None
    assert books.post().created


def test_a_comparison_of_an_earlier_life_opens_nothing(books: LedgerWorld, databases: Databases) -> None:
    """The publisher compared the database that was lost, and its word arrives at the one that took its place."""
    begin_another_life(databases)
    with books.sequencer.transaction() as session:
        life = booking_gate.present_life(session)
        booking_gate.open_bookings(session, life=life - timedelta(seconds=1), now=NOW)

    with pytest.raises(ledger.BookingsPaused):
        books.post()


def test_no_role_that_books_can_open_the_gate(database: Database) -> None:
    with pytest.raises(Exception, match="permission denied"), database.transaction() as session:
        session.execute(text("UPDATE booking_gate SET server_started = pg_postmaster_start_time()"))


def test_the_gate_is_open_for_a_server_or_closed_for_a_reason(databases: Databases) -> None:
    with pytest.raises(IntegrityError, match="open_or_closed"):
        alter(databases, "UPDATE booking_gate SET closed_because = 'a fork'")


@pytest.fixture
def desk(database: Database) -> Books:
    made = Books(database)
    made.give()
    return made


def test_an_event_that_may_not_be_booked_waits_and_wears_out_no_attempt(
    desk: Books, databases: Databases
) -> None:
    begin_another_life(databases)
    assert desk.deliver("evt_1", "payment_intent.succeeded"), "the way in stays open"

    assert [desk.handle("evt_1") for _ in range(15)] == [None] * 15

    assert desk.kinds() == []
    assert desk.donation_status() == "pending"
    (event,) = desk.rows("provider_event")
    assert (event.attempts, event.handled_at) == (0, None)
    open_again(databases)
    assert desk.handle("evt_1") == webhooks.Outcome.APPLIED
    assert desk.kinds() == ["donation.succeeded", "processor.fee"]


def test_what_books_nothing_goes_on_meanwhile(desk: Books, databases: Databases) -> None:
    begin_another_life(databases)
    desk.deliver("evt_1", "payment_intent.payment_failed")

    assert desk.handle("evt_1") == webhooks.Outcome.APPLIED


def test_who_asks_is_told_that_gifts_wait_for_the_books(database: Database, databases: Databases) -> None:
    """With no more rights than the API has."""
    own = databases.as_role("amply_api")
    api = Api(own, operator=database)
    gift = api.give().json()

    def waits() -> tuple[bool, bool]:
        shown = api.client.get(f"/v1/donations/{gift['id']}").json()["waits_for_books"]
        return shown, api.client.get("/v1/public/log/freshness").json()["takes_entries"]

    assert waits() == (False, True)
    begin_another_life(databases)
    assert waits() == (True, False)
    with database.transaction() as session:
        session.execute(text("UPDATE donation SET status = 'failed'"))
    assert waits() == (False, False), "nothing will come of it, so it waits for nothing"
    own.close()


def test_waiting_events_are_announced_when_the_gate_is_open_again_and_not_before(
    desk: Books, databases: Databases
) -> None:
    begin_another_life(databases)
    desk.deliver("evt_1", "payment_intent.succeeded")
    desk.handle("evt_1")
    desk.clock.advance(hours=5)
    facts = len(desk.rows("outbox"))
    sweep = next(
        job.run
        for job in scheduler.jobs(desk.database, sqs.TaskSender(None, tasks_of={}), FakeBus(), desk.clock)
        if job.name == "announce unhandled events again"
    )

    sweep()
    assert len(desk.rows("outbox")) == facts
    assert backlog.measure(desk.database, now=desk.clock()).bookings_paused == 1

    open_again(databases)
    sweep()
    assert len(desk.rows("outbox")) == facts + 1
    assert backlog.measure(desk.database, now=desk.clock()).bookings_paused == 0


def open_again(databases: Databases) -> None:
    alter(
        databases,
        "UPDATE booking_gate SET server_started = pg_postmaster_start_time(), of_table = tableoid",
    )
