"""What staff do about plans, what is forgotten of a donor, and that the worker's tasks are the ones that are started."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import Celery
from click.testing import CliRunner, Result
from pydantic import SecretStr

from amply.adapters import sqs
from amply.entrypoints import scheduler, worker
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.infra.settings import CommitmentSettings
from amply.modules import donations, ledger, mail, payouts, recurring, webhooks
from tests.backend.conftest import PASSWORD, Databases
from tests.backend.onboarding_world import onboarding_work
from tests.backend.payout_world import FakeEvents, FakePayouts
from tests.backend.personal_data import found_in
from tests.backend.plan_world import ADA, EMAIL, SECRETS, Plans, declined
from tests.backend.sharing_world import FakeSharing
from tests.backend.world import FakeFeedback

COMMITMENT_KEY = "for-tests-0123456789-0123456789-0123456789-0123"
THE_COMMANDS = ledger.CommitmentSecrets.from_settings(
    CommitmentSettings(commitment_key=SecretStr(COMMITMENT_KEY))
)
OF_A_DONOR = {"email": EMAIL, "digest": ADA, "customer": "cus_pln_"}
TABLES = ("plan", "plan_charge", "plan_letter", "donor_link_request", "idempotency_key", "payment")


@pytest.fixture
def plans(database: Database) -> Plans:
    made = Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC), secrets=THE_COMMANDS)
    made.begin()
    return made


def run(monkeypatch: pytest.MonkeyPatch, databases: Databases, user: str, *words: str) -> Result:
    settings = databases.server.settings(name=databases.name, user=user)
    for name in ("host", "port", "name", "user", "auth", "tls"):
        monkeypatch.setenv(f"AMPLY_DATABASE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("AMPLY_DATABASE_PASSWORD", PASSWORD)
    monkeypatch.setenv("AMPLY_COMMITMENT_KEY", COMMITMENT_KEY)
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
            receipts=donations.ReceiptSending(
                database=plans.database, mailer=plans.mailer, secrets=SECRETS, ledger_page=""
            ),
            hearing=mail.Hearing(database=plans.database, queue=FakeFeedback()),
            sharing=FakeSharing(),
            payouts=payouts.Handling(database=plans.database, processor=FakePayouts(), secrets=SECRETS),
            gaps=webhooks.Gaps(
                database=plans.database, source=FakeEvents(), livemode=False, keeps=donations.keeps_event
            ),
            recurring=plans.parts,
            onboarding=onboarding_work(plans.database, processor=plans.processor),
            clock=plans.clock,
        ),
    )
    started = {
        job.name: job for job in scheduler.jobs(plans.database, sqs.TaskSender(app, tasks_of={}), plans.clock)
    }
    assert {"collect recurring gifts", "send letters about them"} <= started.keys()
    plans.clock.now = datetime(2026, 2, 28, 9, tzinfo=UTC)
    app.tasks[worker.COLLECT_DUE]()
    assert plans.states() == [(0, "paid"), (1, "waiting")]
    app.tasks[worker.SEND_PLAN_LETTERS]()
