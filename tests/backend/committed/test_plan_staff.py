"""What staff do about plans, what is forgotten of a donor, and that the worker's tasks are the ones that are started."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import Celery
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import text

from amply.adapters import sqs
from amply.adapters.dns import DnsRecords
from amply.entrypoints import admin_erase, scheduler, task_names, worker
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.infra.settings import CommitmentSettings
from amply.modules import donations, exports, federation, ledger, mail, payments, payouts, recurring, webhooks
from tests.backend.application_world import applying_work
from tests.backend.audit_shelf import AuditShelf
from tests.backend.conftest import Databases
from tests.backend.export_shelf import FakeExports
from tests.backend.fake_method_cloning import FakeMethodCloning
from tests.backend.image_world import image_work
from tests.backend.member_world import inviting_work
from tests.backend.onboarding_world import onboarding_work
from tests.backend.payout_world import FakeEvents, FakePayouts
from tests.backend.people_world import people_work
from tests.backend.personal_data import found_in
from tests.backend.plan_world import ACCOUNT, ADA, EMAIL, SECRETS, Plans, declined
from tests.backend.webhook_fakes import FakeBus, delivery_dependencies, told
from tests.backend.world import FakeFeedback

COMMITMENT_KEY = "for-tests-0123456789-0123456789-0123456789-0123"
THE_COMMANDS = ledger.CommitmentSecrets.from_settings(
    CommitmentSettings(commitment_key=SecretStr(COMMITMENT_KEY))
)
OF_A_DONOR = {"email": EMAIL, "digest": ADA, "customer": "cus_pln_", "message": "for the river"}
SHELVES = {"archive": AuditShelf()}
TABLES = ("plan", "plan_charge", "plan_letter", "donor_link_request", "idempotency_key", "payment")


@pytest.fixture
def plans(database: Database) -> Plans:
    made = Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC), secrets=THE_COMMANDS)
    made.begin()
    return made


def run(monkeypatch: pytest.MonkeyPatch, databases: Databases, user: str, *words: str) -> Result:
    databases.sign_commands_in(monkeypatch, user=user)
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", COMMITMENT_KEY)
    monkeypatch.setenv("AMPLY_ARCHIVE_BUCKET", "archive")
    monkeypatch.setattr(admin_erase, "S3Erasures", lambda *, bucket: SHELVES[bucket])
    return CliRunner().invoke(admin, list(words))


def lines(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output + str(result.exception)
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_operators_list_plans_and_see_no_donor(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = run(monkeypatch, databases, "amply_operator", "recurring", "list", "--status", "active")
    (line,) = lines(shown)
    assert (line["id"], line["amount"], line["every"]) == (
        plans.plan.id,
        {"minor_units": "2500", "currency": "EUR"},
        "month",
    )
    assert line["next_due_at"] == "2026-02-28T08:00:00.000Z"
    assert found_in(shown.stdout.encode(), OF_A_DONOR) == []
    assert (
        lines(run(monkeypatch, databases, "amply_operator", "recurring", "list", "--status", "ended")) == []
    )


def test_staff_pause_resume_and_end_a_plan(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = plans.plan.id

    def told(*words: str) -> Any:
        (line,) = lines(run(monkeypatch, databases, "amply_app", "recurring", *words))
        return line["status"], line["reason"], line["next_on"]

    assert told("pause", plan_id) == ("paused", "staff", None)
    status, reason, next_on = told("resume", plan_id)
    assert (status, reason) == ("active", None)
    assert next_on is not None
    assert told("cancel", plan_id) == ("ended", "staff", None)
    refused = run(monkeypatch, databases, "amply_app", "recurring", "resume", plan_id)
    assert "This plan has ended" in str(refused.exception)


def test_programs_are_told_of_a_plan_and_of_its_gifts_by_its_id_and_after_an_erasure_of_its_end_alone(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = plans.plan.id
    (gift,) = plans.rows("donation")
    for word in ("pause", "resume"):
        lines(run(monkeypatch, databases, "amply_app", "recurring", word, plan_id))
    amount = {"minor_units": "2500", "currency": "EUR"}

    def of_plan(reason: str | None) -> dict[str, Any]:
        return {"plan_id": plan_id, "amount": amount, "reason": reason}

    said = [(each["type"], each["data"]) for each in told(plans.database, now=datetime.now(UTC))]
    of_gift = {"donation_id": gift.id, "amount": amount, "fund_id": None, "method": None, "plan_id": plan_id}
    assert sorted(said, key=lambda each: each[0]) == [
        ("donation.succeeded", of_gift),
        ("plan.paused", of_plan("staff")),
        ("plan.resumed", of_plan(None)),
        ("plan.started", of_plan(None)),
    ]

    done = run(monkeypatch, databases, "amply_app", "erase", "donor", "--email-sha256", ADA)
    assert done.exit_code == 0, done.output + str(done.exception)
    assert [(each.type, each.data) for each in plans.rows("public_event")] == [
        ("plan.ended", of_plan("erased"))
    ], "whoever was told of it has to know that it is over"
    assert [each.plan_id for each in plans.rows("donation")] == [None]


def test_an_erased_donors_plan_ends_and_names_nobody(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 28)
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        recurring.pause(session, plan_id=plan_id, email_sha256=ADA, until=None, now=plans.clock())
    done = run(monkeypatch, databases, "amply_app", "erase", "donor", "--email-sha256", ADA)
    assert done.exit_code == 0, done.output + str(done.exception)

    plan = plans.plan
    assert (plan.status, plan.reason, plan.donor_email, plan.customer_id) == ("ended", "erased", None, None)
    for table in TABLES:
        content = repr(plans.rows(table)).encode()
        assert (table, found_in(content, OF_A_DONOR)) == (table, [])
    plans.on(2026, 3, 31)
    assert [state for _, state in plans.states()] == ["paid", "given_up"], "nothing is collected any more"


def test_an_erased_gift_takes_its_plan_along(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gift,) = plans.rows("donation")
    done = run(monkeypatch, databases, "amply_app", "erase", "donor", "--gift", gift.id)
    assert done.exit_code == 0, done.output + str(done.exception)
    assert (plans.plan.status, plans.plan.reason) == ("ended", "erased")


def test_the_scheduler_starts_what_the_worker_does(plans: Plans) -> None:
    app = Celery("plans", broker="memory://", set_as_current=False)
    worker.register(
        app,
        worker.Parts(
            events=plans.events,
            receipts=donations.ReceiptDependencies(
                database=plans.database, mailer=plans.mailer, secrets=SECRETS, ledger_page=""
            ),
            mail_feedback=mail.FeedbackDependencies(database=plans.database, queue=FakeFeedback()),
            method_cloning=FakeMethodCloning(),
            payouts=payouts.PayoutDependencies(
                database=plans.database, processor=FakePayouts(), secrets=SECRETS
            ),
            missed_events=webhooks.MissedEventDependencies(
                database=plans.database, source=FakeEvents(), livemode=False, keeps=donations.keeps_event
            ),
            recurring=plans.parts,
            onboarding=onboarding_work(plans.database, processor=plans.processor),
            member_invitations=inviting_work(plans.database),
            domain_checks=federation.DomainCheckDependencies(database=plans.database, records=DnsRecords()),
            people=people_work(plans.database),
            applications=applying_work(plans.database),
            audit_archive=AuditShelf(),
            images=image_work(plans.database),
            exports=exports.ExportJobs(database=plans.database, store=FakeExports()),
            webhook_delivery=delivery_dependencies(plans.database),
            data_sharing=None,
            data_settlement=None,
            data_ingestion=None,
            clock=plans.clock,
        ),
    )
    started = {
        job.name: job
        for job in scheduler.jobs(plans.database, sqs.TaskSender(app, tasks_of={}), FakeBus(), plans.clock)
    }
    assert {task_names.COLLECT_DUE, task_names.SEND_PLAN_LETTERS} <= started.keys()
    plans.clock.now = datetime(2026, 2, 28, 9, tzinfo=UTC)
    app.tasks[task_names.COLLECT_DUE]()
    assert plans.states() == [(0, "paid"), (1, "waiting")]
    app.tasks[task_names.SEND_PLAN_LETTERS]()


def late(plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `recurring list --late` prints at the plans' moment."""
    monkeypatch.setattr("amply.entrypoints.admin_recurring.system_clock", plans.clock)
    shown = run(monkeypatch, databases, "amply_operator", "recurring", "list", "--late")
    assert found_in(shown.stdout.encode(), OF_A_DONOR) == []
    return [(line["period"], line["waits_for"], line["late_since"][:16]) for line in lines(shown)]


def counted_late(plans: Plans) -> int:
    with plans.database.transaction() as session:
        return recurring.count_late(session, now=plans.clock())


def test_a_gift_that_is_due_and_nobody_tried_is_late_after_hours(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.clock.now = datetime(2026, 2, 28, 13, 59, tzinfo=UTC)
    assert (late(plans, databases, monkeypatch), counted_late(plans)) == ([], 0)
    plans.clock.now = datetime(2026, 2, 28, 14, tzinfo=UTC)
    assert late(plans, databases, monkeypatch) == [(1, None, "2026-02-28T08:00")]
    assert counted_late(plans) == 1
    plans.at(plans.clock())
    assert (late(plans, databases, monkeypatch), counted_late(plans)) == ([], 0)


def test_a_gift_that_the_processor_never_answers_for_is_late(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.saved.answers = [payments.ProcessorUnavailable("away")] * 40
    plans.on(2026, 2, 28)
    assert counted_late(plans) == 0
    plans.on(2026, 2, 28, hour=16)
    assert late(plans, databases, monkeypatch) == [(1, None, "2026-02-28T09:00")]
    assert counted_late(plans) == 1


def test_a_gift_that_was_declined_is_behind_and_not_late(plans: Plans) -> None:
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 28)
    plans.on(2026, 2, 28, hour=20)
    assert (plans.plan.status, counted_late(plans)) == ("past_due", 0)


def test_what_waits_for_its_organisation_is_listed_and_rings_nowhere(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plans.database.transaction() as session:
        session.execute(text("UPDATE processor_account SET status = 'restricted'"))
    for day in (28, 1, 2):
        plans.on(2026, 2 if day == 28 else 3, day)
    assert late(plans, databases, monkeypatch) == [(1, "organization", "2026-02-28T09:00")]
    assert counted_late(plans) == 0


def test_a_notice_that_does_not_leave_for_days_makes_its_gift_late(database: Database) -> None:
    plans = Plans(database, now=datetime(2026, 1, 15, 12, tzinfo=UTC))
    plans.saved.method = ACCOUNT
    plans.begin()
    plans.mailer.refuses = True
    for day in (10, 15, 16, 18):
        plans.on(2026, 2, day)
    assert (plans.plan.waits_for, counted_late(plans)) == ("notice", 0)
    plans.on(2026, 2, 19)
    assert counted_late(plans) == 1


def test_staff_list_what_the_processor_never_answered_for_and_the_alarm_rings_another_week(
    plans: Plans, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.saved.answers = [payments.ProcessorUnavailable("away")] * 400
    for day in (28, 1, 14, 15):
        plans.on(2026, 2 if day == 28 else 3, day)
    assert plans.states()[-1] == (1, "given_up")

    def listed(*more: str) -> list[Any]:
        shown = run(monkeypatch, databases, "amply_operator", "recurring", "list", "--unanswered", *more)
        assert found_in(shown.stdout.encode(), OF_A_DONOR) == []
        return lines(shown)

    (line,) = listed("--organization", plans.organization_id)
    assert (line["id"], line["period"], line["due_on"]) == (plans.plan.id, 1, "2026-02-28")
    assert (line["unanswered"], line["amount"]) == ("charge", {"minor_units": "2500", "currency": "EUR"})
    assert listed("--organization", "org_" + "0" * 26) == []
    plans.clock.now = datetime(2026, 3, 20, tzinfo=UTC)
    assert counted_late(plans) == 1, "nothing is late any more, and somebody still has to look"
    plans.clock.now = datetime(2026, 3, 23, tzinfo=UTC)
    assert (counted_late(plans), len(listed())) == (0, 1)


def test_lists_are_asked_for_one_at_a_time(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    both = run(monkeypatch, databases, "amply_operator", "recurring", "list", "--unanswered", "--late")
    assert (both.exit_code, "one of --status, --late and --unanswered" in both.output) == (2, True)


def test_a_letter_that_used_up_its_attempts_is_counted(plans: Plans) -> None:
    plans.mailer.refuses = True
    plans.saved.answers = [declined("stolen_card")]
    plans.on(2026, 2, 28)
    counts = []
    for attempts in (19, 20):
        with plans.database.transaction() as session:
            session.execute(text("UPDATE plan_letter SET attempts = :attempts"), {"attempts": attempts})
            counts.append(recurring.count_exhausted_letters(session))
    assert counts == [0, 1]
