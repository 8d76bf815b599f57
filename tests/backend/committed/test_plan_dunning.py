"""Gifts that are declined: tried again by the ladder, paid by their donor, or given up; and a new card makes it good."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import defence, payments, recurring
from amply.modules.payments import Charged, PaymentStatus
from amply.modules.recurring.cards import AdmitsCard, begin_card, finish_card, pay_now
from amply.modules.recurring.domain import PlanNotChangeable
from tests.backend.plan_world import ACCOUNT, ADA, Plans, declined
from tests.backend.world import anybody

NEW = payments.SavedMethod(id="pm_2", kind="card", last4="4444", mandate_id=None)


@pytest.fixture
def plans(database: Database) -> Plans:
    made = Plans(database, now=datetime(2026, 1, 15, 12, tzinfo=UTC))
    made.begin()
    return made


def attempts(plans: Plans) -> int:
    return len(plans.saved.attempts)


def test_a_decline_is_tried_again_the_next_day_and_its_gift_is_one(plans: Plans) -> None:
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 15)
    assert (plans.plan.status, plans.plan.next_due_at) == ("past_due", None)
    assert plans.subjects() == ["Your gift to River Trust could not be collected yet"]

    plans.on(2026, 2, 15, hour=20)
    assert attempts(plans) == 1, "not before its day"
    plans.on(2026, 2, 16, hour=10)
    assert plans.states() == [(0, "paid"), (1, "paid")]
    assert (plans.plan.status, plans.plan.next_due_at) == ("active", datetime(2026, 3, 15, 8, tzinfo=UTC))
    assert (len(plans.rows("donation")), plans.booked()) == (2, 2)
    assert len({remote_id for remote_id, _ in plans.saved.attempts}) == 1, "the same intent"


def test_five_declines_pause_the_plan_and_nobody_can_pay_the_gift_later(plans: Plans) -> None:
    plans.saved.answers = [declined("insufficient_funds") for _ in range(9)]
    for day in range(15, 26):
        for hour in (9, 20):
            plans.on(2026, 2, day, hour=hour)

    assert attempts(plans) == 5, "on days 0, 1, 3, 5 and 7"
    assert (plans.plan.status, plans.plan.reason) == ("paused", "declined")
    assert plans.states() == [(0, "paid"), (1, "given_up")]
    assert len(plans.saved.canceled) == 1
    assert [subject.split()[-1] for subject in plans.subjects()] == ["yet"] * 4 + ["paused"]
    plans.on(2026, 3, 15)
    assert attempts(plans) == 5, "a paused plan collects nothing"


def test_a_stolen_card_is_not_tried_again(plans: Plans) -> None:
    plans.saved.answers = [declined("stolen_card")]
    plans.on(2026, 2, 15)
    plans.on(2026, 2, 17)
    assert (attempts(plans), plans.plan.status) == (1, "paused")
    assert plans.subjects() == ["Your gifts to River Trust are paused"]


def test_a_new_card_lets_a_plan_run_again_without_making_up_for_anything(plans: Plans) -> None:
    plans.saved.answers = [declined("stolen_card")]
    plans.on(2026, 2, 15)
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    assert finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA).status == "paused"
    plans.saved.stored = NEW
    plan = finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)
    assert (plan.status, plan.method_last4, plan.next_due_on) == (
        "active",
        "4444",
        datetime(2026, 3, 15, tzinfo=UTC).date(),
    )
    plans.on(2026, 3, 15)
    assert plans.states() == [(0, "paid"), (1, "given_up"), (2, "paid")]
    assert plans.saved.attempts[-1][1] == "pm_2"


def test_a_new_card_is_tried_at_once_while_a_gift_is_behind(plans: Plans) -> None:
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 15)
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    plans.saved.stored = NEW
    finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)
    plans.on(2026, 2, 15, hour=10)
    assert plans.states() == [(0, "paid"), (1, "paid")]
    assert [method for _, method in plans.saved.attempts] == ["pm_1", "pm_2"]


def test_cards_are_begun_in_two_tabs_and_the_one_that_is_stored_is_used(plans: Plans) -> None:
    plan_id = plans.plan.id
    for _ in range(2):
        begin_card(plans.cards, plan_id=plan_id, email_sha256=ADA, admit=anybody)
    plans.saved.stored_by["seti_1"] = NEW
    assert finish_card(plans.cards, plan_id=plan_id, email_sha256=ADA).method_last4 == "4444"
    assert plans.plan.setup_look_at is not None, "the other tab may still store one"

    plans.saved.stored_by["seti_2"] = replace(NEW, id="pm_3", last4="1117")
    plans.clock.advance(minutes=11)
    plans.work()
    assert (plans.plan.method_last4, plans.plan.setup_look_at) == ("1117", None)
    assert finish_card(plans.cards, plan_id=plan_id, email_sha256=ADA).method_last4 == "1117"


def test_what_is_asked_for_at_the_same_time_is_one_setup_and_what_follows_another(plans: Plans) -> None:
    plan_id = plans.plan.id
    begun: list[str] = []

    def begin(admit: AdmitsCard = anybody) -> None:
        begun.append(begin_card(plans.cards, plan_id=plan_id, email_sha256=ADA, admit=admit).client_secret)

    def meanwhile(about: defence.SetupOf) -> defence.Fingerprints:
        begin()
        return anybody(about)

    begin(meanwhile)
    assert len(begun) == 2
    assert set(begun) == {"seti_1_secret_x"}
    begin()
    plans.saved.stored_by["seti_2"] = NEW
    finish_card(plans.cards, plan_id=plan_id, email_sha256=ADA)
    plans.clock.advance(days=3)
    plans.end_what_must()
    with plans.database.transaction() as session:
        defence.forget(session, now=plans.clock())
    begin()
    assert begun[2:] == ["seti_2_secret_x", "seti_3_secret_x"]


def test_a_card_that_a_process_of_the_release_before_has_begun_is_used_too(plans: Plans) -> None:
    with plans.database.transaction() as session:
        session.execute(text("UPDATE plan SET setup_id = 'seti_before'"))
    plans.saved.stored_by["seti_before"] = NEW

    assert finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA).method_last4 == "4444"
    assert plans.plan.setup_id is None


def test_four_cards_are_tried_on_a_plan_then_one_for_each_time_it_is_asked_for(plans: Plans) -> None:
    plan_id = plans.plan.id
    begin_card(plans.cards, plan_id=plan_id, email_sha256=ADA, admit=anybody)
    for number in range(4):
        assert plans.end_what_must() == 0
        plans.decline_card("seti_1", f"stolen-{number}")
    with pytest.raises(payments.EndingUnderWay), plans.database.transaction() as session:
        recurring.forget(session, email_sha256=ADA, donation_id=None, now=plans.clock())
    assert plans.end_what_must() == 1

    begin_card(plans.cards, plan_id=plan_id, email_sha256=ADA, admit=anybody)
    plans.decline_card("seti_2", "stolen-4")
    assert plans.end_what_must() == 1
    assert plans.processor.canceled == ["seti_1", "seti_2"]
    assert plans.plan.status == "active", "what pays is as it was"


def test_a_card_stored_by_somebody_who_closed_the_page_is_found(plans: Plans) -> None:
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    plans.saved.stored = NEW
    plans.clock.advance(minutes=11)
    plans.work()
    assert (plans.plan.method_last4, plans.plan.setup_id) == ("4444", None)


def test_a_bank_that_asks_for_the_donor_is_answered_by_the_donor_alone(plans: Plans) -> None:
    plans.saved.answers = [declined("authentication_required")]
    plans.on(2026, 2, 15)
    assert plans.subjects() == ["Your bank asks you to confirm your gift to River Trust"]
    plans.on(2026, 2, 18)
    assert attempts(plans) == 1, "nobody else can"

    opened = pay_now(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)
    remote_id = opened.client_secret.partition("_secret_")[0]
    plans.saved.taken[remote_id] = 1
    plans.saved.stands[remote_id] = Charged(status=PaymentStatus.SUCCEEDED)
    plans.on(2026, 2, 18, hour=11)
    plans.on(2026, 2, 18, hour=12)
    assert (plans.plan.status, plans.states()) == ("active", [(0, "paid"), (1, "paid")])
    assert attempts(plans) == 1


def test_a_donor_who_does_not_come_within_a_week_is_not_waited_for(plans: Plans) -> None:
    plans.saved.answers = [declined("authentication_required")] * 2
    plans.on(2026, 2, 15)
    plans.on(2026, 2, 22, hour=10)
    assert (plans.plan.status, plans.plan.reason) == ("paused", "declined")
    with pytest.raises(PlanNotChangeable):
        pay_now(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)


def test_a_processor_that_is_away_costs_nothing(plans: Plans) -> None:
    plans.saved.answers = [payments.ProcessorUnavailable("away")] * 2
    plans.clock.now = datetime(2026, 2, 15, 9, tzinfo=UTC)
    plans.work()
    assert (plans.plan.status, plans.subjects()) == ("active", [])
    for _ in range(3):
        plans.at(plans.clock() + timedelta(minutes=3))
    assert plans.states() == [(0, "paid"), (1, "paid")]


def test_a_processor_that_never_answers_is_asked_for_two_weeks(plans: Plans) -> None:
    plans.saved.answers = [payments.ProcessorUnavailable("away")] * 400
    for day in range(15, 29):
        plans.on(2026, 2, day)
    assert plans.states()[-1] == (1, "open")
    plans.on(2026, 3, 2)
    plans.on(2026, 3, 3)
    assert (plans.states()[-1], plans.plan.status) == ((1, "given_up"), "active")


def refusing(**_: object) -> PaymentStatus:
    raise payments.ProcessorRefused("no such payment")


def test_a_processor_that_refuses_pauses_the_plan(plans: Plans) -> None:
    plans.saved.answers = [payments.ProcessorRefused("no such customer")]
    plans.on(2026, 2, 15)
    assert (plans.plan.status, plans.plan.reason) == ("paused", "refused")
    assert plans.states() == [(0, "paid"), (1, "given_up")]
    (opened,) = {remote_id for remote_id, _ in plans.saved.attempts}
    assert plans.saved.canceled == [opened], "nobody can pay it any more"


def test_a_gift_that_the_processor_will_not_withdraw_either_is_given_up(plans: Plans) -> None:
    plans.saved.answers = [payments.ProcessorRefused("no such customer")]
    plans.saved.cancel = refusing  # type: ignore[method-assign] # it knows nothing of the payment
    plans.on(2026, 2, 15)
    assert plans.states() == [(0, "paid"), (1, "given_up")]


def test_a_debit_that_a_bank_sends_back_days_later_is_a_decline(plans: Plans) -> None:
    plans.saved.stored = ACCOUNT
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)
    plans.on(2026, 2, 10)
    plans.saved.answers = [Charged(status=PaymentStatus.PROCESSING)]
    plans.on(2026, 2, 15)
    assert plans.states() == [(0, "paid"), (1, "waiting")]
    (remote_id,) = {remote_id for remote_id, _ in plans.saved.attempts}
    plans.saved.stands[remote_id] = declined("insufficient_funds")
    plans.on(2026, 2, 18)
    plans.on(2026, 2, 18, hour=20)
    assert (plans.plan.status, plans.states()[-1]) == ("past_due", (1, "open"))
    plans.on(2026, 2, 20, hour=20)
    plans.on(2026, 2, 20, hour=22)
    assert (plans.plan.status, plans.states()[-1]) == ("active", (1, "paid"))


def test_a_gift_that_was_paid_while_it_was_given_up_is_still_a_gift(plans: Plans) -> None:
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 15)
    (remote_id,) = {remote_id for remote_id, _ in plans.saved.attempts}
    plans.saved.taken[remote_id] = 1
    plans.saved.stands[remote_id] = Charged(status=PaymentStatus.SUCCEEDED)
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        recurring.cancel(session, plan_id=plan_id, email_sha256=ADA, now=plans.clock())
    plans.work()
    assert plans.states()[-1] == (1, "waiting")
    plans.on(2026, 2, 15, hour=11)
    assert (plans.plan.status, plans.states()[-1], plans.booked()) == ("ended", (1, "paid"), 2)
