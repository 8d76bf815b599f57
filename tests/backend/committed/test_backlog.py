"""What the alarms look at, measured in a real database."""

from datetime import timedelta
from typing import Any

import pytest
import structlog
from celery import Celery
from sqlalchemy import text

from amply.adapters.sqs import TaskSender
from amply.entrypoints import scheduler
from amply.entrypoints.backlog import EVENT, Backlog, measure
from amply.infra import outbox
from amply.infra.database import Database
from amply.modules import ledger
from amply.modules.recurring.due_dates import Interval
from tests.backend.committed.test_receipts import PostOffice
from tests.backend.ledger_world import NOW, LedgerWorld
from tests.backend.plan_world import Plans
from tests.backend.webhook_fakes import FakeBus

NOTHING = Backlog(
    ledger_unpublished_seconds=0,
    exhausted_events=0,
    failing_events=0,
    exhausted_payments=0,
    exhausted_refunds=0,
    exhausted_receipts=0,
    exhausted_letters=0,
    exhausted_endings=0,
    exhausted_facts=0,
    awaited_events=0,
    reconciled_seconds=0,
    payout_differences=0,
    unmatched_movements=0,
    bookings_paused=0,
    late_plans=0,
    late_applications=0,
    attacked_organizations=0,
    unarchived_seals=0,
    unnoted_erasures=0,
    unpublished_events=0,
    undelivered_events=0,
)


def ledger_age(books: LedgerWorld, *, later: timedelta = timedelta(seconds=90)) -> float:
    return measure(books.app, now=NOW + later).ledger_unpublished_seconds


def run(database: Database, statement: str, **values: Any) -> None:
    with database.transaction() as session:
        session.execute(text(statement), values)


def test_an_empty_platform_owes_nothing(database: Database) -> None:
    assert measure(database, now=NOW) == NOTHING


def test_an_entry_ages_until_a_published_checkpoint_covers_it(books: LedgerWorld) -> None:
    books.post()
    assert ledger_age(books) == 90, "not sequenced"

    books.sequence()
    assert ledger_age(books) == 90, "not published"

    books.publish()
    assert ledger_age(books) == 0


def test_a_checkpoint_that_was_claimed_and_never_shown_covers_nothing(books: LedgerWorld) -> None:
    books.post()
    books.sequence()
    run(
        books.sequencer,
        "INSERT INTO checkpoint (size, root, created_at) VALUES (1, :root, :now)",
        root=bytes(32),
        now=NOW,
    )

    assert ledger_age(books) == 90


def test_a_new_entry_is_noticed_behind_published_ones(books: LedgerWorld) -> None:
    books.post_many(3)
    books.sequence()
    books.publish()
    books.post()

    assert ledger_age(books) == 90


def test_the_oldest_of_those_that_wait_counts(books: LedgerWorld) -> None:
    books.post()
    books.sequence()
    with books.app.transaction() as session:
        ledger.post(session, entry=books.entry(), now=NOW + timedelta(seconds=30), secrets=books.secrets)
    assert ledger_age(books) == 90

    books.publish()
    assert ledger_age(books) == 60


def test_a_clock_that_lags_makes_no_negative_age(books: LedgerWorld) -> None:
    books.post()

    assert ledger_age(books, later=timedelta(seconds=-5)) == 0


@pytest.mark.parametrize(("attempts", "exhausted"), [(9, 0), (10, 1)])
def test_what_used_up_its_attempts_is_counted(books: LedgerWorld, attempts: int, exhausted: int) -> None:
    office = PostOffice(books)
    office.give()
    office.succeed()
    office.deliver("evt_2", "payment_intent.succeeded")
    with books.app.transaction() as session:
        outbox.put(session, topic="t", payload={}, now=NOW)
    office.make_public()
    run(books.app, "UPDATE provider_event SET attempts = :attempts", attempts=attempts)
    run(books.app, "UPDATE receipt SET attempts = :attempts", attempts=attempts)
    run(books.app, "UPDATE outbox SET attempts = :attempts WHERE topic = 't'", attempts=attempts)

    measured = measure(books.app, now=NOW)

    assert (measured.exhausted_events, measured.exhausted_receipts, measured.exhausted_facts) == (
        exhausted,
        exhausted,
        exhausted,
    ), "the event that was handled is not counted"


@pytest.mark.parametrize(("attempts", "exhausted"), [(9, 0), (10, 1)])
def test_a_payment_that_never_came_back_is_counted(books: LedgerWorld, attempts: int, exhausted: int) -> None:
    office = PostOffice(books)
    office.give()
    run(
        books.app,
        "UPDATE payment SET status = 'created', remote_id = NULL, attempts = :attempts",
        attempts=attempts,
    )

    assert measure(books.app, now=NOW).exhausted_payments == exhausted


def test_a_receipt_that_is_withheld_waits_for_nobody(books: LedgerWorld) -> None:
    office = PostOffice(books)
    office.give()
    office.succeed()
    run(books.app, "UPDATE receipt SET attempts = 10, withheld = 'suppressed'")

    assert measure(books.app, now=NOW).exhausted_receipts == 0


@pytest.mark.parametrize(("attempts", "exhausted"), [(19, 0), (20, 1)])
def test_a_letter_about_a_plan_that_never_left_is_counted(
    database: Database, attempts: int, exhausted: int
) -> None:
    plans = Plans(database, now=NOW)
    plans.begin(every=Interval.MONTH)
    run(
        database,
        "INSERT INTO plan_letter (plan_id, key, kind, attempts, next_attempt_at, created_at) "
        "SELECT id, 'ended:1', 'ended', :attempts, :now, :now FROM plan",
        attempts=attempts,
        now=NOW,
    )

    assert measure(database, now=NOW).exhausted_letters == exhausted


def test_the_scheduler_writes_the_measure_once_a_minute(books: LedgerWorld) -> None:
    books.post()
    sender = TaskSender(Celery(set_as_current=False), tasks_of={})
    (job,) = [
        job
        for job in scheduler.jobs(books.app, sender, FakeBus(), lambda: NOW + timedelta(seconds=61))
        if job.name == "measure the backlog"
    ]

    with structlog.testing.capture_logs() as lines:
        job.run()

    assert job.every == timedelta(minutes=1)
    (line,) = lines
    assert line["event"] == EVENT
    assert line["ledger_unpublished_seconds"] == 61
