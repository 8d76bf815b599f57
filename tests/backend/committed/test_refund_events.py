"""What the processor tells of refunds, and what the books say then: early, late, twice, at once, and of the erased."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from amply.infra.database import Database
from amply.modules import donations, payments, webhooks
from amply.modules.donations import tasks
from amply.modules.donations.provider_events.context import (
    ApplyAnswer,
    EventTransaction,
    GiftNotBookedYet,
    PaymentEvent,
)
from amply.modules.donations.provider_events.refunds import about_refunds
from tests.backend.committed.money_back import INTENT, REFUND, Returns
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.world import NOW, FakeProcessor

TYPES = ("refund.created", "refund.updated", "charge.refunded", "charge.refund.updated", "refund.failed")
UNTOUCHED = {"gifts": 2500, "processor_balance": 2437, "processor_fees": 63}


@pytest.fixture
def books(database: Database) -> Returns:
    return Returns(database)


@pytest.mark.parametrize("event_type", TYPES)
def test_a_refund_is_booked_whichever_event_tells_of_it(event_type: str, books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)

    assert books.news(event_type) == webhooks.Outcome.APPLIED
    assert books.balances() == {"gifts": 1500, "processor_balance": 1437, "processor_fees": 63}
    assert books.shown() == ("partially_refunded", 1000)


def test_a_refund_names_the_gift_it_takes_back(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.news("refund.created")

    assert books.entry("donation.refunded").reverses == books.entry("donation.succeeded").id


def test_all_events_of_one_refund_book_it_once(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    outcomes = [books.news(event_type) for event_type in TYPES]

    assert outcomes == [webhooks.Outcome.APPLIED, *[webhooks.Outcome.NO_CHANGE] * (len(TYPES) - 1)]
    assert books.kinds().count("donation.refunded") == 1


def test_refunds_in_parts_add_up_to_the_whole(books: Returns) -> None:
    for number, minor_units in enumerate((500, 700, 1300)):
        books.processor.tell_refund(INTENT, f"re_{number}", minor_units=minor_units)
        books.news("charge.refunded")

    assert books.shown() == ("refunded", 2500)
    assert books.balances() == {"processor_balance": -63, "processor_fees": 63}
    assert books.kinds().count("donation.refunded") == 3


def test_one_event_brings_every_refund_that_stands(books: Returns) -> None:
    """Of several partial refunds the events may come in any order, or be lost but for one."""
    for number in range(3):
        books.processor.tell_refund(INTENT, f"re_{number}", minor_units=500)
    books.news("refund.created", object_id="re_2")

    assert books.shown() == ("partially_refunded", 1500)


def test_a_refund_that_has_not_moved_yet_is_known_and_not_booked(books: Returns) -> None:
    """Without enough balance, Stripe holds a refund as pending (docs.stripe.com/refunds)."""
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000, status="pending", has_moved=False)
    books.news("refund.created")
    assert (books.balances(), books.shown()) == (UNTOUCHED, ("succeeded", 0))

    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    assert books.news("refund.updated") == webhooks.Outcome.APPLIED
    assert books.shown() == ("partially_refunded", 1000)


def test_a_refund_to_a_bank_has_moved_while_it_is_pending(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000, status="pending")
    books.news("refund.created")
    assert books.shown() == ("partially_refunded", 1000)

    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.news("refund.updated")
    assert books.kinds().count("donation.refunded") == 1


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_fails_later_is_taken_back(status: str, books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.news("refund.created")
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000, status=status)

    assert books.news("refund.failed") == webhooks.Outcome.APPLIED
    assert (books.balances(), books.shown()) == (UNTOUCHED, ("succeeded", 0))
    assert books.entry("refund.failed").reverses == books.entry("donation.refunded").id
    assert books.news("refund.updated") == webhooks.Outcome.NO_CHANGE


def test_a_refund_first_heard_of_when_it_has_failed_is_booked_both_ways(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000, status="failed")
    books.news("refund.failed")

    assert (books.balances(), books.shown()) == (UNTOUCHED, ("succeeded", 0))
    assert {"donation.refunded", "refund.failed"} <= set(books.kinds())


def test_a_refund_that_failed_before_it_moved_leaves_no_trace_in_the_books(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000, status="failed", has_moved=False)
    books.news("refund.failed")

    assert books.kinds() == ["donation.succeeded", "processor.fee"]


def test_after_a_failed_refund_the_gift_can_be_refunded_anew(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=2500, status="failed")
    books.news("refund.failed")
    books.processor.tell_refund(INTENT, "re_2", minor_units=2500)
    books.news("refund.created", object_id="re_2")

    assert books.shown() == ("refunded", 2500)


def test_the_processors_truth_is_booked_even_above_the_gift(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=2600)

    assert books.news("refund.created") == webhooks.Outcome.APPLIED
    assert books.balances()["gifts"] == -100


def test_a_refund_that_overtakes_its_gift_comes_back_later(database: Database) -> None:
    books = Returns(database, arrives=False)
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    early = books.store("refund.created")
    with pytest.raises(GiftNotBookedYet):
        books.handle(early)

    books.succeed()
    assert books.handle(early) == webhooks.Outcome.APPLIED
    assert books.shown() == ("partially_refunded", 1000)


def test_an_event_without_any_refund_changes_nothing(books: Returns) -> None:
    assert books.news("refund.updated") == webhooks.Outcome.NO_CHANGE
    assert books.balances() == UNTOUCHED


def test_a_refund_of_a_payment_that_is_not_ours_is_recorded_as_such(books: Returns) -> None:
    books.deliver(
        "evt_1", "refund.created", object={"object": "refund", "id": "re_9", "payment_intent": "pi_9"}
    )
    assert books.handle("evt_1") == webhooks.Outcome.NOT_OURS


def test_a_refund_on_a_foreign_account_books_nothing(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    thing = {"object": "refund", "id": REFUND, "payment_intent": INTENT}
    books.deliver("evt_1", "refund.created", object=thing, account_id="acct_attacker")

    assert books.handle("evt_1") == webhooks.Outcome.NOT_OURS
    assert books.balances() == UNTOUCHED


class SlowProcessor(FakeProcessor):
    """Answers truly, and before the answer arrives something else has happened and was applied."""

    books: Returns
    meanwhile: str | None = None

    def refunds(self, *, remote_id: str, account_id: str) -> tuple[payments.RemoteRefund, ...]:
        answer = super().refunds(remote_id=remote_id, account_id=account_id)
        if self.meanwhile is not None:
            event_type, self.meanwhile = self.meanwhile, None
            self.tell_refund(INTENT, REFUND, minor_units=1000, status="failed")
            self.books.news(event_type)
        return answer


def test_an_answer_that_is_out_of_date_is_not_applied(books: Returns) -> None:
    """Stripe said `succeeded`; before that was applied, the refund failed and was booked as failed."""
    slow = SlowProcessor(**vars(books.processor))
    books.processor = slow
    books.parts = donations.EventDependencies(database=books.database, processor=slow, secrets=SECRETS)
    slow.books, slow.meanwhile = books, "refund.failed"
    slow.tell_refund(INTENT, REFUND, minor_units=1000)

    assert books.news("refund.created") == webhooks.Outcome.NO_CHANGE
    assert (books.balances(), books.shown()) == (UNTOUCHED, ("succeeded", 0))


def test_ten_workers_with_ten_events_of_two_refunds_book_each_once(books: Returns) -> None:
    for number in range(2):
        books.processor.tell_refund(INTENT, f"re_{number}", minor_units=500)
    stored = [books.store(TYPES[number % len(TYPES)]) for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(books.handle, stored))

    assert outcomes.count(webhooks.Outcome.APPLIED) == 1
    assert books.kinds().count("donation.refunded") == 2
    assert books.shown() == ("partially_refunded", 1000)


def test_a_transaction_that_is_older_than_the_gifts_entry_begins_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log's order is that of transactions: what names the gift's entry must come behind it."""
    books = Returns(database, arrives=False)
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    begun = 0

    def slow(news: PaymentEvent) -> ApplyAnswer:
        apply = about_refunds(news)

        def later(hand: EventTransaction) -> webhooks.Outcome:
            nonlocal begun
            begun += 1
            if begun == 1:  # this transaction has its number already
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(books.succeed).result()
            return apply(hand)

        return later

    monkeypatch.setitem(tasks._HANDLERS, "refund.created", slow)

    assert books.news("refund.created") == webhooks.Outcome.APPLIED
    assert begun == 2
    assert books.kinds() == ["donation.refunded", "donation.succeeded", "processor.fee"]


def test_a_refund_and_its_gift_handled_at_once_end_the_same(database: Database) -> None:
    books = Returns(database, arrives=False)
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.deliver("evt_gift", "payment_intent.succeeded")
    stored = ["evt_gift", *(books.store("refund.created") for _ in range(5))]

    def handle(event_id: str) -> webhooks.Outcome | None:
        try:
            return books.handle(event_id)
        except GiftNotBookedYet:
            return None

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(handle, stored))
    for event_id in stored:
        handle(event_id)

    assert books.kinds() == ["donation.refunded", "donation.succeeded", "processor.fee"]


def test_a_refund_of_an_erased_donors_gift_is_booked_and_names_nobody(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=500)
    books.news("refund.created")
    donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW)
    books.processor.tell_refund(INTENT, "re_2", minor_units=1000)

    assert books.news("refund.created", object_id="re_2") == webhooks.Outcome.APPLIED
    assert books.shown() == ("partially_refunded", 1500)
    assert books.kinds().count("donation.refunded") == 2, "the first one is found by its digest"
    assert books.rows("provider_event") == [], "the event names the payment"
    assert all(row.remote_id.startswith("erased:") for row in books.rows("refund"))
    assert books.rows("opening") == []


def test_the_refund_of_an_erased_donors_gift_may_still_fail(books: Returns) -> None:
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.news("refund.created")
    donations.erase_donor(books.database, SECRETS, email_sha256=None, donation_id=books.donation_id, now=NOW)
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000, status="failed")

    assert books.news("refund.failed") == webhooks.Outcome.APPLIED
    assert (books.balances(), books.shown()) == (UNTOUCHED, ("succeeded", 0))
