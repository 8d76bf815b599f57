"""One gift to several organisations: parts that fail alone, are tried again alone, and are never paid twice."""

from datetime import timedelta
from typing import Any, Final

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.modules import organizations, payments
from amply.modules.donations import (
    complete_stuck,
    erase_donor,
)
from amply.modules.donations.split_domain import (
    PaymentMethodMissing,
    SplitGiftClosed,
)
from amply.modules.donations.split_rows import keep_payer, use_setup
from amply.modules.donations.splits import new_setup, pay_parts
from amply.modules.mail import address_digest
from amply.modules.payments import Paid
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.split_giver import AMOUNTS, CARD, Giver
from tests.backend.world import NOW, anybody, death


@pytest.fixture
def giver(database: Database) -> Giver:
    return Giver(database)


INTENTS: Final = ["pi_0", "pi_1", "pi_2"]


def test_each_part_is_a_donation_with_its_own_entry_and_receipt(giver: Giver) -> None:
    split_id = giver.give_with()
    assert giver.status(split_id) == "pending"
    assert giver.pay(split_id) == [Paid.PAID] * 3
    giver.hear()

    assert giver.status(split_id) == "succeeded"
    donations = giver.rows("donation")
    assert [(row.organization_id, row.minor_units, row.status) for row in donations] == [
        (organization_id, amount, "succeeded")
        for organization_id, amount in zip(giver.organizations, AMOUNTS, strict=True)
    ]
    assert len({row.entry_id for row in donations}) == len(giver.rows("receipt")) == 3
    assert giver.charged() == INTENTS


def test_the_same_request_again_is_the_same_gift(giver: Giver) -> None:
    first, again = giver.give(), giver.give()

    assert (again.body, again.replayed) == (first.body, True)
    assert len(giver.rows("donation")) == len(giver.processor.intents) == 3


def test_nothing_is_recorded_where_one_organisation_cannot_take_gifts(giver: Giver) -> None:
    with giver.database.transaction() as session:
        other = organizations.create(session, name="Later", slug="later", country="DE", now=NOW)
    giver.organizations[1] = other.id

    with pytest.raises(payments.OrganizationNotReady) as refused:
        giver.give()
    assert refused.value.param == "parts.1.organization_id"
    assert giver.rows("donation") == giver.rows("split_gift") == giver.rows("idempotency_key") == []


def test_nothing_is_paid_before_a_method_was_entered(giver: Giver) -> None:
    split_id = giver.give().body["id"]

    with pytest.raises(PaymentMethodMissing):
        giver.pay(split_id)
    assert giver.complete(minutes=5) == 0, "nobody asked for what cannot be done"
    assert giver.charged() == []


def test_a_part_that_is_declined_is_tried_again_alone(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.method_cloning.declining = {"pi_1"}
    assert giver.pay(split_id) == [Paid.PAID, Paid.DECLINED, Paid.PAID]
    giver.hear()
    assert giver.status(split_id) == "partly_succeeded"

    giver.method_cloning.declining = set()
    assert giver.pay(split_id) == [None, Paid.PAID, None], "what is paid is not even asked for"
    giver.hear()
    assert giver.status(split_id) == "succeeded"
    assert giver.charged() == INTENTS


def test_another_card_pays_what_the_first_one_did_not(giver: Giver) -> None:
    split_id = giver.give_with("pm_broke")
    giver.method_cloning.declines = {"pm_broke"}
    assert giver.pay(split_id) == [Paid.DECLINED] * 3
    giver.hear()
    assert giver.status(split_id) == "failed"

    setup = new_setup(giver.parts, split_id=split_id, admit=anybody)
    assert setup.client_secret == f"seti_{split_id}_2_secret_x"
    with pytest.raises(PaymentMethodMissing):
        giver.pay(split_id)
    giver.enter(split_id, CARD, number=2)
    assert giver.pay(split_id) == [Paid.PAID] * 3
    assert {card for _, card in giver.method_cloning.charged} == {CARD}


def test_a_bank_that_asks_is_answered_and_the_part_is_paid(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.method_cloning.asking = {"pi_2"}
    split = pay_parts(giver.parts, split_id=split_id)
    outcome = split.parts[2].outcome
    assert outcome is not None
    assert (outcome.paid, outcome.client_secret) == (Paid.NEEDS_DONOR, "pi_2_secret_x")
    assert giver.method_cloning.released == []

    giver.method_cloning.standing["pi_2"] = Paid.PAID
    assert giver.pay(split_id)[2] is Paid.PAID


def test_a_refused_part_has_failed_and_the_others_are_paid(giver: Giver) -> None:
    giver.processor.fails = [payments.ProcessorRefused("no")]
    split_id = giver.give_with()

    assert giver.pay(split_id) == [None, Paid.PAID, Paid.PAID]
    giver.hear()
    assert giver.status(split_id) == "partly_succeeded"
    assert [row.status for row in giver.rows("donation")] == ["failed", "succeeded", "succeeded"]


def test_where_every_part_is_refused_the_same_request_gets_the_same_no(giver: Giver) -> None:
    giver.processor.fails = [payments.ProcessorRefused("no")] * 3

    for _ in range(2):
        with pytest.raises(payments.ProcessorRefused, match="refused every part"):
            giver.give()
    assert [row.status for row in giver.rows("donation")] == ["failed"] * 3


def test_killed_once_every_part_was_refused_the_retry_is_refused_too(giver: Giver) -> None:
    giver.processor.fails = [payments.ProcessorRefused("no")] * 2
    create = giver.processor.create_intent

    def dying(**asked: Any) -> payments.Intent:
        giver.processor.dies_before_create = not giver.processor.fails
        return create(**asked)

    giver.processor.create_intent = dying  # type: ignore[method-assign] # it dies at its third call
    with death():
        giver.give()
    giver.processor.create_intent = create  # type: ignore[method-assign] # as it was
    giver.processor.dies_before_create = False
    giver.processor.fails = [payments.ProcessorRefused("no")]

    with pytest.raises(payments.ProcessorRefused, match="refused every part"):
        giver.give()
    assert giver.method_cloning.payers == {}, "nothing is there to enter a card for"


# ---- killed and unanswered ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["dies_before_create", "dies_after_create"])
@pytest.mark.parametrize("opened", [0, 1, 2])
def test_killed_while_opening_the_donors_retry_finishes(giver: Giver, point: str, opened: int) -> None:
    create = giver.processor.create_intent

    def dying(**asked: Any) -> payments.Intent:
        if len(giver.processor.intents) == opened:
            setattr(giver.processor, point, True)
        return create(**asked)

    giver.processor.create_intent = dying  # type: ignore[method-assign] # it dies at one of its calls
    with death():
        giver.give()
    setattr(giver.processor, point, False)
    giver.processor.create_intent = create  # type: ignore[method-assign] # as it was

    assert giver.give().status == 201
    assert len(giver.rows("donation")) == len(giver.processor.intents) == 3


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_killed_while_paying_nothing_is_paid_twice_and_the_rest_is_paid_a_minute_later(
    giver: Giver, part: int, *, after: bool
) -> None:
    split_id = giver.give_with()
    giver.method_cloning.dies_at, giver.method_cloning.dies_after = part, after
    with death():
        giver.pay(split_id)
    assert len(giver.charged()) == part + after

    assert giver.complete(minutes=0.5) == 0, "somebody may still be paying it"
    assert giver.complete(minutes=1) == 1
    assert giver.charged() == INTENTS
    assert giver.complete(minutes=60) == 0
    giver.hear()
    assert giver.status(split_id) == "succeeded"


def test_killed_while_paying_the_donor_may_ask_again_at_once(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.method_cloning.dies_at, giver.method_cloning.dies_after = 1, True
    with death():
        giver.pay(split_id)

    assert giver.pay(split_id) == [Paid.PAID] * 3
    assert giver.charged() == INTENTS


def test_a_part_that_nobody_answers_for_is_asked_about_again_and_the_others_are_paid(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.method_cloning.silent = {"pi_1"}
    assert giver.pay(split_id) == [Paid.PAID, Paid.UNKNOWN, Paid.PAID]

    giver.method_cloning.silent = set()
    assert giver.complete(minutes=2) == 1
    assert giver.charged() == INTENTS, "it was charged before, when no answer came"


def test_what_is_never_answered_is_given_up(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.method_cloning.silent = set(INTENTS)
    giver.pay(split_id)

    assert [giver.complete(minutes=20) for _ in range(7)] == [1] * 5 + [0, 0]


def test_an_intent_that_a_crash_left_unopened_is_opened_before_it_is_paid(giver: Giver) -> None:
    split_id = giver.give_with()
    with giver.database.transaction() as session:
        session.execute(
            text("UPDATE payment SET remote_id = NULL, status = 'created' WHERE remote_id = 'pi_1'")
        )

    assert giver.pay(split_id) == [Paid.PAID] * 3
    giver.clock.advance(hours=1)
    assert complete_stuck(giver.database, giver.processor, clock=giver.clock) == 0


def test_a_part_that_a_bank_takes_days_over_is_left_alone(giver: Giver) -> None:
    split_id = giver.give_with()
    with giver.database.transaction() as session:
        session.execute(
            text("UPDATE donation SET status = 'processing' WHERE organization_id = :id"),
            {"id": giver.organizations[1]},
        )

    assert giver.pay(split_id) == [Paid.PAID, None, Paid.PAID]
    assert giver.charged() == ["pi_0", "pi_2"]


def test_a_repeat_of_the_first_request_does_not_take_the_second_card_away(giver: Giver) -> None:
    """Two of the same request at once: the slower one comes to its end when the donor has asked for another card."""
    split_id = giver.give_with("pm_broke")
    giver.method_cloning.declines = {"pm_broke"}
    giver.pay(split_id)
    new_setup(giver.parts, split_id=split_id, admit=anybody)
    with giver.database.transaction() as session:
        keep_payer(session, split_id=split_id, payer_id="cus_2", setup_id=f"seti_{split_id}_1", now=NOW)
        use_setup(session, split_id=split_id, number=1, setup_id=f"seti_{split_id}_1", now=NOW)

    giver.enter(split_id, CARD, number=2)
    assert giver.pay(split_id) == [Paid.PAID] * 3


# ---- what is kept ------------------------------------------------------------------------------------------------


def test_the_card_is_forgotten_once_everything_is_paid(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.pay(split_id)

    assert giver.method_cloning.released == [f"cus_{split_id}"]
    (row,) = giver.rows("split_gift")
    assert (row.customer_id, row.setup_id) == (None, None)
    with pytest.raises(SplitGiftClosed):
        giver.pay(split_id)


def test_the_card_is_forgotten_after_a_day_whatever_happened(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.method_cloning.declines = {CARD}
    giver.pay(split_id)
    assert giver.complete(minutes=60) == 0
    assert giver.method_cloning.released == []

    giver.complete(minutes=timedelta(days=1) / timedelta(minutes=1))
    assert giver.method_cloning.released == [f"cus_{split_id}"]
    with pytest.raises(SplitGiftClosed):
        new_setup(giver.parts, split_id=split_id, admit=anybody)


def test_an_erased_donors_card_is_forgotten_and_nothing_ties_the_gifts_together(giver: Giver) -> None:
    split_id = giver.give_with()
    giver.method_cloning.declining = {"pi_1"}
    giver.pay(split_id)
    giver.hear()
    erase_donor(
        giver.database, SECRETS, email_sha256=address_digest("ada@example.org"), donation_id=None, now=NOW
    )
    assert giver.rows("split_part") == giver.rows("idempotency_key") == []

    giver.complete(minutes=0.1)
    assert giver.method_cloning.released == [f"cus_{split_id}"]
    assert giver.rows("split_gift") == []


def _suspend(giver: Giver, *organization_ids: str) -> None:
    with giver.database.transaction() as session:
        session.execute(
            text("UPDATE organization SET state = 'suspended' WHERE id = ANY(:ids)"),
            {"ids": list(organization_ids)},
        )


def test_an_organisation_that_is_suspended_meanwhile_is_paid_nothing_and_the_others_are(giver: Giver) -> None:
    split_id = giver.give_with(CARD)
    suspended, *others = giver.organizations
    _suspend(giver, suspended)
    assert giver.pay(split_id) == [Paid.DECLINED, *[Paid.PAID] * len(others)]
    assert len(giver.charged()) == len(others)
    giver.hear()

    with pytest.raises(payments.OrganizationNotReady, match="at the moment"):
        giver.pay(split_id)
    assert giver.complete(minutes=2) == 0
    assert len(giver.charged()) == len(others)
