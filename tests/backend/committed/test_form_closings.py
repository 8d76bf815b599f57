"""A form that an attack does not stop at: closed for a while, told of, and open again, over a real database and HTTP."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from amply.entrypoints import backlog
from amply.entrypoints.admin import main
from amply.infra.database import Database
from amply.kernel.errors import AmplyError
from amply.modules import defence, onboarding, organizations
from amply.modules.defence import domain
from tests.backend.api_world import assert_problem
from tests.backend.committed.test_defence import shared
from tests.backend.conftest import Databases
from tests.backend.defended_form import Form
from tests.backend.onboarding_world import onboarding_work
from tests.backend.plan_world import Plans
from tests.backend.world import FakeMailer, ready_organization

DONOR = "81.2.69.142"


@pytest.fixture
def form(database: Database, databases: Databases) -> Iterator[Form]:
    own = databases.as_role("amply_api")
    made = Form(own, operator=database)
    with made.client:
        yield made
    own.close()


@pytest.fixture
def fewer(form: Form, monkeypatch: pytest.MonkeyPatch) -> Form:
    """A fifth of what the rules ask for is enough. Their own numbers are `unit/test_closing_rules.py`'s, and the first test's."""
    for name, number in {
        "_ATTACK_DECLINES": 4,
        "_ATTACK_CARDS": 2,
        "_CLOSE_DECLINES": 12,
        "_CLOSE_CARDS": 6,
        "_CLOSE_NETWORKS": 4,
    }.items():
        monkeypatch.setattr(domain, name, number)
    form.gifts_of_attack, form.gifts_through = 2, 6
    return form


@pytest.fixture
def command(form: Form, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Any:
    databases.sign_commands_in(monkeypatch, user="amply_operator")
    monkeypatch.setattr("amply.entrypoints.admin_defence.system_clock", form.clock)

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, list(words))

    return run


def close(form: Form, organization_id: str | None = None, *, hours: float = 1, ago: float = 0) -> None:
    """A closing as the rule would make it, without the siege."""
    began_at = form.clock() - timedelta(hours=ago)
    with form.operator.transaction() as session:
        session.execute(
            text("""
                INSERT INTO form_closing
                    (id, organization_id, began_at, until, declines, cards, networks, next_attempt_at)
                VALUES (:id, :organization_id, :began_at, :until, 61, 60, 30, :began_at)
            """),
            {
                "id": f"clo_{began_at:%d%H%M}{organization_id or ''}",
                "organization_id": organization_id or form.organization_id,
                "began_at": began_at,
                "until": began_at + timedelta(hours=hours),
            },
        )


def contact(form: Form, language: str = "en") -> None:
    with form.operator.transaction() as session:
        organizations.keep_contact(
            session,
            organization_id=form.organization_id,
            contact=organizations.Contact(email="office@river.example", language=language),
            now=form.clock(),
        )


def test_cards_that_come_through_the_challenge_close_the_form_and_it_opens_by_itself(form: Form) -> None:
    form.besiege()

    refused = form.open(address=DONOR)
    assert_problem(refused, status=409, code="form_closed")
    (closing,) = form.rows("form_closing")
    announced = [row for row in form.rows("outbox") if row.topic == defence.TOPIC_FORM_CLOSED]
    assert [row.payload for row in announced] == [{"closing_id": closing.id}]
    assert (closing.declines, closing.cards, closing.networks) == (60, 60, 30)
    assert closing.until == form.clock() + timedelta(hours=1)
    assert refused.json()["closed"] == {
        "organization_ids": [form.organization_id],
        "opens_at": "2026-11-21T10:10:31.000Z",
    }
    assert "River Trust" in refused.json()["detail"]
    other = ready_organization(form.operator, form.processor, slug="other-trust")
    assert form.give(key="elsewhere", organization_id=other).status_code == 201

    form.clock.advance(minutes=59)
    assert backlog.measure(form.operator, now=form.clock()).attacked_organizations == 1, "it rings until then"
    assert form.open(address=DONOR).status_code == 409
    form.clock.advance(minutes=1)
    assert form.open(address=DONOR).status_code == 201
    assert backlog.measure(form.operator, now=form.clock()).attacked_organizations == 0


def test_what_comes_while_the_challenge_has_not_been_tried_for_ten_minutes_closes_nothing(
    fewer: Form,
) -> None:
    form = fewer
    form.make_challenges_easy()
    form.attack()
    form.clock.advance(minutes=9, seconds=59)
    form.push_through()

    assert form.rows("form_closing") == []


def test_declines_of_gifts_that_nobody_was_challenged_for_close_nothing(fewer: Form) -> None:
    form = fewer
    form.make_challenges_easy()
    before = [form.open(address=f"198.18.{number}.9").json()["id"] for number in range(6)]
    form.attack()
    form.clock.advance(minutes=10, seconds=1)
    for number, opened in enumerate(before):
        for card in ("a", "b"):
            form.decline(opened, card=f"{number}{card}")

    assert form.rows("form_closing") == []


def test_declines_that_are_heard_of_at_once_close_it_once(fewer: Form) -> None:
    form = fewer
    form.make_challenges_easy()
    form.attack()
    form.clock.advance(minutes=10, seconds=1)
    form.push_through(gifts=5)
    assert form.rows("form_closing") == []
    opened = [form.open_solving(address=f"198.19.{number}.9").json()["id"] for number in range(4)]

    def decline(donation_id: str) -> None:
        with form.operator.transaction() as session:
            told = defence.Decline(
                reference=f"ch_{donation_id}", card=f"card of {donation_id}", declined_at=form.clock()
            )
            defence.note_decline(
                session,
                told,
                donation_id=donation_id,
                organization_id=form.organization_id,
                now=form.clock(),
            )

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(decline, opened))
    (closing,) = form.rows("form_closing")
    assert closing.declines == 14, "and the last of them kept it closed"


def test_evidence_that_goes_on_keeps_it_closed_for_longer(fewer: Form) -> None:
    form = fewer
    form.make_challenges_easy()
    form.attack()
    form.clock.advance(minutes=10, seconds=1)
    opened = [form.open_solving(address=f"198.19.{number}.9").json()["id"] for number in range(5)]
    form.push_through()
    form.clock.advance(minutes=3)
    for number, each in enumerate(opened):
        form.decline(each, card=f"late-{number}")

    (closing,) = form.rows("form_closing")
    assert closing.until == form.clock() + timedelta(hours=1)
    assert closing.declines == 17


@pytest.mark.parametrize("kept_open_by", ["six hours today", "an exemption"])
def test_a_form_is_kept_open(fewer: Form, command: Any, kept_open_by: str) -> None:
    form = fewer
    if kept_open_by == "an exemption":
        words = ("--id", form.organization_id, "--days", "30", "--reason", "Our telethon is on.")
        assert command("defence", "exempt", *words).exit_code == 0
    else:
        close(form, hours=3, ago=20)
        close(form, hours=3, ago=10)
    closings = len(form.rows("form_closing"))
    form.besiege()

    assert len(form.rows("form_closing")) == closings
    assert form.open(address=DONOR).status_code == 403, "everybody is still challenged"


def test_an_operator_sees_it_reopens_it_and_it_is_not_closed_again_for_what_was(
    fewer: Form, command: Any
) -> None:
    form = fewer
    form.besiege()
    (line,) = command("defence", "closings").output.splitlines()
    told = json.loads(line)
    assert (told["organization_id"], told["is_closed"], told["told_at"]) == (
        form.organization_id,
        True,
        None,
    )

    reopened = command("defence", "reopen", "--id", form.organization_id, "--reason", "They asked.")
    assert json.loads(reopened.output)["is_closed"] is False
    form.clock.advance(minutes=1)
    for number, card in enumerate("abcde"):
        opened = form.open_solving(address=f"198.19.{number}.9")
        assert opened.status_code == 201
        form.decline(opened.json()["id"], card=card)
    (row,) = form.rows("form_closing")
    assert (row.reason, row.until) == ("They asked.", row.reopened_at)

    again = command("defence", "reopen", "--id", form.organization_id, "--reason", "Twice.")
    assert isinstance(again.exception, AmplyError)
    assert "is open" in str(again.exception)


def test_an_exemption_opens_a_closed_form_needs_a_reason_and_can_be_ended(form: Form, command: Any) -> None:
    close(form)
    words = ("defence", "exempt", "--id", form.organization_id)
    assert isinstance(command(*words, "--days", "7", "--reason", " ").exception, AmplyError)
    assert isinstance(command(*words, "--days", "366", "--reason", "For ever.").exception, AmplyError)
    assert form.open(address=DONOR).status_code == 409

    assert command(*words, "--days", "7", "--reason", "Their campaign.").exit_code == 0
    assert form.open(address=DONOR).status_code == 201
    assert json.loads(command("defence", "exemptions").output)["reason"] == "Their campaign."

    assert command(*words, "--days", "0", "--reason", "It is over.").exit_code == 0
    assert command("defence", "exemptions").output == ""


def test_a_gift_to_several_names_the_one_that_is_closed(form: Form) -> None:
    other = ready_organization(form.operator, form.processor, slug="other-trust")
    close(form, other)
    gifts = len(form.rows("donation"))

    refused = shared(form, form.organization_id, other)
    assert_problem(refused, status=409, code="form_closed")
    assert refused.json()["closed"]["organization_ids"] == [other]
    assert "give to the others now" in refused.json()["detail"]
    assert len(form.rows("donation")) == gifts
    form.clock.advance(hours=1)
    assert shared(form, form.organization_id, other).status_code == 201


def test_a_payment_that_was_begun_is_finished_while_the_form_is_closed(form: Form) -> None:
    opened = form.open().json()["id"]
    close(form)
    form.tell(opened, "payment_intent.succeeded")

    assert [row.status for row in form.rows("payment")] == ["succeeded"]


def test_plans_are_collected_while_the_form_is_closed(database: Database) -> None:
    plans = Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    plans.begin()
    due = datetime(2026, 2, 28, 8, tzinfo=UTC)
    with database.transaction() as session:
        session.execute(
            text("""
                INSERT INTO form_closing
                    (id, organization_id, began_at, until, declines, cards, networks, next_attempt_at)
                SELECT 'clo_1', id, CAST(:due AS timestamptz) - interval '1 hour',
                       CAST(:due AS timestamptz) + interval '2 hours', 61, 60, 30, :due
                FROM organization
            """),
            {"due": due},
        )

    plans.on(2026, 2, 28)
    assert plans.states() == [(0, "paid"), (1, "paid")]


def test_the_organisation_is_told_once_in_its_language(form: Form) -> None:
    contact(form, "de")
    close(form)
    mailer = FakeMailer()
    work = onboarding_work(form.operator, processor=form.processor, mailer=mailer)

    told = [onboarding.tell_of_closings(work, now=form.clock()) for _ in range(2)]
    assert told == [1, 0]
    (letter,) = mailer.sent
    assert letter.to == "office@river.example"
    assert "für eine Weile geschlossen" in letter.subject
    assert form.rows("form_closing")[0].told_at == form.clock()


def test_whom_nobody_can_be_told_of_is_seen(form: Form, command: Any) -> None:
    close(form)
    mailer = FakeMailer()
    work = onboarding_work(form.operator, processor=form.processor, mailer=mailer)
    assert onboarding.tell_of_closings(work, now=form.clock()) == 0
    assert json.loads(command("defence", "closings").output)["withheld"] == "no_contact"

    said = command(
        *("organization", "contact", "--id", form.organization_id),
        *("--email", "office@river.example", "--language", "fr"),
    )
    assert said.exit_code == 0, str(said.exception)
    close(form, ago=-1)
    form.clock.advance(hours=1)
    assert onboarding.tell_of_closings(work, now=form.clock()) == 1
    assert "fermé" in mailer.sent[0].subject


def test_a_letter_that_does_not_leave_is_tried_again_and_rings_in_the_end(form: Form) -> None:
    contact(form)
    close(form)
    away = onboarding_work(form.operator, processor=form.processor, mailer=FakeMailer(refuses=True))
    for _ in range(10):
        assert backlog.measure(form.operator, now=form.clock()).exhausted_letters == 0
        assert onboarding.tell_of_closings(away, now=form.clock()) == 0
        form.clock.advance(hours=18)

    assert backlog.measure(form.operator, now=form.clock()).exhausted_letters == 1


def test_the_contact_that_was_named_first_is_kept_until_another_is_named(form: Form) -> None:
    contact(form, "de")
    with form.operator.transaction() as session:
        organizations.keep_contact(
            session,
            organization_id=form.organization_id,
            contact=organizations.Contact(email="other@river.example", language="en"),
            replaces=False,
            now=form.clock(),
        )
        kept = organizations.contact_of(session, organization_id=form.organization_id)
    assert kept is not None
    assert (kept.email, kept.language) == ("office@river.example", "de")
