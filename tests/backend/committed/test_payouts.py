"""Events of payouts: in every order, late, twice and at once, and the books follow what the processor says."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
import structlog
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import ledger, payments, payouts, webhooks
from amply.modules.ledger import booking_gate
from amply.modules.payouts import PayoutStatus
from tests.backend.conftest import Databases
from tests.backend.payout_world import PAYOUT, FakePayouts, Treasury, euros, payout
from tests.backend.webhook_fakes import told
from tests.backend.world import NOW, Died, death

IN_ORDER = {
    "payout.created": PayoutStatus.PENDING,
    "payout.updated": PayoutStatus.IN_TRANSIT,
    "payout.paid": PayoutStatus.PAID,
}


@pytest.fixture
def treasury(database: Database) -> Treasury:
    made = Treasury(database)
    made.succeed()
    return made


def test_a_payout_is_on_its_way_and_arrives(treasury: Treasury) -> None:
    assert treasury.hear("payout.created") == webhooks.Outcome.APPLIED
    assert (treasury.balance("processor_balance"), treasury.balance("payout_in_transit")) == (0, 2437)

    assert treasury.hear("payout.updated", PayoutStatus.IN_TRANSIT) == webhooks.Outcome.NO_CHANGE
    assert treasury.hear("payout.paid", PayoutStatus.PAID) == webhooks.Outcome.APPLIED
    assert (treasury.balance("payout_in_transit"), treasury.balance("bank")) == (0, 2437)
    assert treasury.payout_kinds() == ["payout.created", "payout.paid"]


def test_its_entries_say_in_public_which_payout_it_is(treasury: Treasury) -> None:
    treasury.hear("payout.paid", PayoutStatus.PAID)

    entries = [row for row in treasury.rows("entry") if row.kind.startswith("payout.")]
    assert {row.reference for row in entries} == {f"stripe:payout:{PAYOUT}"}
    assert {row.organization_id for row in entries} == {treasury.organization_id}
    assert [row.commitments for row in entries] == [{}, {}]


def test_its_row_says_what_was_told_last(treasury: Treasury) -> None:
    treasury.hear("payout.created")
    treasury.hear("payout.paid", PayoutStatus.PAID, bank_reference="TRACE7")
    treasury.hear("payout.updated", bank_reference=None)

    (row,) = treasury.rows("payout")
    assert (row.id, row.owner, row.account_id) == (PAYOUT, treasury.organization_id, treasury.account_id)
    assert (row.minor_units, row.currency, row.status) == (2437, "EUR", "paid")
    assert row.bank_reference == "TRACE7", "what a bank has said once stays"
    assert row.created_entry_id is not None
    assert row.paid_entry_id is not None


@pytest.mark.parametrize("order", list(permutations(IN_ORDER)))
def test_events_in_any_order_end_the_same(order: tuple[str, ...], treasury: Treasury) -> None:
    """The processor is asked for the payout as it stands, which is later than the event."""
    treasury.remote.told = payout(status=PayoutStatus.PAID)
    for event_type in order:
        treasury.hear(event_type)

    assert treasury.payout_kinds() == ["payout.created", "payout.paid"]


def test_an_event_delivered_and_handled_twice_books_once(treasury: Treasury) -> None:
    event_id = treasury.tell("payout.paid", PayoutStatus.PAID)
    assert treasury.follow(event_id) == webhooks.Outcome.APPLIED
    assert treasury.follow(event_id) is None
    assert treasury.hear("payout.paid") == webhooks.Outcome.NO_CHANGE
    assert treasury.payout_kinds() == ["payout.created", "payout.paid"]


def test_a_payout_that_fails_gives_its_money_back(treasury: Treasury) -> None:
    treasury.hear("payout.created")
    treasury.hear("payout.failed", PayoutStatus.FAILED, failure_code="account_closed")

    assert treasury.payout_kinds() == ["payout.created", "payout.failed"]
    assert (treasury.balance("processor_balance"), treasury.balance("payout_in_transit")) == (2437, 0)
    (row,) = treasury.rows("payout")
    assert row.failure_code == "account_closed"


def test_its_organisations_programs_are_told_that_it_arrived_and_that_it_came_back(
    treasury: Treasury,
) -> None:
    treasury.hear("payout.created")
    assert [each["type"] for each in told(treasury.database, now=NOW)] == ["donation.succeeded"]
    treasury.hear("payout.paid", PayoutStatus.PAID)
    treasury.hear("payout.failed", PayoutStatus.FAILED, failure_code="no_account")
    (row,) = treasury.rows("payout")
    data = {
        "payout_id": PAYOUT,
        "amount": {"minor_units": "2437", "currency": "EUR"},
        "arrives_on": row.arrives_on.isoformat(),
    }
    bodies = told(treasury.database, now=NOW)
    assert [(each["type"], each["organization_id"], each["data"]) for each in bodies] == [
        ("payout.paid", treasury.organization_id, data),
        ("payout.failed", treasury.organization_id, data),
    ]


def test_one_that_fails_after_it_was_paid_comes_back_from_the_bank(treasury: Treasury) -> None:
    treasury.hear("payout.paid", PayoutStatus.PAID)
    treasury.hear("payout.failed", PayoutStatus.FAILED, failure_code="no_account")

    assert treasury.payout_kinds() == ["payout.created", "payout.paid", "payout.returned", "payout.failed"]
    assert {code: treasury.balance(code) for code in ("processor_balance", "payout_in_transit", "bank")} == {
        "processor_balance": 2437,
        "payout_in_transit": 0,
        "bank": 0,
    }
    by_kind = {row.kind: row for row in treasury.rows("entry")}
    assert by_kind["payout.returned"].reverses == by_kind["payout.paid"].id
    assert by_kind["payout.failed"].reverses == by_kind["payout.created"].id


def test_a_canceled_one_is_as_if_it_had_not_been(treasury: Treasury) -> None:
    treasury.hear("payout.canceled", PayoutStatus.CANCELED)
    assert treasury.payout_kinds() == ["payout.created", "payout.failed"]
    assert treasury.balance("processor_balance") == 2437


def test_an_answer_that_was_overtaken_changes_nothing(treasury: Treasury) -> None:
    """Two workers ask, the processor changes its mind in between, and the older answer is applied last."""
    treasury.hear("payout.failed", PayoutStatus.FAILED)
    assert treasury.hear("payout.paid", PayoutStatus.PAID) == webhooks.Outcome.NO_CHANGE

    assert treasury.payout_kinds() == ["payout.created", "payout.failed"]
    (row,) = treasury.rows("payout")
    assert row.status == "failed"


def test_ten_workers_with_ten_events_book_each_step_once(treasury: Treasury) -> None:
    treasury.hear("payout.created")
    event_ids = [treasury.tell("payout.paid", PayoutStatus.FAILED) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(treasury.follow, event_ids))

    assert treasury.payout_kinds() == ["payout.created", "payout.failed"]


def test_ten_workers_with_the_same_event_book_it_once(treasury: Treasury) -> None:
    event_id = treasury.tell("payout.paid", PayoutStatus.PAID)
    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(treasury.follow, [event_id] * 10))

    assert webhooks.Outcome.APPLIED in outcomes
    assert treasury.payout_kinds() == ["payout.created", "payout.paid"]


class TwoAnswers(FakePayouts):
    """Tells one worker that the payout is paid and the other that it failed, and lets them go at the same moment."""

    def __init__(self) -> None:
        super().__init__()
        self.left = [payout(status=PayoutStatus.PAID), payout(status=PayoutStatus.FAILED)]
        self.both = threading.Barrier(2, timeout=30)

    def payout(self, *, payout_id: str, account_id: str | None) -> payouts.Payout:
        told = self.left.pop()
        self.both.wait()
        return told


def test_two_workers_with_two_answers_leave_the_money_in_one_place(treasury: Treasury) -> None:
    treasury.hear("payout.created")
    event_ids = [treasury.tell("payout.paid"), treasury.tell("payout.failed")]
    treasury.handling = replace(treasury.handling, processor=TwoAnswers())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(treasury.follow, event_ids))

    assert {code: treasury.balance(code) for code in ("processor_balance", "payout_in_transit", "bank")} == {
        "processor_balance": 2437,
        "payout_in_transit": 0,
        "bank": 0,
    }
    (row,) = treasury.rows("payout")
    assert row.status == "failed"


def test_a_payout_below_zero_brings_money_from_the_bank(treasury: Treasury) -> None:
    treasury.hear("payout.paid", PayoutStatus.PAID, amount=euros(-500))
    assert (treasury.balance("processor_balance"), treasury.balance("bank")) == (2437 + 500, -500)

    treasury.hear("payout.failed", PayoutStatus.FAILED)
    assert (treasury.balance("processor_balance"), treasury.balance("bank")) == (2437, 0)
    assert treasury.balance("payout_in_transit") == 0


def test_a_payout_of_more_than_the_books_know_of_is_booked_all_the_same(treasury: Treasury) -> None:
    treasury.hear("payout.paid", PayoutStatus.PAID, amount=euros(10_000))
    assert treasury.balance("processor_balance") == 2437 - 10_000


def test_the_platforms_own_payout_is_in_the_platforms_books(treasury: Treasury) -> None:
    treasury.deliver(
        "evt_own", "payout.created", account_id=None, object={"id": "po_own", "object": "payout"}
    )
    assert treasury.follow("evt_own") == webhooks.Outcome.APPLIED
    (row,) = treasury.rows("payout")
    assert (row.owner, row.account_id) == (ledger.PLATFORM, None)


def test_a_strangers_payout_is_none_of_ours(treasury: Treasury) -> None:
    stranger = {"id": "po_x", "object": "payout"}
    treasury.deliver("evt_x", "payout.created", account_id="acct_stranger", object=stranger)
    assert treasury.follow("evt_x") == webhooks.Outcome.NOT_OURS
    assert treasury.remote.asked == 0


def test_a_processor_that_does_not_answer_leaves_the_event_for_later(treasury: Treasury) -> None:
    treasury.remote.fails = [payments.ProcessorUnavailable("away")]
    event_id = treasury.tell("payout.created")
    with pytest.raises(payments.ProcessorUnavailable):
        treasury.follow(event_id)

    with treasury.database.transaction() as session:
        assert webhooks.due_again(session, now=NOW + timedelta(minutes=1)) == 1
    assert treasury.follow(event_id) == webhooks.Outcome.APPLIED


def test_a_worker_killed_while_it_asks_loses_nothing(treasury: Treasury) -> None:
    treasury.remote.fails = [Died()]
    event_id = treasury.tell("payout.created")
    with death():
        treasury.follow(event_id)
    assert treasury.follow(event_id) == webhooks.Outcome.APPLIED


def test_while_nothing_may_be_booked_the_event_waits(treasury: Treasury, databases: Databases) -> None:
    sequencer = databases.as_role("amply_sequencer")
    with sequencer.transaction() as session:
        booking_gate.close_bookings(
            session, life=booking_gate.present_life(session), reason="a test", now=NOW
        )
    sequencer.close()

    event_id = treasury.tell("payout.created")
    with structlog.testing.capture_logs() as lines:
        assert treasury.follow(event_id) is None
    assert [line["event"] for line in lines] == ["bookings_paused"]
    (event,) = [row for row in treasury.rows("provider_event") if row.id == event_id]
    assert (event.handled_at, event.attempts) == (None, 0)


def test_events_that_waited_for_this_release_are_replayed(treasury: Treasury) -> None:
    event_id = treasury.tell("payout.paid", PayoutStatus.PAID)
    with treasury.database.transaction() as session:
        session.execute(
            text("UPDATE provider_event SET handled_at = now(), outcome = 'unsupported' WHERE id = :id"),
            {"id": event_id},
        )
    assert treasury.follow(event_id) is None

    with treasury.database.transaction() as session:
        assert webhooks.replay(session, event_type="payout.paid", limit=10, now=NOW).started == 1
    assert treasury.follow(event_id) == webhooks.Outcome.APPLIED
    assert treasury.payout_kinds() == ["payout.created", "payout.paid"]
