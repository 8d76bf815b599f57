"""Where plans meet something else at the same moment: another worker, their donor, their bank, a calendar elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
import structlog
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import payments, recurring
from amply.modules.payments import Attempt, Charged, PaymentStatus
from amply.modules.recurring import changes
from amply.modules.recurring.cards import begin_card, finish_card
from amply.modules.recurring.domain import PauseNotAcceptable, PlanNotChangeable
from tests.backend.plan_world import ACCOUNT, ADA, CARD, Plans, declined
from tests.backend.world import anybody, death

NEW = replace(CARD, id="pm_2", last4="4444")
PROCESSING = Charged(status=PaymentStatus.PROCESSING)


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, now=datetime(2026, 1, 15, 12, tzinfo=UTC))


def change(plans: Plans, what: str, **said: object) -> recurring.Plan:
    """One of the changes that a donor makes."""
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        changed: recurring.Plan = getattr(changes, what)(
            session, plan_id=plan_id, email_sha256=ADA, now=plans.clock(), **said
        )
    return changed


def pays_with(plans: Plans, method: payments.SavedMethod) -> None:
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    plans.saved.stored = method
    finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)


# ---- two at once -------------------------------------------------------------------------------------------------


def test_workers_at_once_do_not_even_get_into_each_others_way(plans: Plans) -> None:
    plans.begin()
    plans.clock.now = datetime(2026, 2, 15, 9, tzinfo=UTC)
    with structlog.testing.capture_logs() as lines, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: recurring.collect_due(plans.parts, now=plans.clock()), range(8)))
    assert [line for line in lines if line["log_level"] not in ("info", "debug")] == []
    assert [period for period, _ in plans.states()] == [0, 1]


def test_two_workers_that_hear_of_one_decline_count_it_once(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [declined("insufficient_funds")]
    plans.saved.meanwhile = lambda: recurring.collect_due(
        plans.parts, now=plans.clock() + timedelta(minutes=5)
    )
    plans.on(2026, 2, 15)
    (_, charge) = plans.rows("plan_charge")
    assert (len(plans.saved.attempts), charge.declines) == (2, 1), "both asked, with the same key"
    plans.on(2026, 2, 15, hour=10)
    assert len(plans.mailer.sent) == 1


def test_a_plan_that_ends_while_it_is_charged_loses_no_gift(plans: Plans) -> None:
    plans.begin()
    plans.saved.meanwhile = lambda: change(plans, "cancel")
    plans.on(2026, 2, 15)
    plans.on(2026, 2, 15, hour=10)
    assert (plans.plan.status, plans.states(), plans.booked()) == ("ended", [(0, "paid"), (1, "paid")], 2)
    assert plans.saved.canceled == []


def test_a_plan_that_ends_while_its_card_is_declined_is_not_tried_again(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [declined("insufficient_funds")]
    plans.saved.meanwhile = lambda: change(plans, "cancel")
    plans.on(2026, 2, 15)
    plans.on(2026, 2, 17)
    assert (plans.plan.status, plans.states()[-1], len(plans.saved.attempts)) == ("ended", (1, "given_up"), 1)
    assert plans.subjects() == ["Your recurring gifts to River Trust have ended"]


def test_one_plan_that_cannot_be_opened_holds_back_no_other(plans: Plans) -> None:
    broken = plans.begin()
    plans.start(key="key-2", email="bob@example.org")
    plans.hear_of_all()
    plans.clock.advance(minutes=5)
    plans.work()
    with plans.database.transaction() as session:
        session.execute(text("UPDATE plan SET time_zone = 'Nowhere' WHERE id = :id"), {"id": broken})
        session.execute(
            text("UPDATE plan SET next_due_at = next_due_at - interval '1 minute' WHERE id = :id"),
            {"id": broken},
        )
    plans.on(2026, 2, 15)
    opened = {row.plan_id for row in plans.rows("plan_charge") if row.period == 1}
    assert len(opened) == 1
    assert broken not in opened

    def looked_at_again() -> datetime:
        with plans.database.transaction() as session:
            found: datetime = session.scalars(
                text("SELECT next_due_at FROM plan WHERE id = :id"), {"id": broken}
            ).one()
        return found

    assert looked_at_again() > plans.clock(), "it does not stand first in every run"
    plans.on(2026, 2, 15, hour=15)
    with plans.database.transaction() as session:
        assert recurring.count_late(session, now=plans.clock()) == 1
        session.execute(text("UPDATE plan SET time_zone = 'UTC'"))
    plans.on(2026, 2, 15, hour=17)
    assert broken in {row.plan_id for row in plans.rows("plan_charge") if row.period == 1}


# ---- a debit that takes days -------------------------------------------------------------------------------------


def debiting(plans: Plans) -> str:
    """A plan whose second gift is being debited; the intent's id."""
    plans.saved.method = ACCOUNT
    plans.begin()
    plans.on(2026, 2, 10)
    plans.saved.answers = [PROCESSING]
    plans.on(2026, 2, 15)
    assert plans.states() == [(0, "paid"), (1, "waiting")]
    ((remote_id, _),) = plans.saved.attempts
    return remote_id


def arrives(plans: Plans, remote_id: str) -> None:
    plans.saved.taken[remote_id] = 1
    plans.saved.stands[remote_id] = Charged(status=PaymentStatus.SUCCEEDED)


def test_a_card_that_is_replaced_while_a_debit_is_on_its_way_is_not_charged_too(plans: Plans) -> None:
    remote_id = debiting(plans)
    pays_with(plans, NEW)
    plans.on(2026, 2, 16)
    assert (len(plans.saved.attempts), plans.states()[-1]) == (1, (1, "waiting"))
    arrives(plans, remote_id)
    plans.on(2026, 2, 18)
    plans.on(2026, 3, 15)
    assert [method for _, method in plans.saved.attempts] == ["pm_iban", "pm_2"]
    assert plans.states() == [(0, "paid"), (1, "paid"), (2, "paid")]


def test_a_card_that_is_replaced_while_a_second_debit_is_on_its_way_is_not_charged_too(plans: Plans) -> None:
    remote_id = debiting(plans)
    plans.saved.stands[remote_id] = declined("insufficient_funds")
    plans.on(2026, 2, 18)
    plans.saved.answers = [PROCESSING]
    plans.on(2026, 2, 20)
    plans.on(2026, 2, 20, hour=15)
    assert (plans.plan.status, plans.states()[-1], len(plans.saved.attempts)) == (
        "past_due",
        (1, "waiting"),
        2,
    )
    pays_with(plans, NEW)
    plans.on(2026, 2, 21)
    assert len(plans.saved.attempts) == 2
    arrives(plans, remote_id)
    plans.on(2026, 2, 24)
    plans.on(2026, 2, 25)
    assert (plans.plan.status, plans.states()[-1], plans.booked()) == ("active", (1, "paid"), 2)


def test_a_debit_that_comes_back_after_its_plan_has_ended_is_not_tried_again(plans: Plans) -> None:
    remote_id = debiting(plans)
    change(plans, "cancel")
    plans.saved.stands[remote_id] = declined("insufficient_funds")
    for day in (18, 19, 20, 25):
        plans.on(2026, 2, day)
    assert (plans.plan.status, plans.states()[-1]) == ("ended", (1, "given_up"))
    assert len(plans.saved.attempts) == 1


def test_a_debit_that_a_donor_began_before_the_end_is_still_a_gift(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [declined("authentication_required")]
    plans.on(2026, 2, 15)
    ((remote_id, _),) = plans.saved.attempts
    plans.saved.stands[remote_id] = PROCESSING
    change(plans, "cancel")
    plans.work()
    assert plans.states()[-1] == (1, "waiting"), "it cannot be given up any more"
    arrives(plans, remote_id)
    plans.on(2026, 2, 18)
    plans.on(2026, 2, 19)
    assert (plans.plan.status, plans.states()[-1], plans.booked()) == ("ended", (1, "paid"), 2)


def test_what_nobody_ever_hears_of_is_let_go_after_two_months_and_still_booked_when_it_comes(
    plans: Plans,
) -> None:
    remote_id = debiting(plans)
    change(plans, "pause", until=None)
    plans.on(2026, 4, 15)
    assert plans.states()[-1] == (1, "waiting")
    plans.on(2026, 4, 20)
    assert plans.states()[-1] == (1, "given_up")
    arrives(plans, remote_id)
    plans.hear_of_all()
    assert plans.booked() == 2


# ---- tries -------------------------------------------------------------------------------------------------------


def test_a_processor_that_is_away_for_a_day_is_asked_a_dozen_times(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [payments.ProcessorUnavailable("away")] * 100
    plans.clock.now = datetime(2026, 2, 15, 9, tzinfo=UTC)
    for _ in range(48):
        recurring.collect_due(plans.parts, now=plans.clock())
        plans.clock.advance(minutes=30)
    assert 6 <= len(plans.saved.attempts) <= 14


def test_an_account_that_is_another_one_now_is_not_charged_with_old_cards(plans: Plans) -> None:
    plans.begin()
    with plans.database.transaction() as session:
        session.execute(text("UPDATE plan SET account_id = 'acct_before'"))
    plans.on(2026, 2, 15)
    assert (plans.plan.status, plans.plan.reason, plans.states()) == ("paused", "organization", [(0, "paid")])
    assert plans.subjects() == ["Your gifts to River Trust are paused"]


# ---- beginnings --------------------------------------------------------------------------------------------------


def test_a_first_card_that_is_declined_leaves_the_donor_a_day_for_another(plans: Plans) -> None:
    plans.start()
    (payment,) = plans.rows("payment")
    plans.processor.attempts[payment.remote_id] = Attempt(status=PaymentStatus.FAILED, name="ch_declined")
    plans.hear(payment, "payment_intent.payment_failed")
    plans.clock.advance(hours=1)
    plans.work()
    assert (plans.plan.status, plans.rows("donation")[0].status) == ("incomplete", "failed")
    plans.hear(payment, "payment_intent.succeeded")
    plans.clock.advance(hours=1)
    plans.work()
    assert (plans.plan.status, plans.states()) == ("active", [(0, "paid")])


def test_a_processor_that_would_not_say_what_paid_is_asked_again(plans: Plans) -> None:
    plans.saved.refuses_looks = 1
    plans.begin()
    assert (plans.plan.status, plans.states()) == ("incomplete", [(0, "waiting")])
    plans.clock.advance(hours=1)
    plans.work()
    assert (plans.plan.status, plans.states()) == ("active", [(0, "paid")])


def test_a_plan_that_has_not_reached_the_processor_has_a_day_too(plans: Plans) -> None:
    plans.saved.dies_before_customer = True
    with death():
        plans.start()
    plans.clock.advance(hours=23)
    plans.work()
    assert plans.plan.status == "incomplete"


def test_a_late_no_does_not_end_a_plan_that_runs(plans: Plans) -> None:
    plans.processor.dies_after_create = True
    with death():
        plans.start()
    plans.processor.dies_after_create = False
    (row,) = plans.rows("payment")
    known = SimpleNamespace(**{**row._mapping, "remote_id": "pi_0"})
    plans.hear(known, "payment_intent.succeeded")
    plans.clock.advance(minutes=5)
    plans.work()
    assert plans.plan.status == "active"
    plans.processor.find_intent = lambda **_: None  # type: ignore[method-assign] # a list that is behind
    plans.processor.fails = [payments.ProcessorRefused("no")]
    with pytest.raises(payments.ProcessorRefused):
        plans.start()
    assert (plans.plan.status, plans.plan.reason) == ("active", None)


# ---- skipped, paused, ended --------------------------------------------------------------------------------------


def test_a_gift_that_is_behind_cannot_be_skipped(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 15)
    with pytest.raises(PlanNotChangeable, match="none to skip"):
        change(plans, "skip_next")


def test_what_was_skipped_before_a_pause_does_not_come_after_it(plans: Plans) -> None:
    plans.begin()
    change(plans, "skip_next")
    assert change(plans, "pause", until=date(2026, 2, 1)).next_due_on == date(2026, 3, 15)
    change(plans, "pause", until=None)
    assert change(plans, "resume").next_due_on == date(2026, 3, 15)
    plans.on(2026, 2, 15)
    assert plans.states() == [(0, "paid"), (1, "skipped")]


def test_a_plan_that_runs_cannot_be_resumed(plans: Plans) -> None:
    plans.begin()
    with pytest.raises(PlanNotChangeable, match="not paused"):
        change(plans, "resume")


def test_another_card_does_not_end_a_pause_that_the_donor_asked_for(plans: Plans) -> None:
    plans.begin()
    change(plans, "pause", until=None)
    pays_with(plans, NEW)
    assert (plans.plan.status, plans.plan.next_due_at) == ("paused", None)


def test_whoever_ended_a_plan_first_has_ended_it(plans: Plans) -> None:
    plans.begin()
    change(plans, "cancel")
    assert change(plans, "cancel", reason=recurring.Reason.STAFF).reason == "donor"


def test_a_pause_ends_on_the_donors_own_calendar(database: Database) -> None:
    """At noon of the 15th in London it is the 16th on Kiritimati, and a pause until the 16th is none."""
    plans = Plans(database, now=datetime(2026, 1, 15, 12, tzinfo=UTC), time_zone="Pacific/Kiritimati")
    plans.begin()
    assert plans.rows("plan_charge")[0].due_on == date(2026, 1, 16)
    with pytest.raises(PauseNotAcceptable):
        change(plans, "pause", until=date(2026, 1, 16))
    change(plans, "pause", until=date(2026, 1, 17))
