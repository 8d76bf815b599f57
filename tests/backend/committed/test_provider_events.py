"""Events in: repeated, reordered, early, foreign, and killed half-way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from amply.infra import outbox
from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import ledger, payments, webhooks
from amply.modules.donations import EventDependencies, handle_provider_event, keeps_event
from amply.modules.donations.provider_events.context import GiftNotBookedYet
from tests.backend.committed.test_donate import Desk
from tests.backend.world import NOW, Died, FakeProcessor, death

ATTEMPTS = {"payment_intent.processing": "processing", "payment_intent.payment_failed": "failed"}
SECRETS = ledger.CommitmentSecrets(key=bytes(32))


class Books(Desk):
    """A desk whose gifts are followed by the processor's events."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.parts = EventDependencies(database=database, processor=self.processor, secrets=SECRETS)

    def deliver(self, event_id: str, event_type: str, *, happens: bool = True, **changes: Any) -> bool:
        """An event comes, and is stored. It `happens`: the processor, when asked, says the same of the payment."""
        if happens and event_type in ATTEMPTS:
            self.processor.tell_attempt("pi_0", ATTEMPTS[event_type])
        (payment,) = self.rows("payment")
        intent = {"id": "pi_0", "metadata": {"amply_payment_id": payment.id}}
        event = webhooks.ProviderEvent(
            **{
                "id": event_id,
                "type": event_type,
                "account_id": payment.account_id,
                "livemode": False,
                "occurred_at": NOW,
                "object": intent,
                **changes,
            }
        )
        with self.database.transaction() as session:
            return webhooks.ingest(session, event=event, livemode=False, keeps=keeps_event, now=NOW)

    def charge(self) -> dict[str, Any]:
        (payment,) = self.rows("payment")
        metadata = {"amply_payment_id": payment.id}
        return {"object": "charge", "id": "ch_0", "payment_intent": "pi_0", "metadata": metadata}

    def handle(self, event_id: str) -> webhooks.Outcome | None:
        return handle_provider_event(self.parts, event_id=event_id, now=self.clock())

    def succeed(self, event_id: str = "evt_1") -> webhooks.Outcome | None:
        self.deliver(event_id, "payment_intent.succeeded")
        return self.handle(event_id)

    def kinds(self) -> list[str]:
        with self.database.transaction() as session:
            return list(session.scalars(text("SELECT kind FROM entry ORDER BY kind")))

    def donation_status(self) -> str:
        (donation,) = self.rows("donation")
        status: str = donation.status
        return status


@pytest.fixture
def books(database: Database) -> Books:
    made = Books(database)
    made.give()
    return made


def test_success_books_the_gift_and_the_fee(books: Books) -> None:
    assert books.succeed() == webhooks.Outcome.APPLIED

    assert books.donation_status() == books.payment_status() == "succeeded"
    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_a_booked_gift_is_counted_once(books: Books) -> None:
    with structlog.testing.capture_logs() as lines:
        books.succeed()
        books.succeed("evt_2")
        books.deliver("evt_3", "payment_intent.payment_failed")
        books.handle("evt_3")

    (payment,) = books.rows("payment")
    assert [line["event"] for line in lines] == ["gift_booked"]
    assert lines[0]["payment_id"] == payment.id


def test_a_declined_payment_is_counted(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.payment_failed")
    with structlog.testing.capture_logs() as lines:
        books.handle("evt_1")

    assert [line["event"] for line in lines] == ["payment_declined"]


def test_a_fee_that_is_not_known_yet_is_not_invented(books: Books) -> None:
    books.processor.fee = None
    books.succeed()

    assert books.kinds() == ["donation.succeeded"]


def test_a_fee_that_becomes_known_later_is_booked_once(books: Books) -> None:
    fee, books.processor.fee = books.processor.fee, None
    books.succeed()
    books.processor.fee = fee
    for event_id in ("evt_2", "evt_3"):
        books.deliver(event_id, "charge.updated", object=books.charge())

    assert books.handle("evt_2") == webhooks.Outcome.APPLIED
    assert books.handle("evt_3") == webhooks.Outcome.NO_CHANGE
    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_a_fee_that_overtakes_its_gift_comes_back_later(books: Books) -> None:
    books.deliver("evt_early", "charge.updated", object=books.charge())
    with pytest.raises(GiftNotBookedYet):
        books.handle("evt_early")
    fee, books.processor.fee = books.processor.fee, None
    books.succeed()
    books.processor.fee = fee

    assert books.handle("evt_early") == webhooks.Outcome.APPLIED
    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_an_event_delivered_twice_is_stored_once(books: Books) -> None:
    assert books.deliver("evt_1", "payment_intent.succeeded")
    assert not books.deliver("evt_1", "payment_intent.succeeded")


def test_an_event_handled_twice_is_applied_once(books: Books) -> None:
    books.succeed()

    assert books.handle("evt_1") is None
    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_the_same_success_under_another_event_id_changes_nothing(books: Books) -> None:
    books.succeed("evt_1")

    assert books.succeed("evt_2") == webhooks.Outcome.NO_CHANGE
    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_a_late_failure_does_not_undo_a_success(books: Books) -> None:
    books.succeed()
    books.deliver("evt_late", "payment_intent.payment_failed")

    assert books.handle("evt_late") == webhooks.Outcome.NO_CHANGE
    assert books.donation_status() == "succeeded"


def test_a_declined_card_then_one_that_works_is_one_success(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.payment_failed")
    books.handle("evt_1")
    assert books.donation_status() == "failed"

    assert books.succeed("evt_2") == webhooks.Outcome.APPLIED
    assert books.donation_status() == "succeeded"


def test_processing_is_shown_while_money_is_on_its_way(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.processing")

    assert books.handle("evt_1") == webhooks.Outcome.APPLIED
    assert books.donation_status() == books.payment_status() == "processing"
    assert books.kinds() == ["donation.processing"]
    assert books.rows("receipt") == [], "no receipt before the money is there"


def test_a_canceled_payment_is_shown_and_books_nothing(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.canceled")

    assert books.handle("evt_1") == webhooks.Outcome.APPLIED
    assert (books.donation_status(), books.kinds()) == ("canceled", [])


def test_an_event_that_overtakes_our_own_record_finds_its_payment(database: Database) -> None:
    books = Books(database)
    books.processor.dies_after_create = True
    with death():
        books.give()
    books.processor.dies_after_create = False

    assert books.succeed() == webhooks.Outcome.APPLIED
    assert books.give().status == 201, "the donor's retry still gets its answer"
    assert books.donation_status() == "succeeded"


def test_a_payment_that_is_not_ours_is_recorded_as_such(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.succeeded", object={"id": "pi_foreign", "metadata": {}})

    assert books.handle("evt_1") == webhooks.Outcome.NOT_OURS
    assert books.donation_status() == "pending"


def test_our_id_on_a_foreign_account_books_nothing(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.succeeded", account_id="acct_attacker")

    assert books.handle("evt_1") == webhooks.Outcome.NOT_OURS
    assert books.kinds() == []


def test_our_id_on_another_intent_books_nothing(books: Books) -> None:
    (payment,) = books.rows("payment")
    forged = {"id": "pi_other", "metadata": {"amply_payment_id": payment.id}}
    books.deliver("evt_1", "payment_intent.succeeded", object=forged)

    assert books.handle("evt_1") == webhooks.Outcome.NOT_OURS
    assert books.kinds() == []


def test_a_charity_that_edits_the_metadata_does_not_stop_the_booking(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.succeeded", object={"id": "pi_0", "metadata": {}})

    assert books.handle("evt_1") == webhooks.Outcome.APPLIED
    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_a_changed_charge_of_a_declined_gift_is_done_with(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.payment_failed")
    books.handle("evt_1")
    books.deliver("evt_2", "charge.updated", object=books.charge())

    assert books.handle("evt_2") == webhooks.Outcome.NO_CHANGE


def test_only_what_handling_reads_is_kept_of_an_event(books: Books) -> None:
    (payment,) = books.rows("payment")
    snapshot = {
        "id": "pi_0",
        "metadata": {"amply_payment_id": payment.id},
        "billing_details": {"name": "Ada Lovelace"},
    }
    books.deliver("evt_1", "payment_intent.succeeded", object=snapshot)

    (event,) = books.rows("provider_event")
    assert event.payload == {"id": "pi_0", "metadata": {"amply_payment_id": payment.id}}


def test_announcements_grow_rare_while_no_worker_takes_them(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.succeeded")
    announced, now = 0, NOW
    while now < NOW + timedelta(hours=6):
        now += timedelta(seconds=15)
        with books.database.transaction() as session:
            announced += webhooks.due_again(session, now=now)

    assert 5 <= announced <= 20


def test_a_live_event_in_a_test_environment_is_refused(books: Books) -> None:
    with pytest.raises(webhooks.WrongLivemode):
        books.deliver("evt_1", "payment_intent.succeeded", livemode=True)


def test_the_processors_truth_is_booked_even_where_it_differs(books: Books) -> None:
    books.processor.gross = Money(minor_units=2400, currency="EUR")
    books.succeed()

    with books.database.transaction() as session:
        assert session.scalar(text("SELECT max(amount_minor) FROM transfer")) == 2400
    (donation,) = books.rows("donation")
    assert donation.minor_units == 2400, "letter and proof say the same"


class DyingProcessor(FakeProcessor):
    """Dies while it is asked for the settlement."""

    def settlement(self, *, remote_id: str, account_id: str) -> payments.Settlement:
        raise Died


def test_a_worker_killed_mid_task_loses_nothing(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.succeeded")
    dying = EventDependencies(database=books.database, processor=DyingProcessor(), secrets=SECRETS)
    with death():
        handle_provider_event(dying, event_id="evt_1", now=NOW)

    with books.database.transaction() as session:
        assert webhooks.due_again(session, now=NOW + timedelta(minutes=1)) == 1
    relayed: list[outbox.Fact] = []
    outbox.relay_batch(books.database, publish=relayed.append, now=NOW + timedelta(minutes=1))
    assert {fact.payload["event_id"] for fact in relayed} == {"evt_1"}
    assert books.handle("evt_1") == webhooks.Outcome.APPLIED


def test_an_event_that_keeps_failing_waits_for_a_person_and_is_kept(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.succeeded")
    books.processor.settlement = DyingProcessor().settlement  # type: ignore[method-assign] # it fails for ever
    for _ in range(10):
        with death():
            books.handle("evt_1")

    with books.database.transaction() as session:
        assert webhooks.due_again(session, now=NOW + timedelta(days=30)) == 0
    (event,) = books.rows("provider_event")
    assert event.handled_at is None


def test_ten_workers_with_the_same_event_book_it_once(books: Books) -> None:
    books.deliver("evt_1", "payment_intent.succeeded")
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(lambda _: books.handle("evt_1"), range(10)))

    assert outcomes.count(webhooks.Outcome.APPLIED) == 1
    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_ten_workers_with_ten_events_of_one_success_book_it_once(books: Books) -> None:
    for number in range(10):
        books.deliver(f"evt_{number}", "payment_intent.succeeded")
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(lambda number: books.handle(f"evt_{number}"), range(10)))

    assert sorted(filter(None, outcomes)).count(webhooks.Outcome.APPLIED) == 1
    assert books.kinds() == ["donation.succeeded", "processor.fee"]
