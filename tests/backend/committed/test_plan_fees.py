"""What plans add for the processor's fee: quoted again for each gift, never more than was agreed to or announced."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import payments, recurring
from amply.modules.donations import FeeCoverChanged
from amply.modules.payments import FeeCover, Method
from amply.modules.payments import fees as fee_table
from amply.modules.recurring.cards import begin_card, finish_card
from amply.modules.recurring.changes import CoverChange, change_amount
from amply.modules.recurring.due_dates import Interval
from tests.backend.plan_world import ACCOUNT, ADA, CARD, Plans
from tests.backend.world import anybody

LINK = payments.SavedMethod(id="pm_link", kind="link", last4="", mandate_id=None)
BY_CARD = 64
"""ceil((2500 + 25) / (1 - 0.015)) - 2500, in cents."""
BY_DEBIT = 35


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


def cover(minor_units: int, method: Method = Method.CARD) -> FeeCover:
    return FeeCover(method=method, amount=euros(minor_units))


@pytest.fixture
def plans(database: Database) -> Plans:
    return Plans(database, now=datetime(2026, 1, 15, 12, tzinfo=UTC))


def prices(monkeypatch: pytest.MonkeyPatch, *, fixed: int) -> None:
    """Cards and debits cost so much more or less from now on."""
    changed = tuple(replace(fee, fixed=fixed) for fee in fee_table.FEES)
    monkeypatch.setattr(fee_table, "FEES", changed)


def charged(plans: Plans) -> list[tuple[int, int]]:
    """Of each gift: what was taken in all, and what of it was for the fee."""
    return [(row.minor_units, row.fee_cover_minor_units) for row in plans.rows("donation")]


def gives(plans: Plans, minor_units: int, **says: Any) -> recurring.Plan:
    plan_id = plans.plan.id
    with plans.database.transaction() as session:
        return change_amount(
            session,
            plan_id=plan_id,
            email_sha256=ADA,
            amount=euros(minor_units),
            now=plans.clock(),
            **says,
        )


def pays_with(plans: Plans, method: payments.SavedMethod) -> None:
    begin_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA, admit=anybody)
    plans.saved.stored = method
    finish_card(plans.cards, plan_id=plans.plan.id, email_sha256=ADA)


def test_every_gift_of_a_plan_adds_what_covers_the_fee(plans: Plans) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    plans.on(2026, 2, 15)
    assert charged(plans) == [(2500 + BY_CARD, BY_CARD)] * 2
    assert [row.minor_units for row in plans.rows("payment")] == [2564, 2564]
    covers = [row for row in plans.rows("account") if row.code == "fee_cover"]
    assert len(covers) == 1, "booked apart from the gift"
    periods = plans.rows("plan_charge")
    assert {(row.minor_units, row.fee_cover_minor_units) for row in periods} == {(2500, BY_CARD)}


def test_what_was_not_quoted_begins_no_plan(plans: Plans) -> None:
    with pytest.raises(FeeCoverChanged):
        plans.start(fee_cover=cover(BY_CARD - 1))
    assert plans.rows("plan") == []


def test_a_plan_whose_donor_covers_nothing_adds_nothing(plans: Plans) -> None:
    plans.begin()
    plans.on(2026, 2, 15)
    assert charged(plans) == [(2500, 0)] * 2


def test_a_fee_that_rose_is_covered_as_far_as_the_donor_agreed(
    plans: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    prices(monkeypatch, fixed=80)
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (2500 + BY_CARD, BY_CARD)


def test_a_fee_that_fell_is_covered_and_no_more(plans: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    prices(monkeypatch, fixed=0)
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (2539, 39)


def test_the_fee_of_what_pays_now_is_covered(plans: Plans) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    pays_with(plans, ACCOUNT)
    plans.on(2026, 2, 10)
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (2500 + BY_DEBIT, BY_DEBIT)
    assert plans.rows("donation")[-1].fee_cover_method == "sepa_debit"
    pays_with(plans, replace(CARD, id="pm_2"))
    plans.on(2026, 3, 15)
    assert charged(plans)[-1] == (2500 + BY_CARD, BY_CARD), "within what was agreed to at the beginning"


def test_a_dearer_way_to_pay_is_covered_as_far_as_the_donor_agreed(plans: Plans) -> None:
    plans.saved.method = ACCOUNT
    plans.begin(fee_cover=cover(BY_DEBIT, Method.SEPA_DEBIT))
    pays_with(plans, replace(CARD, id="pm_2"))
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (2500 + BY_DEBIT, BY_DEBIT)


def test_a_way_to_pay_that_has_no_published_price_adds_nothing(plans: Plans) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    pays_with(plans, LINK)
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (2500, 0)


# ---- another amount ----------------------------------------------------------------------------------------------


def test_a_larger_gift_adds_no_more_than_was_agreed_to_before(plans: Plans) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    gives(plans, 10_000)
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (10_000 + BY_CARD, BY_CARD)


def test_a_smaller_gift_adds_what_covers_its_own_fee(plans: Plans) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    gives(plans, 1000)
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (1041, 41)


def test_with_another_amount_the_donor_agrees_to_another_cover_or_to_none(plans: Plans) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    with pytest.raises(FeeCoverChanged):
        gives(plans, 10_000, fee_cover=CoverChange(cover=cover(177)))
    assert plans.plan.minor_units == 2500
    gives(plans, 10_000, fee_cover=CoverChange(cover=cover(178)))
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (10_178, 178)
    gives(plans, 10_000, fee_cover=CoverChange(cover=None))
    plans.on(2026, 3, 15)
    assert charged(plans)[-1] == (10_000, 0)


# ---- what is said before -----------------------------------------------------------------------------------------


def test_the_notice_says_what_is_charged(plans: Plans) -> None:
    plans.saved.method = ACCOUNT
    plans.begin(fee_cover=cover(BY_DEBIT, Method.SEPA_DEBIT))
    plans.on(2026, 2, 10)
    (letter,) = plans.mailer.sent
    assert letter.subject == "Your gift of 25.35 EUR to River Trust on 15 February 2026"
    assert "Of this, 0.35 EUR covers the payment fee" in " ".join(letter.text.split())
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (2535, 35)


def test_a_fee_that_rose_after_the_notice_takes_no_more_than_the_notice_said(
    plans: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices(monkeypatch, fixed=50)
    plans.saved.method = ACCOUNT
    plans.begin(fee_cover=cover(50, Method.SEPA_DEBIT))
    prices(monkeypatch, fixed=35)
    plans.on(2026, 2, 10)
    prices(monkeypatch, fixed=45)
    plans.on(2026, 2, 15)
    assert (len(plans.mailer.sent), charged(plans)[-1]) == (1, (2535, 35))
    plans.on(2026, 3, 10)
    plans.on(2026, 3, 15)
    assert charged(plans)[-1] == (2545, 45), "the next notice says what it costs by then"


def test_a_fee_that_fell_after_the_notice_needs_another_notice(
    plans: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.saved.method = ACCOUNT
    plans.begin(fee_cover=cover(BY_DEBIT, Method.SEPA_DEBIT))
    plans.on(2026, 2, 10)
    prices(monkeypatch, fixed=20)
    plans.on(2026, 2, 15)
    assert len(plans.rows("donation")) == 1, "a debit is of the amount that its notice said"
    plans.on(2026, 2, 17, hour=10)
    assert charged(plans)[-1] == (2520, 20)
    assert [letter.subject.split()[3] for letter in plans.mailer.sent] == ["25.35", "25.20"]


def test_a_yearly_card_takes_no_more_than_its_reminder_said(
    plans: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.begin(every=Interval.YEAR, fee_cover=cover(BY_CARD))
    prices(monkeypatch, fixed=0)
    plans.on(2027, 1, 8)
    assert plans.subjects() == ["Your gift of 25.39 EUR to River Trust on 15 January 2027"]
    prices(monkeypatch, fixed=25)
    plans.on(2027, 1, 15)
    assert charged(plans)[-1] == (2539, 39)


def test_a_letter_tells_of_the_amount_it_was_owed_for(plans: Plans) -> None:
    plans.saved.method = ACCOUNT
    plans.begin()
    plans.mailer.refuses = True
    plans.on(2026, 2, 10)
    gives(plans, 4000)
    plans.mailer.refuses = False
    plans.on(2026, 2, 11)
    assert [letter.subject.split()[3] for letter in plans.mailer.sent] == ["25.00", "40.00"]


def test_the_books_never_take_a_cover_above_what_covers_the_fee(plans: Plans) -> None:
    plans.begin(fee_cover=cover(BY_CARD))
    with plans.database.transaction() as session:
        session.execute(text("UPDATE plan SET fee_cover_minor_units = 900"))
    plans.on(2026, 2, 15)
    assert charged(plans)[-1] == (2500 + BY_CARD, BY_CARD)
