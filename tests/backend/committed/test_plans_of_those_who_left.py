"""Recurring gifts to an organisation that has left its account: they rest, and their donors hear of it once."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import payments, recurring
from amply.modules.recurring.due_dates import Interval
from tests.backend.plan_world import Plans


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC))


def leave(plans: Plans, status: str) -> None:
    with plans.database.transaction() as session:
        session.execute(text("UPDATE processor_account SET status = :status"), {"status": status})


@pytest.mark.parametrize("status", ["disconnected", "closed"])
def test_a_plan_rests_when_its_organisation_has_left_and_its_donor_hears_of_it_then(
    plans: Plans, status: str
) -> None:
    plans.begin()
    leave(plans, status)
    plans.on(2026, 2, 15)
    assert (plans.plan.status, plans.subjects()) == ("active", []), "it may come back before the next gift"
    plans.on(2026, 2, 28)
    assert (plans.plan.status, plans.plan.reason) == ("paused", "organization")
    assert plans.states() == [(0, "paid")]
    (letter,) = plans.mailer.sent
    assert letter.subject == "Your gifts to River Trust are paused"
    assert "ask the organisation how" in letter.text
    assert "give another card or account" not in letter.text
    plans.on(2026, 3, 31)
    assert len(plans.mailer.sent) == 1

    leave(plans, "active")
    plans.on(2026, 4, 1)
    assert plans.plan.status == "paused", "nobody is charged again unawares"
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        recurring.resume(session, plan_id=plan_id, email_sha256=None, now=plans.clock())
    plans.on(2026, 4, 30)
    assert plans.states() == [(0, "paid"), (3, "paid")]


def test_an_organisation_that_comes_back_in_time_has_lost_nothing(plans: Plans) -> None:
    plans.begin()
    leave(plans, "disconnected")
    plans.on(2026, 2, 15)
    leave(plans, "active")
    plans.on(2026, 2, 28)
    assert (plans.states(), plans.subjects()) == ([(0, "paid"), (1, "paid")], [])


def test_a_yearly_gift_is_not_announced_for_an_organisation_that_has_left(plans: Plans) -> None:
    plans.begin(every=Interval.YEAR)
    leave(plans, "closed")
    plans.on(2027, 1, 24)
    assert plans.subjects() == ["Your gifts to River Trust are paused"]


def test_a_plan_of_an_account_that_another_has_replaced_rests(plans: Plans) -> None:
    plans.begin()
    with plans.database.transaction() as session:
        session.execute(text("UPDATE processor_account SET account_id = 'acct_another'"))
    plans.on(2026, 2, 28)
    assert (plans.plan.status, plans.plan.reason) == ("paused", "organization")


def test_shut_out_while_charging_waits_until_it_is_known_whether_the_organisation_has_left(
    plans: Plans,
) -> None:
    plans.begin()
    plans.saved.answers = [payments.AccountUnreachable("We are shut out.")] * 3
    plans.on(2026, 2, 28)
    assert (plans.plan.status, plans.states()[-1]) == ("active", (1, "open"))
    leave(plans, "disconnected")
    plans.clock.advance(hours=6)
    plans.work()
    assert (plans.plan.status, plans.plan.reason) == ("paused", "organization")
    assert plans.states() == [(0, "paid"), (1, "given_up")]
    assert plans.subjects() == ["Your gifts to River Trust are paused"]
