"""What ends at the processor, over a real database and HTTP: payments that cards are tried on, and those that nobody pays."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from amply.entrypoints.backlog import measure
from amply.infra import outbox
from amply.infra.database import Database
from amply.modules import defence, payments
from amply.modules.donations import end_abandoned, end_exhausted, erase_donor
from tests.backend.conftest import Databases
from tests.backend.defended_form import SECRETS, Form


@pytest.fixture
def form(database: Database, databases: Databases) -> Iterator[Form]:
    own = databases.as_role("amply_api")
    made = Form(own, operator=database)
    with made.client:
        yield made
    own.close()


def test_a_payment_that_four_cards_were_tried_on_ends_and_is_asked_to_end_once(form: Form) -> None:
    opened = form.open().json()["id"]
    for number in range(3):
        form.decline(opened, card=f"card-{number}")
    assert form.close() == 0
    form.decline(opened, card="card-4")
    form.decline(opened, card="card-5")

    topics: list[str] = []
    outbox.relay_batch(form.operator, publish=lambda fact: topics.append(fact.topic), now=form.clock())
    assert topics.count(defence.TOPIC_EXHAUSTED) == 1
    assert form.close() == 1
    assert form.close() == 0
    assert form.processor.canceled == ["pi_0"]


def test_a_payment_whose_end_the_processor_did_not_hear_is_ended_later(form: Form) -> None:
    opened = form.open().json()["id"]
    for number in range(4):
        form.decline(opened, card=f"card-{number}")
    form.processor.fails = [payments.ProcessorUnavailable("away")]

    assert form.close() == 0
    form.clock.advance(minutes=2)
    assert form.close() == 1


def test_what_the_processor_has_nothing_left_to_end_of_is_left_alone(form: Form) -> None:
    opened = form.open().json()["id"]
    for number in range(4):
        form.decline(opened, card=f"card-{number}")
    form.processor.fails = [payments.ProcessorRefused("it has succeeded")]

    assert form.close() == 0
    form.clock.advance(hours=1)
    assert form.close() == 0
    assert form.processor.canceled == []
    form.decline(opened, card="card-5")
    assert form.close() == 1, "it takes cards: it has not ended"


@pytest.mark.parametrize("cards", [0, 4])
def test_a_payment_on_an_account_that_we_are_shut_out_of_is_ended_once_we_are_not(
    form: Form, cards: int
) -> None:
    opened = form.open().json()["id"]
    for number in range(cards):
        form.decline(opened, card=f"card-{number}")
    form.clock.advance(days=1, seconds=1)
    form.processor.fails = [payments.AccountUnreachable("shut out")]

    assert form.close() == 0
    form.clock.advance(days=1)
    assert form.close() == 1
    assert form.processor.canceled == ["pi_0"]


def stand(form: Form, status: str) -> None:
    with form.operator.transaction() as session:
        session.execute(text("UPDATE processor_account SET status = :status"), {"status": status})


@pytest.mark.parametrize("cards", [0, 4])
def test_a_payment_on_an_account_that_its_organisation_has_left_is_ended_when_it_comes_back(
    form: Form, cards: int
) -> None:
    opened = form.open().json()["id"]
    for number in range(cards):
        form.decline(opened, card=f"card-{number}")
    form.clock.advance(days=1, seconds=1)
    stand(form, "disconnected")

    assert form.close() == 0
    stand(form, "active")
    form.clock.advance(days=29)
    assert (form.close(), form.processor.canceled) == (0, [])
    form.clock.advance(days=1)
    assert (form.close(), form.processor.canceled) == (1, ["pi_0"])


def test_cards_that_are_tried_once_the_organisation_is_back_end_the_payment_at_once(form: Form) -> None:
    opened = form.open().json()["id"]
    for number in range(4):
        form.decline(opened, card=f"card-{number}")
    stand(form, "disconnected")
    assert form.close() == 0
    stand(form, "active")
    form.clock.advance(days=1)
    form.decline(opened, card="card-5")
    assert (form.close(), form.processor.canceled) == (1, ["pi_0"])


def test_a_donor_is_erased_while_a_payment_of_theirs_waits_for_an_account_that_was_left(form: Form) -> None:
    opened = form.open().json()["id"]
    for number in range(4):
        form.decline(opened, card=f"card-{number}")
    stand(form, "disconnected")
    assert form.close() == 0
    erased = erase_donor(form.operator, SECRETS, email_sha256=None, donation_id=opened, now=form.clock())
    assert erased.gifts == 1


@pytest.mark.parametrize(
    "gone",
    [
        "UPDATE processor_account SET status = 'closed'",
        "UPDATE processor_account SET account_id = 'acct_another'",
    ],
    ids=["closed", "replaced"],
)
def test_a_payment_on_an_account_that_nobody_comes_back_to_is_given_up(form: Form, gone: str) -> None:
    form.open()
    form.clock.advance(days=1, seconds=1)
    with form.operator.transaction() as session:
        session.execute(text(gone))

    assert form.close() == 0
    with form.operator.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM payment_ending WHERE ended_at IS NOT NULL")) == 1


def test_one_that_cannot_be_looked_at_holds_back_no_other(form: Form) -> None:
    for _ in range(2):
        form.open()
    form.clock.advance(days=1, seconds=1)
    form.processor.fails = [KeyError("broken")]

    assert form.close() == 1


def test_a_processor_that_does_not_answer_is_asked_about_one_payment_and_holds_nobody_up(form: Form) -> None:
    for _ in range(3):
        form.open()
    form.clock.advance(days=1, seconds=1)
    form.processor.fails = [payments.ProcessorUnavailable("away")] * 3

    assert form.close() == 0
    assert len(form.processor.fails) == 2
    form.processor.fails.clear()
    assert form.close() == 2


def test_a_donor_is_not_erased_while_a_payment_of_theirs_is_about_to_end(form: Form) -> None:
    opened = form.open().json()["id"]
    for number in range(4):
        form.decline(opened, card=f"card-{number}")

    def erase() -> int:
        return erase_donor(
            form.operator, SECRETS, email_sha256=None, donation_id=opened, now=form.clock()
        ).gifts

    with pytest.raises(payments.EndingUnderWay, match="repeat the erasure"):
        erase()
    assert form.close() == 1
    assert erase() == 1


def test_a_gift_that_a_program_took_ends_after_four_cards_too(form: Form) -> None:
    opened = form.open_by_program()
    assert form.rows("opened_gift")[0].mail is None, "nobody is told from anybody by it"
    for number in range(4):
        form.decline(opened, card=f"card-{number}")

    assert form.close() == 1
    assert form.processor.canceled == ["pi_0"]


def test_a_gift_that_nobody_remembers_the_opening_of_ends_after_four_cards_too(form: Form) -> None:
    opened = form.open().json()["id"]
    form.processor.vouchers.add("pi_0")
    form.clock.advance(days=3)
    with form.operator.transaction() as session:
        defence.forget(session, now=form.clock())
    assert form.rows("opened_gift") == []
    for number in range(4):
        form.decline(opened, card=f"card-{number}")

    assert form.close() == 1
    assert form.processor.canceled == ["pi_0"]


def test_a_gift_that_nobody_pays_for_a_day_ends_once(form: Form) -> None:
    opened = form.open().json()["id"]
    form.clock.advance(hours=23)
    assert form.close() == 0
    form.clock.advance(hours=2)
    form.processor.fails = [payments.ProcessorUnavailable("away")]
    assert form.close() == 0
    form.clock.advance(minutes=2)

    assert [form.close(), form.close()] == [1, 0]
    assert form.processor.canceled == ["pi_0"]
    form.tell(opened, "payment_intent.canceled")
    assert form.client.get(f"/v1/donations/{opened}").json()["status"] == "canceled"
    form.clock.advance(days=2)
    assert form.close() == 0


def test_what_must_end_at_once_does_not_wait_for_what_nobody_pays(form: Form) -> None:
    form.open()
    form.clock.advance(days=1, seconds=1)

    assert end_exhausted(form.operator, form.processor, clock=form.clock) == 0
    assert end_abandoned(form.operator, form.processor, clock=form.clock) == 1


def test_a_gift_whose_donor_has_a_voucher_in_hand_stays_open_until_that_has_expired(form: Form) -> None:
    form.open()
    form.processor.vouchers.add("pi_0")
    form.clock.advance(days=1, seconds=1)
    assert form.close() == 0
    form.processor.vouchers.clear()
    form.clock.advance(hours=23)
    assert form.close() == 0, "it is asked about once a day"
    form.clock.advance(hours=2)

    assert form.close() == 1


def test_a_gift_that_is_paid_is_not_ended(form: Form) -> None:
    opened = form.open().json()["id"]
    form.tell(opened, "payment_intent.succeeded")
    form.clock.advance(days=2)

    assert form.close() == 0
    assert form.rows("payment_ending") == []


def test_declines_of_gifts_that_plans_collect_are_no_attack_and_four_cards_end_them_all_the_same(
    form: Form,
) -> None:
    opened = [form.open(address=f"203.{number}.113.7").json()["id"] for number in range(8)]

    def decline(number: int, donation_id: str) -> bool:
        card = defence.Decline(reference=f"ch_{number}", card=f"card-{number}", declined_at=form.clock())
        named = {"donation_id": donation_id, "organization_id": form.organization_id}
        with form.operator.transaction() as session:
            return defence.note_decline(session, card, **named, is_collected=True, now=form.clock())

    assert not any(decline(number, opened[number // 3]) for number in range(21))
    assert form.rows("attack") == []
    assert [decline(30 + number, opened[7]) for number in range(4)] == [False, False, False, True]


def test_a_card_that_was_declined_everywhere_ends_the_next_payment_at_once(form: Form) -> None:
    for number in range(4):
        opened = form.open(address=f"198.51.{number}.1").json()["id"]
        form.decline(opened, card="stolen")

    assert form.close() == 1
    assert form.processor.canceled == ["pi_3"]


def test_bank_accounts_that_refuse_are_not_one_card(form: Form) -> None:
    for number in range(5):
        opened = form.open(address=f"198.51.{number}.1").json()["id"]
        form.decline(opened, card=None)

    assert form.close() == 0


def test_a_payment_that_cannot_be_ended_rings(form: Form) -> None:
    opened = form.open().json()["id"]
    for number in range(4):
        form.decline(opened, card=f"card-{number}")
    for _ in range(10):
        assert measure(form.operator, now=form.clock()).exhausted_endings == 0
        form.processor.fails = [payments.ProcessorUnavailable("away")]
        form.close()
        form.clock.advance(hours=9)

    assert measure(form.operator, now=form.clock()).exhausted_endings == 1


def test_a_gift_that_nobody_pays_and_that_cannot_be_ended_rings_and_is_tried_on(form: Form) -> None:
    form.open()
    form.clock.advance(days=1, seconds=1)
    for _ in range(10):
        assert measure(form.operator, now=form.clock()).exhausted_endings == 0
        form.processor.fails = [payments.ProcessorUnavailable("away")]
        assert form.close() == 0
        form.clock.advance(hours=9)

    assert measure(form.operator, now=form.clock()).exhausted_endings == 1
    form.clock.advance(days=3)
    assert form.close() == 1
    assert measure(form.operator, now=form.clock()).exhausted_endings == 0
