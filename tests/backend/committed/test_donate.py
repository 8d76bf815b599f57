"""The three steps of a gift, killed at each point: nothing lost, nothing doubled."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.infra.idempotency import IdempotencyKeyReused
from amply.kernel.money import Money
from amply.modules import payments
from amply.modules.donations import complete_stuck
from amply.modules.donations.domain import Donor, Gift
from amply.modules.donations.service import Answer, donate
from amply.modules.organizations.domain import OrganizationNotFound
from tests.backend.sealed_rows import rows_in
from tests.backend.world import FakeClock, FakeProcessor, death, ready_organization


class Desk:
    """Somebody who gives 25.00 EUR, always in the same words."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.processor = FakeProcessor()
        self.clock = FakeClock()
        self.organization_id = ready_organization(database, self.processor)

    def give(
        self,
        *,
        key: str = "key-1",
        minor_units: int = 2500,
        organization_id: str | None = None,
        fee_cover: int = 0,
        **said: Any,
    ) -> Answer:
        organization_id = organization_id or self.organization_id
        gift = Gift(
            organization_id=organization_id,
            amount=Money(minor_units=minor_units, currency="EUR"),
            donor=Donor(name="Ada", email="ada@example.org"),
            message=None,
            fee_cover=card_fee(fee_cover) if fee_cover else None,
            **said,
        )
        request = {"organization_id": organization_id, "minor_units": str(minor_units)}
        return donate(self.database, self.processor, gift=gift, key=key, request=request, clock=self.clock)

    def rows(self, table: str) -> list[Any]:
        with self.database.transaction() as session:
            return rows_in(session, table, order="1")

    def payment_status(self) -> str:
        (payment,) = self.rows("payment")
        status: str = payment.status
        return status


def card_fee(minor_units: int) -> payments.FeeCover:
    return payments.FeeCover(
        method=payments.Method.CARD, amount=Money(minor_units=minor_units, currency="EUR")
    )


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_gift_gets_an_intent_the_donor_can_confirm(desk: Desk) -> None:
    answer = desk.give()

    assert answer.status == 201
    assert answer.body["status"] == "pending"
    assert answer.body["amount"] == {"minor_units": "2500", "currency": "EUR"}
    assert answer.body["payment"]["client_secret"] == "pi_0_secret_x"
    assert desk.payment_status() == "pending"


def test_the_same_request_again_is_the_same_answer_and_no_second_gift(desk: Desk) -> None:
    first = desk.give()
    again = desk.give()

    assert again.body == first.body
    assert again.replayed
    assert len(desk.rows("donation")) == len(desk.processor.intents) == 1


def test_a_key_used_with_another_request_is_refused(desk: Desk) -> None:
    desk.give()

    with pytest.raises(IdempotencyKeyReused):
        desk.give(minor_units=2600)
    assert len(desk.rows("donation")) == 1


def test_killed_before_the_call_the_clients_retry_finishes(desk: Desk) -> None:
    desk.processor.dies_before_create = True
    with death():
        desk.give()
    desk.processor.dies_before_create = False

    assert desk.give().status == 201
    assert len(desk.rows("donation")) == len(desk.processor.intents) == 1


def test_killed_after_the_call_the_clients_retry_gets_the_same_intent(desk: Desk) -> None:
    desk.processor.dies_after_create = True
    with death():
        desk.give()
    desk.processor.dies_after_create = False

    assert desk.give().body["payment"]["client_secret"] == "pi_0_secret_x"
    assert len(desk.rows("donation")) == len(desk.processor.intents) == 1


@pytest.mark.parametrize("point", ["dies_before_create", "dies_after_create"])
def test_killed_and_never_retried_the_completer_finishes_a_minute_later(desk: Desk, point: str) -> None:
    setattr(desk.processor, point, True)
    with death():
        desk.give()
    setattr(desk.processor, point, False)

    assert complete_stuck(desk.database, desk.processor, clock=desk.clock) == 0, "it might still be answering"
    desk.clock.advance(seconds=61)
    assert complete_stuck(desk.database, desk.processor, clock=desk.clock) == 1
    assert complete_stuck(desk.database, desk.processor, clock=desk.clock) == 0
    assert desk.payment_status() == "pending"
    assert len(desk.processor.intents) == 1
    assert desk.give().replayed, "the donor's late retry gets the completer's answer"


def test_a_processor_that_does_not_answer_loses_nothing(desk: Desk) -> None:
    desk.processor.fails = [payments.ProcessorUnavailable("no answer")]
    with pytest.raises(payments.ProcessorUnavailable):
        desk.give()

    assert desk.give().status == 201
    assert len(desk.rows("donation")) == 1


def test_a_processor_that_refuses_fails_the_donation(desk: Desk) -> None:
    desk.processor.fails = [payments.ProcessorRefused("no")]
    with pytest.raises(payments.ProcessorRefused):
        desk.give()

    assert desk.payment_status() == "failed"
    assert [row.status for row in desk.rows("donation")] == ["failed"]
    desk.clock.advance(minutes=5)
    assert complete_stuck(desk.database, desk.processor, clock=desk.clock) == 0, "a refusal is not repeated"


def test_a_refusal_is_the_answer_to_the_same_request(desk: Desk) -> None:
    desk.processor.fails = [payments.ProcessorRefused("The processor said no.")]
    for _ in range(2):
        with pytest.raises(payments.ProcessorRefused, match="said no"):
            desk.give()

    assert desk.processor.intents == {}, "the second request did not ask again"


def test_a_refused_repetition_does_not_fail_a_gift_that_is_under_way(desk: Desk) -> None:
    desk.processor.dies_after_create = True
    with death():
        desk.give()
    desk.processor.dies_after_create = False
    with desk.database.transaction() as session:
        session.execute(text("UPDATE payment SET status = 'processing', remote_id = 'pi_0'"))
        session.execute(text("UPDATE donation SET status = 'processing'"))
    desk.processor.fails = [payments.ProcessorRefused("no")]

    with pytest.raises(payments.ProcessorRefused):
        desk.give()
    assert [row.status for row in desk.rows("donation")] == ["processing"]


def test_a_payment_that_cannot_be_completed_neither_blocks_the_others_nor_is_tried_for_ever(
    desk: Desk,
) -> None:
    for key in ("a", "b"):
        desk.processor.dies_before_create = True
        with death():
            desk.give(key=key)
    desk.processor.dies_before_create = False
    for turn in range(12):
        desk.clock.advance(hours=24)
        desk.processor.fails = [payments.ProcessorUnavailable("away")]
        completed = complete_stuck(desk.database, desk.processor, clock=desk.clock)
        assert completed == 0, "who waits for no answer ends the run"
        completed = complete_stuck(desk.database, desk.processor, clock=desk.clock)
        assert completed == (1 if turn == 0 else 0)

    assert sorted(row.attempts for row in desk.rows("payment")) == [1, 10]


@pytest.mark.parametrize(
    ("failure", "left"),
    [(payments.ProcessorRefused("no"), "failed"), (RuntimeError("nobody thought of this"), "created")],
)
def test_one_payment_that_fails_does_not_stop_the_completer(
    desk: Desk, failure: Exception, left: str
) -> None:
    for key in ("a", "b"):
        desk.processor.dies_before_create = True
        with death():
            desk.give(key=key)
    desk.processor.dies_before_create = False
    desk.processor.fails = [failure]
    desk.clock.advance(minutes=2)

    assert complete_stuck(desk.database, desk.processor, clock=desk.clock) == 1
    assert sorted(row.status for row in desk.rows("payment")) == sorted([left, "pending"])


def test_an_unknown_organisation_leaves_nothing_behind(desk: Desk) -> None:
    with pytest.raises(OrganizationNotFound):
        desk.give(organization_id="org_unknown")

    assert desk.rows("donation") == desk.rows("idempotency_key") == []


def test_an_organisation_that_is_not_onboarded_cannot_receive(database: Database) -> None:
    desk = Desk(database)
    with database.transaction() as session:
        session.execute(text("UPDATE processor_account SET status = 'restricted'"))

    with pytest.raises(payments.OrganizationNotReady):
        desk.give()
    assert desk.rows("donation") == []


def test_twenty_at_once_with_one_key_are_one_gift(desk: Desk) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: desk.give(), range(20)))

    assert len({answer.body["id"] for answer in answers}) == 1
    assert len(desk.rows("donation")) == len(desk.rows("payment")) == len(desk.processor.intents) == 1


def test_every_call_about_a_payment_carries_the_key_of_its_row(desk: Desk) -> None:
    desk.give()
    (payment,) = desk.rows("payment")

    assert desk.processor.keys == [f"payment:{payment.id}:create"]
