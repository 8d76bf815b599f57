"""What the processor tells and nobody handles yet is kept, says nothing of a person, and can be started again."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from amply.entrypoints import backlog
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.modules import donations, webhooks
from tests.backend.committed.test_provider_events import SECRETS, Books
from tests.backend.conftest import Databases
from tests.backend.world import NOW

UNHANDLED = "application_fee.refunded"


@pytest.fixture
def books(database: Database) -> Books:
    made = Books(database)
    made.give()
    return made


def refunded(books: Books) -> dict[str, Any]:
    """A charge as Stripe sends it after a refund, with what names the donor; kept the same whatever the type."""
    return {
        **books.charge(),
        "amount": 2500,
        "amount_refunded": 1000,
        "currency": "eur",
        "status": "succeeded",
        "billing_details": {"name": "Ada Lovelace"},
        "receipt_email": "ada@example.org",
        "description": "for Ada",
        "metadata": {**books.charge()["metadata"], "their_note": "Ada's birthday"},
        "refunds": {"data": [{"id": "re_1"}]},
    }


def outcomes(books: Books) -> dict[str, str | None]:
    return {row.id: row.outcome for row in books.rows("provider_event")}


def test_an_event_that_nobody_handles_is_kept_and_announced_to_nobody(books: Books) -> None:
    assert books.deliver("evt_1", UNHANDLED, object=refunded(books))
    assert not books.deliver("evt_1", UNHANDLED, object=refunded(books)), (
        "once, however often it is delivered"
    )

    (event,) = books.rows("provider_event")
    assert (event.type, event.outcome, event.attempts) == (UNHANDLED, "unsupported", 0)
    assert books.rows("outbox") == []
    with books.database.transaction() as session:
        assert webhooks.due_again(session, now=NOW.replace(year=2030)) == 0
    assert books.handle("evt_1") is None


def test_what_is_kept_says_what_moved_and_nothing_of_a_person(books: Books) -> None:
    (payment,) = books.rows("payment")
    books.deliver("evt_1", UNHANDLED, object=refunded(books))

    (event,) = books.rows("provider_event")
    assert event.payload == {
        "id": "ch_0",
        "object": "charge",
        "payment_intent": "pi_0",
        "amount": 2500,
        "amount_refunded": 1000,
        "currency": "eur",
        "status": "succeeded",
        "metadata": {"amply_payment_id": payment.id},
    }


@pytest.mark.parametrize(
    "event_type", sorted(webhooks.AWAITED_TYPES | {"account.external_account.created", "balance.available"})
)
def test_every_type_is_kept(event_type: str, books: Books) -> None:
    assert books.deliver("evt_1", event_type, object={"id": "x_1", "object": "thing"})
    assert outcomes(books) == {"evt_1": "unsupported"}


@pytest.mark.parametrize(
    "event_type", ["customer.created", "payment_method.attached", "setup_intent.succeeded", "mandate.updated"]
)
def test_what_tells_of_people_and_their_cards_is_not_kept(event_type: str, books: Books) -> None:
    """No gift leads to it, so that no erasure would find it."""
    assert not books.deliver("evt_1", event_type, object={"object": "customer", "id": "cus_1"})
    assert outcomes(books) == {}


def test_the_platforms_own_events_are_kept_and_strangers_are_not(books: Books) -> None:
    topup = {"id": "tu_1", "object": "topup", "amount": 500}
    assert books.deliver("evt_ours", "topup.created", account_id=None, object=topup)
    assert not books.deliver("evt_theirs", "topup.created", account_id="acct_stranger", object=topup)
    assert outcomes(books) == {"evt_ours": "unsupported"}


def test_moved_money_that_nobody_books_is_counted_and_other_news_is_not(books: Books) -> None:
    books.deliver("evt_1", UNHANDLED, object=refunded(books))
    books.deliver("evt_2", "application_fee.refunded", object={"id": "fee_1", "object": "application_fee"})
    books.deliver("evt_3", "charge.succeeded", object=books.charge())

    assert backlog.measure(books.database, now=NOW).awaited_events == 2


@pytest.mark.parametrize(
    "later",
    [
        {"object": "charge", "id": "ch_0", "payment_intent": "pi_0"},
        {"object": "refund", "id": "re_1", "payment_intent": "pi_0", "charge": "ch_0"},
        {"object": "application_fee", "id": "fee_1", "charge": "ch_0"},
    ],
)
def test_an_erasure_takes_what_waits_along(later: dict[str, Any], books: Books) -> None:
    books.succeed()
    books.deliver("evt_fee", "charge.updated", object=books.charge())
    books.handle("evt_fee")
    books.deliver("evt_later", UNHANDLED, object=later)
    books.deliver("evt_other", "topup.created", object={"id": "tu_1", "object": "topup"})
    (donation,) = books.rows("donation")

    done = donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=donation.id, now=NOW)

    assert done.events_under_way == 0
    assert outcomes(books) == {"evt_other": "unsupported"}
    if "payment_intent" in later:
        assert not books.deliver("evt_again", UNHANDLED, object=later), "nor does it come back"


def given_up(books: Books, *event_ids: str) -> None:
    for event_id in event_ids:
        books.deliver(event_id, "payment_intent.succeeded")
    with books.database.transaction() as session:
        session.execute(text("UPDATE provider_event SET attempts = 10 WHERE handled_at IS NULL"))


def of_the_next_release(books: Books, event_id: str) -> None:
    """An event of a type that was not handled when it came, and is now."""
    books.deliver(event_id, "payment_intent.succeeded")
    with books.database.transaction() as session:
        session.execute(
            text("UPDATE provider_event SET handled_at = now(), outcome = 'unsupported' WHERE id = :id"),
            {"id": event_id},
        )


@pytest.mark.parametrize("prepare", [given_up, of_the_next_release])
def test_what_waited_is_replayed_and_applied_once(prepare: Any, books: Books) -> None:
    prepare(books, "evt_1")
    assert prepare is given_up or books.handle("evt_1") is None
    announced = len(books.rows("outbox"))

    with books.database.transaction() as session:
        assert webhooks.replay(session, event_type=None, limit=10, now=NOW) == webhooks.Replayed(
            started=1, left=0
        )
        assert webhooks.replay(session, event_type=None, limit=10, now=NOW).started == 0

    assert len(books.rows("outbox")) == announced + 1
    books.handle("evt_1")
    assert books.kinds() == ["donation.succeeded", "processor.fee"]
    with books.database.transaction() as session:
        webhooks.replay_one(session, event_id="evt_1", now=NOW)
    assert books.handle("evt_1") == webhooks.Outcome.NO_CHANGE


def test_a_replay_is_bounded_and_says_what_is_left(books: Books) -> None:
    given_up(books, *(f"evt_{number}" for number in range(5)))
    with books.database.transaction() as session:
        assert webhooks.replay(session, event_type=None, limit=2, now=NOW) == webhooks.Replayed(
            started=2, left=3
        )


@pytest.fixture
def command(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Any:
    databases.sign_commands_in(monkeypatch, user="amply_operator")

    def run(*words: str) -> Result:
        return CliRunner().invoke(admin, ["webhooks", *words])

    return run


def test_the_operators_commands(books: Books, command: Any) -> None:
    books.deliver("evt_refund", UNHANDLED, object=refunded(books))
    given_up(books, "evt_gift")

    listed = [json.loads(line) for line in command("list-unhandled").output.splitlines()]
    assert [(event["id"], event["state"], event["can_be_replayed"]) for event in listed] == [
        ("evt_gift", "exhausted", True),
        ("evt_refund", "unsupported", False),
    ]
    (only,) = command("list-unhandled", "--type", UNHANDLED).output.splitlines()
    assert json.loads(only)["id"] == "evt_refund"
    assert json.loads(command("replay").output) == {"started": 1, "left": 0}
    assert json.loads(command("replay", "--id", "evt_gift").output) == {"started": 1, "left": 0}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("replay", "--type", UNHANDLED), f"Nobody handles {UNHANDLED} yet"),
        (("replay", "--id", "evt_refund"), f"Nobody handles {UNHANDLED} yet"),
        (("replay", "--id", "evt_unknown"), "No event evt_unknown is stored"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_a_reason(
    words: tuple[str, ...], said: str, books: Books, command: Any
) -> None:
    books.deliver("evt_refund", UNHANDLED, object=refunded(books))
    assert said in str(command(*words).exception)


def test_choices_that_exclude_each_other_and_limits_are_refused(command: Any) -> None:
    assert command("replay", "--id", "evt_1", "--type", UNHANDLED).exit_code == 2
    assert command("replay", "--limit", "1001").exit_code == 2


def failed(books: Books, event_id: str, reason: str, *, attempts: int) -> None:
    books.deliver(event_id, "payment_intent.succeeded")
    with books.database.transaction() as session:
        webhooks.note_failure(session, event_id=event_id, reason=reason)
        session.execute(
            text("UPDATE provider_event SET attempts = :attempts WHERE id = :id"),
            {"attempts": attempts, "id": event_id},
        )


def test_what_nothing_happens_to_is_summed_up_by_type_and_reason(books: Books, command: Any) -> None:
    for number in range(3):
        books.deliver(f"evt_{number}", UNHANDLED, object=refunded(books))
    failed(books, "evt_late", "ProcessorUnavailable", attempts=10)
    failed(books, "evt_again", "ProcessorUnavailable", attempts=1)
    failed(books, "evt_out", webhooks.ACCOUNT_OUT_OF_REACH, attempts=0)
    books.deliver("evt_fresh", "payment_intent.succeeded")

    told = [json.loads(line) for line in command("summary").output.splitlines()]
    assert [
        (group["type"], group["state"], group["reason"], group["events"], group["can_be_replayed"])
        for group in sorted(told, key=lambda group: (-group["events"], group["state"]))
    ] == [
        (UNHANDLED, "unsupported", None, 3, False),
        ("payment_intent.succeeded", "exhausted", "ProcessorUnavailable", 1, True),
        ("payment_intent.succeeded", "failing", "ProcessorUnavailable", 1, True),
        ("payment_intent.succeeded", "waiting", "account_out_of_reach", 1, True),
    ]
    measured = backlog.measure(books.database, now=NOW)
    assert (measured.failing_events, measured.exhausted_events) == (2, 1)

    books.handle("evt_again")
    assert backlog.measure(books.database, now=NOW).failing_events == 1
