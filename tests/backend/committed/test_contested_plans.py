"""Whose bank wants a gift back is charged no more: the plan rests, its donor hears of it once, and lets it go on themselves."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import donations, payments, recurring
from amply.modules.payments import RefundReason
from amply.modules.recurring.cards import pay_now
from amply.modules.recurring.domain import PlanContested, PlanNeverStarted
from amply.modules.recurring.due_dates import Interval
from tests.backend.plan_world import ADA, Plans, declined
from tests.backend.world import Died

DISPUTE, WITHDRAWN, REINSTATED = "dp_1", (-2500, 1500), (2500, 0)
SUBJECT = "Your gifts to River Trust are paused"
CONTESTED = ("paused", "contested")


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, now=datetime(2026, 1, 31, 12, tzinfo=UTC))


def disputed(plans: Plans, status: str, *movements: tuple[int, int]) -> None:
    """The first gift is disputed: the processor says so, and its event comes."""
    payment = plans.rows("payment")[0]
    plans.processor.tell_dispute(payment.remote_id, DISPUTE, *movements, status=status)
    plans.hear(payment, "charge.dispute.updated", object_id=DISPUTE)


def refunded(plans: Plans, reason: RefundReason | None) -> None:
    """The first gift is given back on the processor's own pages."""
    payment = plans.rows("payment")[0]
    plans.processor.tell_refund(payment.remote_id, "re_1", minor_units=2500, reason=reason)
    plans.hear(payment, "refund.updated", object_id="re_1")


def tell(plans: Plans) -> list[str]:
    """The worker hears what the outbox says of contested gifts; returns whose they are."""
    told = [
        str(row.payload["donation_id"])
        for row in plans.rows("outbox")
        if row.topic == donations.TOPIC_CONTESTED
    ]
    for donation_id in told:
        recurring.pause_contested(plans.parts, donation_id=donation_id, now=plans.clock())
    recurring.send_letters(plans.parts, now=plans.clock())
    return told


def standing(plans: Plans) -> tuple[str, str | None]:
    return plans.plan.status, plans.plan.reason


def resume(plans: Plans) -> None:
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        recurring.resume(session, plan_id=plan_id, email_sha256=ADA, now=plans.clock())


@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost"])
def test_a_disputed_gift_pauses_its_plan_at_once_with_one_letter(plans: Plans, status: str) -> None:
    plans.begin()
    disputed(plans, status, WITHDRAWN)
    assert len(tell(plans)) == 1
    assert standing(plans) == CONTESTED
    tell(plans)
    plans.on(2026, 2, 28)
    plans.on(2026, 3, 31)
    assert (plans.states(), plans.subjects()) == ([(0, "paid")], [SUBJECT])
    assert "tell your bank" in plans.mailer.sent[0].text
    assert "another card" not in plans.mailer.sent[0].text.partition("To see your recurring gifts")[0]


def test_no_charge_is_opened_where_the_news_of_a_dispute_got_lost(plans: Plans) -> None:
    plans.begin()
    disputed(plans, "needs_response", WITHDRAWN)
    plans.on(2026, 2, 28)
    assert (standing(plans), plans.states(), plans.subjects()) == (CONTESTED, [(0, "paid")], [SUBJECT])


def test_a_yearly_gift_is_not_announced_to_whoever_disputed_the_last_one(plans: Plans) -> None:
    plans.begin(every=Interval.YEAR)
    disputed(plans, "lost", WITHDRAWN)
    plans.on(2027, 1, 24)
    assert (standing(plans), plans.subjects()) == (CONTESTED, [SUBJECT])


def test_what_was_declined_is_not_tried_again_once_a_gift_is_disputed(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 28)
    assert plans.plan.status == "past_due"
    tried = len(plans.saved.attempts)
    disputed(plans, "needs_response", WITHDRAWN)
    with pytest.raises(PlanContested):
        pay_now(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)
    plans.on(2026, 3, 1, 10)
    assert (standing(plans), plans.states()) == (CONTESTED, [(0, "paid"), (1, "given_up")])
    assert len(plans.saved.attempts) == tried


def test_the_donor_lets_it_go_on_once_the_dispute_is_won_and_not_before(plans: Plans) -> None:
    plans.begin()
    disputed(plans, "needs_response", WITHDRAWN)
    tell(plans)
    with pytest.raises(PlanContested, match="settle that with your bank"):
        resume(plans)
    disputed(plans, "won", WITHDRAWN, REINSTATED)
    tell(plans)
    plans.on(2026, 2, 28)
    assert standing(plans) == CONTESTED, "nobody is charged again unawares"
    resume(plans)
    plans.on(2026, 3, 31)
    assert plans.states() == [(0, "paid"), (2, "paid")]


def test_a_lost_dispute_is_for_good(plans: Plans) -> None:
    plans.begin()
    disputed(plans, "lost", WITHDRAWN)
    tell(plans)
    with pytest.raises(PlanContested):
        resume(plans)


def test_a_donors_own_pause_does_not_end_by_itself_while_a_gift_is_disputed(plans: Plans) -> None:
    plan_id = plans.begin()
    with plans.database.transaction() as session:
        recurring.pause(
            session,
            plan_id=plan_id,
            email_sha256=ADA,
            until=datetime(2026, 3, 15, tzinfo=UTC).date(),
            now=plans.clock(),
        )
    disputed(plans, "needs_response", WITHDRAWN)
    plans.on(2026, 3, 31)
    assert (standing(plans), plans.states()) == (CONTESTED, [(0, "paid")])


def test_an_inquiry_of_a_bank_changes_nothing(plans: Plans) -> None:
    plans.begin()
    disputed(plans, "warning_needs_response")
    assert tell(plans) == []
    plans.on(2026, 2, 28)
    assert plans.states() == [(0, "paid"), (1, "paid")]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (RefundReason.FRAUDULENT, CONTESTED),
        (RefundReason.REQUESTED_BY_DONOR, ("active", None)),
        (None, ("active", None)),
    ],
)
def test_a_gift_given_back_as_fraud_pauses_its_plan_and_one_given_back_otherwise_does_not(
    plans: Plans, reason: RefundReason | None, expected: tuple[str, str | None]
) -> None:
    plans.begin()
    refunded(plans, reason)
    tell(plans)
    assert standing(plans) == expected


# ---- organisations that are suspended --------------------------------------------------------------------------------------


def suspend(plans: Plans, *, is_suspended: bool) -> None:
    to = "suspended" if is_suspended else "verified"
    with plans.database.transaction() as session:
        session.execute(text("UPDATE organization SET state = :to"), {"to": to})


@pytest.fixture
def behind(plans: Plans) -> Plans:
    """A plan whose second gift was declined and is tried again the next day."""
    plans.begin()
    plans.saved.answers = [declined("insufficient_funds")]
    plans.on(2026, 2, 28)
    return plans


def test_nothing_is_collected_for_a_suspended_organisation_and_it_goes_on_with_it(behind: Plans) -> None:
    tried = len(behind.saved.attempts)
    suspend(behind, is_suspended=True)
    for day in (1, 3, 5):
        behind.on(2026, 3, day, 10)
    assert (behind.states(), len(behind.saved.attempts)) == ([(0, "paid"), (1, "open")], tried)
    assert behind.plan.waits_for == "organization"
    with behind.database.transaction() as session:
        assert recurring.count_late(session, now=behind.clock()) == 0, "it rings for nobody"
    suspend(behind, is_suspended=False)
    behind.on(2026, 3, 6)
    assert (behind.states(), behind.plan.waits_for) == ([(0, "paid"), (1, "paid")], None)


def test_what_was_paid_while_its_organisation_was_suspended_waits_for_nobody(behind: Plans) -> None:
    suspend(behind, is_suspended=True)
    behind.on(2026, 3, 1, 10)
    assert behind.plan.waits_for == "organization"
    behind.hear(behind.rows("payment")[-1], "payment_intent.succeeded")
    behind.on(2026, 3, 2)
    assert (behind.states(), behind.plan.waits_for) == ([(0, "paid"), (1, "paid")], None)


def test_what_was_put_off_for_two_weeks_lapses_and_nobody_is_told_that_the_processor_was_silent(
    behind: Plans,
) -> None:
    suspend(behind, is_suspended=True)
    for day in (1, 7, 14, 15):
        behind.on(2026, 3, day, 10)
    assert behind.states() == [(0, "paid"), (1, "given_up")]
    assert behind.rows("plan_charge")[1].unanswered is None
    assert behind.subjects() == ["Your gift to River Trust could not be collected yet"]
    suspend(behind, is_suspended=False)
    behind.on(2026, 3, 31)
    assert behind.states()[-1] == (2, "paid")


def test_a_donor_cannot_pay_a_suspended_organisation_what_was_declined(behind: Plans) -> None:
    suspend(behind, is_suspended=True)
    with pytest.raises(payments.OrganizationNotReady, match="at the moment"):
        pay_now(behind.cards, plan_id=behind.plan.id, email_sha256=ADA)
    suspend(behind, is_suspended=False)
    assert pay_now(behind.cards, plan_id=behind.plan.id, email_sha256=ADA).client_secret


# ---- requests that come again a day later -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dies", ["before_customer", "after_create"])
def test_a_request_that_comes_again_after_its_plan_has_ended_takes_no_gift(plans: Plans, dies: str) -> None:
    plans.saved.dies_before_customer = dies == "before_customer"
    plans.processor.dies_after_create = dies == "after_create"
    with pytest.raises(Died):
        plans.start()
    plans.saved.dies_before_customer = plans.processor.dies_after_create = False
    plans.clock.advance(hours=25)
    plans.work()
    assert standing(plans) == ("ended", "never_started")
    gifts = len(plans.rows("donation"))
    with pytest.raises(PlanNeverStarted, match="another Idempotency-Key"):
        plans.start()
    assert len(plans.rows("donation")) == gifts
    assert plans.start(key="key-2").status == 201
