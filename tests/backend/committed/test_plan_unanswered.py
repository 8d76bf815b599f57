"""What was tried is what letters tell of; and what nobody answered for is given up, known to staff and told to its donor."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import payments, recurring
from amply.modules.payments import Charged, PaymentStatus
from amply.modules.receipts import DonorFacts, Language
from amply.modules.recurring import changes
from amply.modules.recurring.cards import begin_card, finish_card
from tests.backend.plan_world import ACCOUNT, ADA, Plans, declined
from tests.backend.world import anybody

NEW = payments.SavedMethod(id="pm_2", kind="card", last4="4444", mandate_id=None)
AWAY: Final = payments.ProcessorUnavailable("away")
NOT_COLLECTED: Final = "Your gift to River Trust was not collected this time"


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, now=datetime(2026, 1, 15, 12, tzinfo=UTC))


def change(plans: Plans, what: str, **said: Any) -> None:
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        getattr(changes, what)(session, plan_id=plan_id, email_sha256=ADA, now=plans.clock(), **said)


def listed(plans: Plans) -> list[tuple[int, str, str]]:
    with plans.database.transaction() as session:
        found = recurring.unanswered(session, organization_id=None, limit=10)
    return [(each["period"], each["state"], each["unanswered"]) for each in found]


def silent_for_two_weeks(plans: Plans) -> None:
    """The gift of 15 February is tried, and the processor says nothing until 2 March."""
    plans.begin()
    plans.saved.answers = [AWAY] * 400
    for day in (15, 16, 20, 28):
        plans.on(2026, 2, day)
    plans.on(2026, 3, 2)


# ---- what was tried ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, ("25.00 EUR", "15 February 2026", "card ending in 4242")),
        (Language.DE, ("25,00 EUR", "15. Februar 2026", "Karte, die auf 4242 endet")),
        (Language.FR, ("25,00 EUR", "15 février 2026", "carte se terminant par 4242")),
    ],
)
@pytest.mark.parametrize("code", ["insufficient_funds", "stolen_card"])
def test_a_letter_about_a_decline_tells_of_what_was_tried_whatever_the_plan_is_by_then(
    plans: Plans, language: Language, said: tuple[str, ...], code: str
) -> None:
    plans.begin(for_receipt=DonorFacts(language=language))
    plans.saved.answers = [declined(code)]
    plans.clock.now = datetime(2026, 2, 15, 9, tzinfo=UTC)
    while recurring.collect_due(plans.parts, now=plans.clock()):
        pass
    change(plans, "change_amount", amount=Money(minor_units=9900, currency="EUR"))
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    plans.saved.stored = NEW
    finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)
    recurring.send_letters(plans.parts, now=plans.clock())

    (letter,) = plans.mailer.sent
    written = " ".join(letter.text.replace("\u202f", " ").replace("\xa0", " ").split())
    told = said if code == "insufficient_funds" else said[:1]
    assert [words for words in told if words not in written] == []
    for not_tried in ("99.00", "99,00", " 4444"):
        assert not_tried not in written


def test_a_notice_tells_of_what_will_be_charged(plans: Plans) -> None:
    """Nothing was tried yet: a card that is stored meanwhile is the one that pays."""
    plans.saved.method = ACCOUNT
    plans.begin()
    plans.mailer.refuses = True
    plans.on(2026, 2, 10)
    plans.mailer.refuses = False
    other = payments.SavedMethod(id="pm_3", kind="sepa_debit", last4="7777", mandate_id="mandate_2")
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    plans.saved.stored = other
    finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)
    plans.on(2026, 2, 11)

    assert "bank account ending in 7777" in plans.mailer.sent[-1].text


# ---- what nobody answered for ------------------------------------------------------------------------------------


def test_a_donor_hears_once_that_nothing_was_taken_and_the_plan_goes_on(plans: Plans) -> None:
    silent_for_two_weeks(plans)
    assert plans.subjects() == [NOT_COLLECTED]
    written = " ".join(plans.mailer.sent[0].text.split())
    assert "25.00 EUR to River Trust, due on 15 February 2026, was not collected" in written
    assert "Nothing was taken for it from your card ending in 4242" in written
    assert listed(plans) == [(1, "given_up", "charge")]

    plans.saved.answers = []
    plans.on(2026, 3, 15)
    plans.on(2026, 3, 16)
    assert plans.states() == [(0, "paid"), (1, "given_up"), (2, "paid")]
    assert (plans.subjects(), plans.booked()) == ([NOT_COLLECTED], 2)


def test_nobody_is_told_that_nothing_was_taken_before_that_is_known(plans: Plans) -> None:
    plans.saved.cancels_unheard = 3
    silent_for_two_weeks(plans)
    assert (plans.states()[-1], plans.subjects()) == ((1, "giving_up"), [])
    assert listed(plans) == [(1, "giving_up", "charge")], "staff know meanwhile"

    for hours in range(12):
        plans.at(datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(hours=hours))
    assert (plans.states()[-1], plans.subjects()) == ((1, "given_up"), [NOT_COLLECTED])


def test_what_was_taken_in_silence_is_a_gift_and_nobody_hears_that_it_was_not(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [AWAY] * 400
    plans.on(2026, 2, 15)
    (remote_id,) = {remote_id for remote_id, _ in plans.saved.attempts}
    plans.saved.taken[remote_id] = 1
    plans.saved.stands[remote_id] = Charged(status=PaymentStatus.SUCCEEDED)
    plans.clock.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    plans.work()
    assert (plans.states()[-1][1], listed(plans)) == ("waiting", [])

    plans.on(2026, 3, 2, hour=10)
    assert (plans.states()[1], plans.booked(), plans.subjects()) == ((1, "paid"), 2, [])


def test_whose_plan_has_ended_meanwhile_is_not_told_that_it_goes_on(plans: Plans) -> None:
    plans.saved.cancels_unheard = 3
    silent_for_two_weeks(plans)
    change(plans, "cancel")
    for hours in range(12):
        plans.at(datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(hours=hours))

    assert plans.states()[-1] == (1, "given_up")
    assert plans.subjects() == ["Your recurring gifts to River Trust have ended"]


def test_a_debit_that_comes_back_after_weeks_is_tried_on_its_day_all_the_same(plans: Plans) -> None:
    """The letter about it says so."""
    plans.saved.method = ACCOUNT
    plans.begin()
    plans.on(2026, 2, 10)
    plans.saved.answers = [Charged(status=PaymentStatus.PROCESSING)]
    plans.on(2026, 2, 15)
    (remote_id,) = {remote_id for remote_id, _ in plans.saved.attempts}
    plans.saved.stands[remote_id] = declined("insufficient_funds")
    plans.on(2026, 3, 3)
    plans.on(2026, 3, 3, hour=20)
    assert (plans.plan.status, plans.states()[1]) == ("past_due", (1, "open"))
    plans.on(2026, 3, 4, hour=22)
    plans.on(2026, 3, 5)

    assert plans.states()[1] == (1, "paid")
    assert (listed(plans), NOT_COLLECTED in plans.subjects()) == ([], False)


def test_of_what_is_lost_from_sight_staff_are_told_and_nobody_guesses(plans: Plans) -> None:
    plans.begin()
    plans.saved.answers = [Charged(status=PaymentStatus.PROCESSING)]
    plans.clock.now = datetime(2026, 2, 15, 9, tzinfo=UTC)
    plans.work()
    plans.clock.now = datetime(2026, 4, 17, 9, tzinfo=UTC)
    plans.work()

    assert (1, "given_up", "outcome") in listed(plans)
    assert NOT_COLLECTED not in plans.subjects()
