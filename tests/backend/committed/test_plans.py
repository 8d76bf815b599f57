"""Recurring gifts: begun once, collected once a period, whatever dies, repeats or comes at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import payments, recurring
from amply.modules.recurring import changes
from amply.modules.recurring.due_dates import Interval
from tests.backend.plan_world import ACCOUNT, ADA, Plans
from tests.backend.world import death


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC))


def test_the_first_gift_begins_a_plan_and_keeps_its_card(plans: Plans) -> None:
    plans.start()
    assert plans.plan.status == "incomplete"
    (payment,) = plans.rows("payment")
    assert (payment.customer_id, payment.keeps_method) == (f"cus_{plans.plan.id}", True)

    plans.hear_of_all()
    plans.work()
    plan = plans.plan
    assert (plan.status, plan.method_id, plan.method_last4) == ("active", "pm_1", "4242")
    assert plan.next_due_at == datetime(2026, 2, 28, 8, tzinfo=UTC)
    assert (plans.states(), plans.booked()) == ([(0, "paid")], 1)


def test_a_year_of_monthly_gifts_is_twelve_ordinary_donations(plans: Plans) -> None:
    plans.begin()
    for month, day in (
        (2, 28),
        (3, 31),
        (4, 30),
        (5, 31),
        (6, 30),
        (7, 31),
        (8, 31),
        (9, 30),
        (10, 31),
        (11, 30),
        (12, 31),
    ):
        plans.on(2026, month, day)

    assert plans.states() == [(period, "paid") for period in range(12)]
    assert plans.booked() == 12
    gifts = plans.rows("donation")
    assert {(gift.minor_units, gift.status, gift.donor_name) for gift in gifts} == {
        (2500, "succeeded", "Ada")
    }
    assert {gift.message for gift in gifts} == {"for the river"}
    assert len(plans.rows("receipt")) == 12, "each has its receipt"
    assert len({remote_id for remote_id, _ in plans.saved.attempts}) == len(plans.saved.attempts) == 11


def test_nothing_is_collected_before_its_day(plans: Plans) -> None:
    plans.begin()
    plans.on(2026, 2, 28, hour=7)
    assert plans.states() == [(0, "paid")]
    plans.on(2026, 2, 28, hour=8)
    assert plans.states() == [(0, "paid"), (1, "paid")]


def test_the_same_request_begins_one_plan(plans: Plans) -> None:
    first, again = plans.start(), plans.start()
    assert (again.replayed, again.body) == (True, first.body)
    assert len(plans.rows("plan")) == len(plans.rows("donation")) == 1


def test_killed_before_the_customer_the_same_request_carries_on(plans: Plans) -> None:
    plans.saved.dies_before_customer = True
    with death():
        plans.start()
    assert plans.rows("donation") == []
    plans.saved.dies_before_customer = False
    plans.start()
    assert len(plans.rows("plan")) == len(plans.rows("donation")) == 1


def test_killed_at_the_intent_the_same_request_carries_on_with_the_same_gift(plans: Plans) -> None:
    plans.processor.dies_after_create = True
    with death():
        plans.start()
    plans.processor.dies_after_create = False
    plans.start()
    assert len(plans.processor.intents) == len(plans.rows("donation")) == 1


def test_a_plan_that_nobody_paid_ends_after_a_day_and_forgets_its_donor(plans: Plans) -> None:
    plans.start()
    plans.clock.advance(hours=25)
    plans.work()
    plan = plans.plan
    assert (plan.status, plan.reason, plan.donor_email, plan.customer_id) == (
        "ended",
        "never_started",
        None,
        None,
    )
    assert plans.saved.canceled == ["pi_0"], "nobody can pay it any more"


def test_a_plan_that_never_reached_the_processor_ends_too(plans: Plans) -> None:
    plans.saved.dies_before_customer = True
    with death():
        plans.start()
    plans.clock.advance(hours=25)
    plans.work()
    assert (plans.plan.status, plans.plan.donor_name) == ("ended", None)


def test_a_processor_that_says_no_ends_the_plan_with_the_same_answer_again(plans: Plans) -> None:
    plans.processor.fails = [payments.ProcessorRefused("no")]
    for _ in range(2):
        with pytest.raises(payments.ProcessorRefused, match="no"):
            plans.start()
    assert (plans.plan.status, plans.plan.reason) == ("ended", "refused")


def test_killed_after_the_money_was_taken_it_is_not_taken_again(plans: Plans) -> None:
    plans.begin()
    plans.clock.now = datetime(2026, 2, 28, 9, tzinfo=UTC)
    plans.saved.dies_after_charge = True
    with death():
        plans.work()
    plans.saved.dies_after_charge = False
    plans.on(2026, 2, 28, hour=10)
    assert plans.states() == [(0, "paid"), (1, "paid")]
    assert (sum(plans.saved.taken.values()), plans.booked()) == (1, 2)


def test_eight_workers_at_once_collect_each_period_once(plans: Plans) -> None:
    plans.begin()
    plans.clock.now = datetime(2026, 2, 28, 9, tzinfo=UTC)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: recurring.collect_due(plans.parts, now=plans.clock()), range(8)))
    assert [period for period, _ in plans.states()] == [0, 1]
    assert (len(plans.rows("donation")), sum(plans.saved.taken.values())) == (2, 1)


def test_the_database_takes_one_charge_a_period(plans: Plans) -> None:
    plans.begin()
    with pytest.raises(IntegrityError, match="pk_plan_charge"), plans.database.transaction() as session:
        session.execute(text("INSERT INTO plan_charge SELECT * FROM plan_charge"))


def test_after_an_outage_of_months_one_gift_is_collected_and_not_three(plans: Plans) -> None:
    plans.begin()
    plans.on(2026, 5, 10)
    assert plans.states() == [(0, "paid"), (3, "paid")]
    assert plans.plan.next_due_at == datetime(2026, 5, 31, 8, tzinfo=UTC)


def test_an_organisation_that_takes_no_gifts_for_a_while_is_waited_for(plans: Plans) -> None:
    plans.begin()
    with plans.database.transaction() as session:
        session.execute(text("UPDATE processor_account SET status = 'restricted'"))
    plans.on(2026, 2, 28)
    assert (plans.states(), plans.subjects()) == ([(0, "paid")], [])
    with plans.database.transaction() as session:
        session.execute(text("UPDATE processor_account SET status = 'active'"))
    plans.on(2026, 2, 28, hour=20)
    assert plans.states() == [(0, "paid"), (1, "paid")]


def test_what_cannot_be_kept_is_one_gift_and_the_donor_is_asked_for_a_card(plans: Plans) -> None:
    plans.saved.method = None
    plans.begin()
    assert (plans.plan.status, plans.plan.reason, plans.booked()) == ("paused", "refused", 1)
    assert plans.subjects() == ["Your gifts to River Trust need a card or an account"]
    assert "Thank you for your first gift of 25.00 EUR" in " ".join(plans.mailer.sent[0].text.split())


def test_yearly_gifts_are_announced_a_week_before(plans: Plans) -> None:
    plans.begin(every=Interval.YEAR)
    plans.on(2027, 1, 23)
    assert plans.subjects() == []
    plans.on(2027, 1, 24)
    assert plans.subjects() == ["Your gift of 25.00 EUR to River Trust on 31 January 2027"]
    plans.on(2027, 1, 31)
    assert plans.states()[-1] == (1, "paid")


def test_a_bank_account_is_debited_no_sooner_than_two_days_after_the_notice(plans: Plans) -> None:
    plans.saved.method = ACCOUNT
    plans.begin()
    plans.mailer.refuses = True
    plans.on(2026, 2, 23)
    plans.on(2026, 2, 28)
    assert plans.states() == [(0, "paid")], "nobody was told, so nothing is debited"
    plans.mailer.refuses = False
    plans.on(2026, 3, 1)
    plans.on(2026, 3, 2)
    assert plans.states() == [(0, "paid")], "told yesterday"
    plans.on(2026, 3, 3, hour=11)
    assert (plans.states(), len(plans.mailer.sent)) == ([(0, "paid"), (1, "paid")], 1)


def test_a_bank_account_whose_owner_gets_no_letters_is_not_debited(plans: Plans) -> None:
    plans.saved.method = ACCOUNT
    plans.begin()
    with plans.database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO mail_suppression (address_sha256, reason, since) VALUES (:digest, 'hard_bounce', now())"
            ),
            {"digest": ADA},
        )
    plans.on(2026, 2, 23)
    plans.on(2026, 2, 28)
    assert (plans.plan.status, plans.plan.reason) == ("paused", "unreachable")
    assert plans.states() == [(0, "paid")]


def test_an_amount_that_changes_after_its_notice_gets_another_one(plans: Plans) -> None:
    plans.saved.method = ACCOUNT
    plan_id = plans.begin()
    plans.on(2026, 2, 23)
    plans.clock.now = datetime(2026, 2, 27, 9, tzinfo=UTC)
    with plans.database.transaction() as session:
        changes.change_amount(
            session,
            plan_id=plan_id,
            email_sha256=None,
            amount=Money(minor_units=4000, currency="EUR"),
            now=plans.clock(),
        )
    plans.work()
    assert plans.subjects()[-1].startswith("Your gift of 40.00 EUR")
    plans.on(2026, 2, 28)
    assert plans.states() == [(0, "paid")], "two days after the second notice, not the first"
    plans.on(2026, 3, 1, hour=10)
    assert plans.rows("plan_charge")[-1].minor_units == 4000
