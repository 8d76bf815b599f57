"""The worker's tasks about payouts, as the scheduler and the relay start them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
from celery import Celery
from sqlalchemy import text

from amply.adapters import sqs
from amply.adapters.dns import DnsRecords
from amply.entrypoints import scheduler, task_names, worker
from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import donations, exports, federation, mail, payments, payouts, webhooks
from amply.modules.donations.provider_events.context import GiftNotBookedYet
from amply.modules.payouts import PayoutStatus
from tests.backend.application_world import applying_work
from tests.backend.audit_shelf import AuditShelf
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.export_shelf import FakeExports
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.image_world import image_work
from tests.backend.member_world import inviting_work
from tests.backend.onboarding_world import onboarding_work
from tests.backend.payout_world import PAYOUT, FakeEvents, Treasury, of_payout, payout, transaction
from tests.backend.people_world import people_work
from tests.backend.plan_world import plan_work
from tests.backend.webhook_fakes import delivery_dependencies
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
def shelf() -> AuditShelf:
    return AuditShelf()


@pytest.fixture
def run(treasury: Treasury, source: FakeEvents, shelf: AuditShelf) -> Run:
    """Run a task by its name."""
    app = Celery("payouts", broker="memory://", set_as_current=False)
    worker.register(
        app,
        worker.Parts(
            events=treasury.parts,
            receipts=donations.ReceiptDependencies(
                database=treasury.database, mailer=FakeMailer(), secrets=SECRETS, ledger_page=""
            ),
            mail_feedback=mail.FeedbackDependencies(database=treasury.database, queue=FakeFeedback()),
            method_cloning=FakeMethodCloning(),
            payouts=treasury.handling,
            missed_events=treasury.gaps(source),
            recurring=plan_work(
                treasury.database,
                processor=treasury.processor,
                mailer=FakeMailer(),
                clock=treasury.clock,
            ),
            onboarding=onboarding_work(treasury.database, processor=treasury.processor),
            member_invitations=inviting_work(treasury.database),
            domain_checks=federation.DomainCheckDependencies(
                database=treasury.database, records=DnsRecords()
            ),
            people=people_work(treasury.database),
            applications=applying_work(treasury.database),
            audit_archive=shelf,
            images=image_work(treasury.database),
            exports=exports.ExportJobs(database=treasury.database, store=FakeExports()),
            webhook_delivery=delivery_dependencies(treasury.database),
            data_sharing=None,
            data_settlement=None,
            data_ingestion=None,
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
    treasury.deliver("evt_card", "setup_intent.setup_failed")
    run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_card")

    assert treasury.kinds() == ["donation.succeeded", "payout.created", "payout.paid", "processor.fee"]
    with treasury.database.transaction() as session:
        kept = session.scalar(text("SELECT payload FROM provider_event WHERE id = 'evt_card'"))
    assert kept == {}, "nothing is kept of whose card it was"


def test_books_are_closed_and_matched_by_themselves(treasury: Treasury, run: Run) -> None:
    run(task_names.CLOSE_DUE_BALANCES)
    assert treasury.movements()["charge.amount"] == ("open", "not_booked")

    treasury.succeed()
    treasury.hear("payout.created")
    run(task_names.MATCH_WAITING)
    assert {state for state, _ in treasury.movements().values()} == {"matched"}


def test_an_asked_for_payout_is_reconciled_and_one_that_is_unknown_ends_there(
    treasury: Treasury, run: Run
) -> None:
    assert scheduler.TASKS_OF[payouts.TOPIC_RECONCILIATION_REQUESTED] == (
        task_names.RECONCILE_PAYOUT,
        sqs.LOW,
    )
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


def test_events_of_an_account_we_are_shut_out_of_wait_an_hour_and_count_no_attempt(
    treasury: Treasury, run: Run
) -> None:
    (payment,) = treasury.rows("payment")
    treasury.processor.shut_out_of.add(payment.account_id)
    treasury.deliver("evt_1", "charge.updated", object=treasury.charge())
    run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_1")

    (event,) = treasury.rows("provider_event")
    assert (event.attempts, event.handled_at, event.last_failure) == (0, None, "account_out_of_reach")
    assert event.next_attempt_at - treasury.clock() == timedelta(hours=1)


def test_why_an_event_failed_is_kept_until_it_is_handled(treasury: Treasury, run: Run) -> None:
    treasury.deliver("evt_1", "charge.refunded", object=treasury.charge())
    treasury.processor.tell_refund("pi_0", "re_1", minor_units=100)
    with pytest.raises(GiftNotBookedYet):
        run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_1")
    assert [row.last_failure for row in treasury.rows("provider_event")] == ["GiftNotBookedYet"]

    treasury.succeed("evt_2")
    run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_1")
    assert {row.last_failure for row in treasury.rows("provider_event")} == {None}


THIN: dict[str, Any] = {"object": {"id": "ch_0", "object": "charge"}, "fetch": "/v1/charges/ch_0"}


def test_what_a_thin_event_is_about_is_fetched_once_and_then_booked_like_any_other(
    treasury: Treasury, source: FakeEvents, run: Run
) -> None:
    treasury.processor.fee = None
    treasury.succeed("evt_1")
    treasury.processor.fee = Money(minor_units=63, currency="EUR")
    treasury.deliver("evt_2", "charge.updated", **THIN)
    source.objects["/v1/charges/ch_0"] = {
        **treasury.charge(),
        "billing_details": {"email": "ada@example.org"},
        "receipt_url": "https://pay.stripe.example/ada",
    }
    for _ in range(2):
        run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_2")

    assert source.fetched == ["/v1/charges/ch_0"]
    assert treasury.kinds() == ["donation.succeeded", "processor.fee"]
    (stored,) = [row for row in treasury.rows("provider_event") if row.id == "evt_2"]
    assert stored.payload == treasury.charge(), "what handling reads, and nothing of the donor"


def test_a_thin_event_and_its_snapshot_are_one(treasury: Treasury, source: FakeEvents, run: Run) -> None:
    assert treasury.deliver("evt_1", "payment_intent.succeeded")
    intent = {"id": "pi_0", "object": "payment_intent"}
    fetch = "/v1/payment_intents/pi_0"
    assert not treasury.deliver("evt_1", "payment_intent.succeeded", object=intent, fetch=fetch)
    run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_1")
    assert (source.fetched, treasury.kinds()) == ([], ["donation.succeeded", "processor.fee"])


def test_what_cannot_be_fetched_counts_as_an_attempt_and_comes_back(
    treasury: Treasury, source: FakeEvents, run: Run
) -> None:
    treasury.deliver("evt_1", "charge.updated", **THIN)
    source.objects["/v1/charges/ch_0"] = payments.ProcessorUnavailable("Nobody answers.")
    with pytest.raises(payments.ProcessorUnavailable):
        run(task_names.HANDLE_PROVIDER_EVENT, event_id="evt_1")
    (event,) = treasury.rows("provider_event")
    assert (event.attempts, event.handled_at, event.last_failure) == (1, None, "ProcessorUnavailable")


def test_a_thin_event_that_nobody_handles_is_left_to_the_processors_list(treasury: Treasury) -> None:
    """Nobody can tell whose gift it is about, and an erased donor's must not stay."""
    assert not treasury.deliver("evt_1", "charge.succeeded", **THIN)
    assert treasury.deliver("evt_2", "charge.succeeded", object=treasury.charge())


def test_the_audit_log_is_sealed_and_archived_by_itself(run: Run, shelf: AuditShelf) -> None:
    assert task_names.ARCHIVE_AUDIT in {task for task, _ in scheduler._SENT}
    run(task_names.ARCHIVE_AUDIT)
    run(task_names.ARCHIVE_AUDIT)

    assert len(shelf.files) == 1, "a day has its file once, though nothing happened on it"
