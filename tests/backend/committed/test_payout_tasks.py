"""The worker's tasks about payouts, as the scheduler and the relay start them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
from celery import Celery

from amply.adapters import sqs
from amply.entrypoints import scheduler, task_names, worker
from amply.infra.database import Database
from amply.modules import donations, mail, payouts, webhooks
from amply.modules.payouts import PayoutStatus
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.payout_world import PAYOUT, FakeEvents, Treasury, of_payout, payout, transaction
from tests.backend.plan_world import plan_work
from tests.backend.sharing_world import FakeSharing
from tests.backend.world import NOW, FakeFeedback, FakeMailer

Run = Callable[..., None]


@pytest.fixture
def treasury(database: Database) -> Treasury:
    made = Treasury(database)
    made.remote.items = [of_payout(), transaction()]
    made.remote.transactions = list(made.remote.items)
    return made


@pytest.fixture
def source() -> FakeEvents:
    return FakeEvents()


@pytest.fixture
def run(treasury: Treasury, source: FakeEvents) -> Run:
    """Run a task by its name."""
    app = Celery("payouts", broker="memory://", set_as_current=False)
    worker.register(
        app,
        worker.Parts(
            events=treasury.parts,
            receipts=donations.ReceiptSending(
                database=treasury.database, mailer=FakeMailer(), secrets=SECRETS, ledger_page=""
            ),
            hearing=mail.Hearing(database=treasury.database, queue=FakeFeedback()),
            sharing=FakeSharing(),
            payouts=treasury.handling,
            gaps=treasury.gaps(source),
            recurring=plan_work(
                treasury.database,
                processor=treasury.processor,
                mailer=FakeMailer(),
                clock=treasury.clock,
            ),
            clock=treasury.clock,
        ),
    )

    def task(name: str, **arguments: Any) -> None:
        app.tasks[name](**arguments)

    return task


def test_each_event_goes_to_whoever_books_it(treasury: Treasury, run: Run) -> None:
    treasury.deliver("evt_gift", "payment_intent.succeeded")
    run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_gift")
    run(task_names.HANDLE_PROVIDER_EVENT, event_id=treasury.tell("payout.paid", PayoutStatus.PAID))
    run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_unknown")

    assert treasury.kinds() == ["donation.succeeded", "payout.created", "payout.paid", "processor.fee"]


def test_books_are_closed_and_matched_by_themselves(treasury: Treasury, run: Run) -> None:
    run(task_names.CLOSE_BOOKS)
    assert treasury.movements()["charge.amount"] == ("open", "not_booked")

    treasury.succeed()
    treasury.hear("payout.created")
    run(task_names.MATCH_WAITING)
    assert {state for state, _ in treasury.movements().values()} == {"matched"}


def test_an_asked_for_payout_is_reconciled_and_one_that_is_unknown_ends_there(
    treasury: Treasury, run: Run
) -> None:
    assert scheduler.TASKS_OF[payouts.FACT_ASKED] == (task_names.RECONCILE_PAYOUT, sqs.LOW)
    treasury.succeed()
    treasury.remote.told = payout(status=PayoutStatus.PAID)
    run(task_names.RECONCILE_PAYOUT, payout_id=PAYOUT, account_id=treasury.account_id)
    assert treasury.payout_kinds() == ["payout.created", "payout.paid"]

    with structlog.testing.capture_logs() as lines:
        run(task_names.RECONCILE_PAYOUT, payout_id=PAYOUT, account_id="acct_stranger")
    assert [(line["event"], line["reason"]) for line in lines] == [
        ("payout_not_reconciled", "payout_not_found")
    ]


def test_undelivered_events_are_looked_for_on_every_account_and_on_our_own(
    treasury: Treasury, source: FakeEvents, run: Run
) -> None:
    lost = webhooks.ProviderEvent(
        id="evt_lost",
        type="payment_intent.succeeded",
        account_id=treasury.account_id,
        livemode=False,
        occurred_at=NOW - timedelta(hours=1),
        object={"id": "pi_0", "object": "payment_intent"},
    )
    source.listed[treasury.account_id] = [lost]
    run(task_names.FIND_MISSED)

    assert set(source.asked) == {None, treasury.account_id}
    run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_lost")
    assert treasury.kinds() == ["donation.succeeded", "processor.fee"]
