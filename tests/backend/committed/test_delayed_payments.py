"""Payments that take days: reserved while the bank is asked, booked when it pays, released when it does not."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import donations, ledger, payments, webhooks
from amply.modules.donations.provider_events.context import GiftNotBookedYet
from tests.backend.committed.each_example import all_at_once, database_of_its_own
from tests.backend.committed.money_back import COVER, INTENT, Returns
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Server
from tests.backend.ledger_world import LedgerWorld
from tests.hypothesis_profiles import examples

PROCESSING, FAILED = "payment_intent.processing", "payment_intent.payment_failed"
SUCCEEDED, CANCELED = "payment_intent.succeeded", "payment_intent.canceled"
_RESERVED: Final = text("""
    SELECT reserved.debit, reserved.credit, reserved.amount_minor
    FROM transfer reserved
    WHERE reserved.phase = 'pending'
      AND NOT EXISTS (
          SELECT FROM transfer resolving
          WHERE (resolving.pending_entry_id, resolving.pending_line) = (reserved.entry_id, reserved.line)
      )
""")


class Debits(Returns):
    """A gift by direct debit; with `covered`, some of it is for the fee."""

    def __init__(self, database: Database, *, covered: bool = False) -> None:
        super().__init__(database, arrives=False, covered=covered)
        self._number = 0

    def stands(self, status: str, attempt: str | None = "ch_1") -> None:
        """At the processor, from now on."""
        self.processor.tell_attempt(INTENT, status, attempt)

    def tell(self, event_type: str) -> str:
        """An event of this type comes; returns its id."""
        self._number += 1
        event_id = f"evt_{self._number}"
        about = {"object": self.charge()} if event_type.startswith("charge.") else {}
        self.deliver(event_id, event_type, happens=False, **about)
        return event_id

    def hear(self, event_type: str) -> webhooks.Outcome | None:
        """It comes and is handled."""
        return self.handle(self.tell(event_type))

    def reserved(self) -> dict[str, int]:
        """What waits to be resolved, by the account that would be credited."""
        with self.database.transaction() as session:
            rows = session.execute(_RESERVED).all()
        return {row.credit.partition("/")[2]: int(row.amount_minor) for row in rows}

    def statuses(self) -> tuple[str, str]:
        return self.donation_status(), self.payment_status()


@pytest.fixture
def debits(database: Database) -> Debits:
    return Debits(database)


def test_money_on_its_way_is_reserved_and_moves_nothing(debits: Debits) -> None:
    debits.stands("processing")
    debits.hear(PROCESSING)

    assert debits.reserved() == {"gifts": 2500}
    assert debits.balances() == {}
    assert debits.statuses() == ("processing", "processing")


def test_after_days_it_is_a_gift_like_any_other(debits: Debits) -> None:
    debits.stands("processing")
    debits.hear(PROCESSING)
    debits.stands("succeeded")
    assert debits.hear(SUCCEEDED) == webhooks.Outcome.APPLIED

    assert debits.reserved() == {}
    assert debits.balances() == {"gifts": 2500, "processor_balance": 2437, "processor_fees": 63}
    assert debits.kinds() == ["donation.processing", "donation.succeeded", "processor.fee"]
    assert len(debits.rows("receipt")) == 1


def test_a_bank_that_refuses_days_later_releases_it_and_no_receipt_is_owed(debits: Debits) -> None:
    debits.stands("processing")
    debits.hear(PROCESSING)
    debits.stands("failed")
    assert debits.hear(FAILED) == webhooks.Outcome.APPLIED

    assert (debits.reserved(), debits.balances()) == ({}, {})
    assert debits.kinds() == ["donation.failed", "donation.processing"]
    assert debits.statuses() == ("failed", "failed")
    assert debits.rows("receipt") == []


def test_what_is_given_up_while_the_bank_is_asked_is_released(debits: Debits) -> None:
    debits.stands("processing")
    debits.hear(PROCESSING)
    debits.stands("canceled")
    debits.hear(CANCELED)

    assert debits.reserved() == {}
    assert debits.statuses() == ("canceled", "canceled")


def test_gift_and_cover_are_reserved_and_booked_apart(database: Database) -> None:
    debits = Debits(database, covered=True)
    debits.stands("processing")
    debits.hear(PROCESSING)
    assert debits.reserved() == {"gifts": 2500 - COVER, "fee_cover": COVER}

    debits.hear(SUCCEEDED)
    assert debits.reserved() == {}
    assert debits.balance("fee_cover").minor_units == COVER


def test_processing_told_late_does_not_bring_a_failed_attempt_back(debits: Debits) -> None:
    debits.stands("failed")
    late, first = debits.tell(PROCESSING), debits.tell(FAILED)
    debits.handle(first)
    debits.handle(late)

    assert debits.statuses() == ("failed", "failed")
    assert debits.reserved() == {}


def test_an_answer_that_a_failure_overtook_is_asked_for_again(debits: Debits) -> None:
    """Failed before and failed after, and in between the bank was asked: the state alone would not tell."""
    debits.stands("failed", "ch_0")
    debits.hear(FAILED)
    debits.stands("processing", "ch_1")
    first, second = debits.tell(PROCESSING), debits.tell(FAILED)
    asks = debits.processor.attempt

    def overtaken(*, remote_id: str, account_id: str) -> payments.Attempt:
        told = asks(remote_id=remote_id, account_id=account_id)
        debits.processor.attempt = asks  # type: ignore[method-assign] # once
        debits.stands("failed", "ch_1")
        debits.handle(second)
        return told

    debits.processor.attempt = overtaken  # type: ignore[method-assign] # the failure comes while it is asked
    debits.handle(first)

    assert debits.statuses() == ("failed", "failed")
    assert debits.reserved() == {}


def test_a_second_attempt_is_reserved_anew(debits: Debits) -> None:
    debits.stands("processing", "ch_1")
    debits.hear(PROCESSING)
    debits.stands("processing", "ch_2")  # the failure in between is still on its way
    debits.hear(PROCESSING)
    assert debits.hear(FAILED) == webhooks.Outcome.NO_CHANGE

    assert debits.reserved() == {"gifts": 2500}
    assert Counter(debits.kinds()) == Counter({"donation.processing": 2, "donation.failed": 1})
    assert debits.statuses() == ("processing", "processing")


def test_a_donor_who_is_asked_again_has_an_attempt_behind_them(debits: Debits) -> None:
    debits.stands("processing", "ch_1")
    debits.hear(PROCESSING)
    debits.stands("pending", "ch_1")
    debits.hear(FAILED)

    assert debits.reserved() == {}
    assert debits.statuses() == ("failed", "failed")


def test_a_charge_that_changes_while_the_bank_is_asked_waits_for_nothing(debits: Debits) -> None:
    debits.stands("processing")
    debits.hear(PROCESSING)
    fee, debits.processor.fee = debits.processor.fee, None
    assert debits.hear("charge.updated") == webhooks.Outcome.NO_CHANGE

    debits.processor.fee = fee
    with pytest.raises(GiftNotBookedYet):
        debits.hear("charge.updated")


def test_a_debit_of_an_erased_donor_is_booked_and_names_nobody(debits: Debits) -> None:
    debits.stands("processing")
    debits.hear(PROCESSING)
    donations.erase_donor(
        debits.database, SECRETS, email_sha256=None, donation_id=debits.donation_id, now=debits.clock()
    )
    unnamed = {"id": INTENT, "metadata": {}}
    debits.deliver("evt_after", SUCCEEDED, object=unnamed)
    assert debits.handle("evt_after") == webhooks.Outcome.APPLIED

    assert debits.reserved() == {}
    assert debits.balance("gifts").minor_units == 2500
    assert debits.rows("receipt") == debits.rows("opening") == []


ENDS: Final = {
    "succeeded": (SUCCEEDED, {"gifts": 2500, "processor_balance": 2437, "processor_fees": 63}),
    "failed": (FAILED, {}),
    "canceled": (CANCELED, {}),
}


def history(end: str) -> Sequence[tuple[str, str, tuple[str, ...]]]:
    """How the payment stands, by which attempt, and the events that tell of it."""
    fee = ("charge.updated",) if end == "succeeded" else ()
    return (
        ("processing", "ch_1", (PROCESSING,)),
        ("failed", "ch_1", (FAILED,)),
        ("pending", "ch_1", ()),
        ("failed", "ch_2", (FAILED,)),
        ("processing", "ch_3", (PROCESSING,)),
        (end, "ch_3", (ENDS[end][0], *fee)),
    )


@contextmanager
def fresh(server: Server, *, covered: bool) -> Iterator[tuple[Debits, LedgerWorld]]:
    """A database of its own for each example."""
    with database_of_its_own(server) as (app, world):
        yield Debits(app, covered=covered), world


@given(
    end=st.sampled_from(sorted(ENDS)),
    covered=st.booleans(),
    delays=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 3)), min_size=7, max_size=7),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=examples(day=4, night=60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_whatever_order_attempts_are_told_of_the_books_end_the_same(
    end: str,
    covered: bool,  # noqa: FBT001 -- drawn by name
    delays: list[tuple[int, int]],
    seed: int,
    server: Server,
) -> None:
    """`delays`: for each event, after how many further steps it is handled, and how often it comes."""
    late = iter(delays)
    # Which of them come too early is a matter of threads: nothing may be drawn by it.
    order = Random(seed)  # noqa: S311 -- an order of events, nothing secret
    with fresh(server, covered=covered) as (debits, world):
        waiting: list[tuple[int, str]] = []
        for now, (status, attempt, events) in enumerate(history(end)):
            debits.stands(status, attempt)
            for event_type in events:
                delay, times = next(late)
                waiting += [(now + delay, debits.tell(event_type)) for _ in range(times)]
            due = [event_id for at, event_id in waiting if at <= now]
            order.shuffle(due)
            early = all_at_once(debits.handle, due)
            waiting = [(at, event_id) for at, event_id in waiting if at > now]
            waiting += [(now + 1, event_id) for event_id in early]
        left = [event_id for _, event_id in waiting]
        order.shuffle(left)
        for _ in range(2):  # what came before its gift comes again
            left = all_at_once(debits.handle, left)
        assert left == []

        _, balances = ENDS[end]
        if covered and balances:
            balances = balances | {"gifts": balances["gifts"] - COVER, "fee_cover": COVER}
        assert debits.balances() == balances
        assert debits.reserved() == {}
        assert debits.statuses() == (end, end)
        assert len(debits.rows("receipt")) == (end == "succeeded")
        kinds = Counter(debits.kinds())
        resolved = kinds["donation.failed"] + (
            end == "succeeded" and kinds["donation.processing"] > kinds["donation.failed"]
        )
        assert kinds["donation.processing"] == resolved
        world.sequence()
        with world.app.transaction() as session:
            trials = ledger.trial_balance(session, size=ledger.sequenced_size(session))
        assert all(trial.sums.is_balanced for trial in trials)
