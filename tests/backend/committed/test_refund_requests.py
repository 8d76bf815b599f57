"""Refunds that an organisation's people ask for: written down by the API, made by the worker, booked by their event."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.entrypoints import scheduler, task_names, worker
from amply.infra import outbox
from amply.modules import donations, payments, webhooks
from amply.modules.donations.refund_requests import count_exhausted_requests
from amply.modules.donations.refunds import WantedRefund, carry_out
from tests.backend.committed.money_back import INTENT, thing
from tests.backend.committed.test_booking_gate import begin_another_life
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases
from tests.backend.member_world import House
from tests.backend.worker_parts import worker_parts
from tests.backend.world import NOW, death

REASON: Final = {"reason": "requested_by_customer"}


def eur(minor_units: int, currency: str = "EUR") -> dict[str, Any]:
    return {**REASON, "amount": {"minor_units": str(minor_units), "currency": currency}}


class Finance:
    """An organisation whose gift of 25.00 EUR has arrived, and who gives it back."""

    def __init__(self, house: House, *, arrives: bool = True) -> None:
        self.house, self.events, self.keys = house, 0, 0
        self.donation_id = self.give(house.organization_id)
        if arrives:
            self.news("payment_intent.succeeded")

    @property
    def refunding(self) -> donations.RefundDependencies:
        house = self.house
        return donations.RefundDependencies(
            database=house.database, processor=house.processor, secrets=SECRETS, clock=house.clock
        )

    def give(self, organization_id: str) -> str:
        gift = {
            "organization_id": organization_id,
            "amount": {"minor_units": "2500", "currency": "EUR"},
            "donor": {"name": "Ada", "email": "ada@example.org"},
        }
        headers = {"Idempotency-Key": organization_id}
        given: str = self.house.client.post("/v1/donations", json=gift, headers=headers).json()["id"]
        return given

    def news(self, event_type: str) -> None:
        """An event about the gift comes and is handled."""
        self.events += 1
        ((payment_id, account_id),) = self.house.rows(
            "SELECT id, account_id FROM payment WHERE donation_id = :of", of=self.donation_id
        )
        intent = {"id": INTENT, "metadata": {"amply_payment_id": payment_id}}
        event = webhooks.ProviderEvent(
            id=f"evt_{self.events}",
            type=event_type,
            account_id=account_id,
            livemode=False,
            occurred_at=NOW,
            object=intent if event_type.startswith("payment_intent.") else thing(event_type),
        )
        with self.house.database.transaction() as session:
            assert webhooks.ingest(session, event=event, livemode=False, keeps=donations.keeps_event, now=NOW)
        parts = donations.EventDependencies(
            database=self.house.database, processor=self.house.processor, secrets=SECRETS
        )
        assert donations.handle_provider_event(parts, event_id=event.id, now=self.house.clock())

    def ask(self, body: Any, *, key: str | None = None, of: str | None = None) -> Any:
        self.keys += 1
        return self.house.ask(
            "POST",
            f"/gifts/{of or self.donation_id}/refunds",
            by="usr_finance",
            json=body,
            headers={"Idempotency-Key": key or f"refund-{self.keys}"},
        )

    def refused(self, body: Any, *, of: str | None = None) -> tuple[int, str]:
        answer = self.ask(body, of=of)
        return answer.status_code, answer.json()["code"]

    def shown(self, refund_id: str) -> tuple[str, str | None]:
        found = self.house.ask("GET", f"/gifts/{self.donation_id}/refunds/{refund_id}", by="usr_viewer")
        assert found.status_code == 200, found.text
        return found.json()["status"], found.json()["failure_code"]

    def work(self) -> int:
        return donations.carry_out_requests(self.refunding)

    def by_staff(self, amount: str | None) -> donations.Refunded:
        return donations.refund(
            self.refunding,
            donation_id=self.donation_id,
            amount=amount,
            reason=payments.RefundReason.DUPLICATE,
        )


@pytest.fixture
def finance(house: House) -> Finance:
    return Finance(house)


def test_what_is_asked_for_is_made_by_the_worker_and_booked_by_its_event(finance: Finance) -> None:
    house = finance.house
    asked = finance.ask(eur(1000), key="once")
    assert (asked.status_code, asked.json()["status"]) == (202, "requested")
    refund_id = asked.json()["id"]
    assert house.processor.refunded.get(INTENT, []) == [], "not by the API"

    facts: list[outbox.Fact] = []
    outbox.relay_batch(house.database, publish=facts.append, now=house.clock())
    assert task_names.COMPLETE_STUCK in [scheduler.TASKS_OF[fact.topic][0] for fact in facts]
    assert (finance.work(), finance.work()) == (1, 0)
    assert finance.shown(refund_id) == ("pending", None)
    (recorded,) = house.rows("SELECT content FROM audit_record WHERE content LIKE '%donation.refund_asked%'")
    assert "requested_by_donor_1000_eur" in recorded.content

    finance.news("refund.created")
    assert finance.shown(refund_id) == ("succeeded", None)
    again = finance.ask(eur(1000), key="once").json()
    assert (again["id"], again["status"]) == (refund_id, "succeeded"), "as it is by then"
    gift = house.ask("GET", f"/gifts/{finance.donation_id}?expand=refunds", by="usr_viewer").json()
    assert (gift["standing"], gift["refunded"]["minor_units"]) == ("partially_refunded", "1000")
    assert gift["refunds"] == [again]
    reasons = house.rows("SELECT reason FROM entry WHERE kind LIKE '%refund%'")
    assert {row.reason for row in reasons} == {"requested_by_donor"}

    rest = finance.ask(REASON).json()
    assert rest["amount"] == {"minor_units": "1500", "currency": "EUR"}


def test_what_cannot_go_back_is_refused_when_it_is_asked_for(finance: Finance) -> None:
    house = finance.house
    theirs = finance.give(house.other_id)
    assert finance.refused(REASON, of=theirs) == (404, "donation_not_found")
    assert finance.refused(eur(2501)) == (409, "ledger_reversal_exceeds_original")
    assert finance.refused(eur(0)) == (422, "refund_amount_not_acceptable")
    assert finance.refused(eur(100, "CHF")) == (422, "refund_amount_not_acceptable")
    house.run("UPDATE donation SET dispute_state = 'open' WHERE id = :id", id=finance.donation_id)
    assert finance.refused(REASON) == (409, "donation_not_refundable")
    house.run("UPDATE donation SET dispute_state = NULL WHERE id = :id", id=finance.donation_id)
    house.run(
        "UPDATE donation SET erased_at = now(), sealed = NULL, donor_index = NULL WHERE id = :id",
        id=finance.donation_id,
    )
    assert finance.refused(REASON) == (409, "donation_not_refundable")
    house.run("UPDATE donation SET erased_at = NULL WHERE id = :id", id=finance.donation_id)

    assert finance.ask(eur(2500), key="all").status_code == 202
    assert finance.refused(eur(1)) == (409, "refund_not_finished")
    assert finance.ask(eur(2400), key="all").json()["code"] == "idempotency_key_reused"
    finance.work()
    assert finance.refused(REASON) == (409, "donation_not_refundable"), "all of it has gone back"
    assert len(house.rows("SELECT id FROM refund")) == 1


def test_a_gift_that_has_not_arrived_is_not_given_back(house: House) -> None:
    assert Finance(house, arrives=False).refused(REASON) == (409, "donation_not_refundable")


def test_of_two_who_ask_at_the_same_moment_one_is_let(finance: Finance) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: finance.ask(eur(2500), key=f"at-once-{number}"), range(4)))
    assert sorted(answer.status_code for answer in found) == [202, 409, 409, 409]


def test_what_went_back_on_the_dashboard_meanwhile_is_not_given_back_again(finance: Finance) -> None:
    refund_id = finance.ask(eur(2000)).json()["id"]
    finance.house.processor.tell_refund(INTENT, "re_dashboard", minor_units=2000)
    finance.news("refund.created")

    assert finance.work() == 1
    assert finance.shown(refund_id) == ("failed", "ledger_reversal_exceeds_original")
    assert len(finance.house.processor.refunded[INTENT]) == 1


def test_what_is_asked_for_as_fraud_contests_its_gift_before_it_is_made(finance: Finance) -> None:
    def contested() -> bool:
        with finance.house.database.transaction() as session:
            return bool(donations.contested(session, donation_ids=[finance.donation_id]))

    finance.ask(eur(100))
    assert not contested()
    finance.work()
    finance.ask({"reason": "fraudulent"})
    assert contested()
    finance.house.run("UPDATE refund_request SET state = 'refused', refusal = 'no' WHERE state = 'waiting'")
    assert not contested()


def test_staff_wait_for_what_the_organisation_has_asked_for(finance: Finance) -> None:
    refund_id = finance.ask(eur(1000)).json()["id"]
    with pytest.raises(donations.RefundNotFinished, match=refund_id):
        finance.by_staff("20.00")
    assert finance.work() == 1
    assert finance.shown(refund_id) == ("pending", None)


def test_a_dispute_that_came_meanwhile_is_the_requests_refusal(finance: Finance) -> None:
    refund_id = finance.ask(REASON).json()["id"]
    finance.house.run("UPDATE donation SET dispute_state = 'open' WHERE id = :id", id=finance.donation_id)
    assert finance.work() == 1
    assert finance.shown(refund_id) == ("failed", "donation_not_refundable")
    assert INTENT not in finance.house.processor.refunded


def test_a_request_under_another_organisations_name_gives_nothing_back(finance: Finance) -> None:
    refund_id = finance.ask(REASON).json()["id"]
    finance.house.run("UPDATE refund_request SET organization_id = :other", other=finance.house.other_id)
    assert finance.work() == 1
    ((found,),) = finance.house.rows("SELECT refusal FROM refund_request WHERE id = :id", id=refund_id)
    assert (found, finance.house.processor.refunded) == ("donation_not_found", {})


def test_a_restored_database_finds_the_refund_that_was_made_before(finance: Finance) -> None:
    house, asked = finance.house, finance.ask(eur(1000)).json()
    house.processor.tell_refund(INTENT, "re_before", minor_units=1000, refund_id=asked["id"])
    house.clock.advance(days=2)

    assert finance.work() == 1
    assert list(house.processor.refunded[INTENT]) == ["re_before"]
    shown = house.ask("GET", f"/gifts/{finance.donation_id}/refunds/{asked['id']}", by="usr_viewer").json()
    assert (shown["status"], shown["created_at"]) == ("pending", asked["created_at"])
    assert donations.complete_stuck_refunds(finance.refunding) == 0


def test_a_restored_database_that_hears_of_the_refund_first_takes_it_for_the_one_that_was_asked_for(
    finance: Finance,
) -> None:
    house, asked = finance.house, finance.ask(eur(1000)).json()
    house.processor.tell_refund(INTENT, "re_before", minor_units=1000, refund_id=asked["id"])
    house.clock.advance(days=2)
    finance.news("refund.created")

    gift = house.ask("GET", f"/gifts/{finance.donation_id}?expand=refunds", by="usr_viewer").json()
    assert [(each["id"], each["status"]) for each in gift["refunds"]] == [(asked["id"], "succeeded")]
    assert finance.work() == 0
    assert list(house.processor.refunded[INTENT]) == ["re_before"]
    assert house.rows("SELECT state FROM refund_request") == [("recorded",)]
    assert finance.ask(eur(1500)).status_code == 202, "nothing of the gift is reserved for what was made"


def another_waits(finance: Finance) -> None:
    """A request of a second later, about another gift."""
    finance.house.run(
        "INSERT INTO refund_request (id, organization_id, donation_id, minor_units, currency, reason, next_attempt_at, created_at) "
        "SELECT :id, organization_id, :theirs, minor_units, currency, reason, "
        "next_attempt_at + interval '1 second', created_at FROM refund_request",
        id="rfd_" + "z" * 26,
        theirs=finance.give(finance.house.other_id),
    )
    finance.house.clock.advance(seconds=1)


def test_while_bookings_are_paused_one_request_is_tried_and_the_others_lose_no_attempt(
    finance: Finance, databases: Databases
) -> None:
    finance.ask(eur(100))
    another_waits(finance)
    begin_another_life(databases)
    assert finance.work() == 0
    rows = finance.house.rows("SELECT state, attempts FROM refund_request ORDER BY id")
    assert [tuple(row) for row in rows] == [("waiting", 1), ("waiting", 0)]


def test_a_processor_that_does_not_answer_is_asked_about_one_request(finance: Finance) -> None:
    house, refund_id = finance.house, finance.ask(eur(100)).json()["id"]
    another_waits(finance)
    house.processor.fails = [payments.ProcessorUnavailable("later")] * 2
    assert finance.work() == 0
    assert len(house.processor.fails) == 1
    rows = house.rows("SELECT id, state, attempts FROM refund_request ORDER BY id")
    assert [(row.state, row.attempts) for row in rows] == [("recorded", 1), ("waiting", 0)]
    assert rows[0].id == refund_id, "completed as any refund whose answer did not come"


def test_the_message_of_one_request_does_requests_alone(finance: Finance) -> None:
    house, refund_id = finance.house, finance.ask(eur(100)).json()["id"]
    finance.give(house.other_id)
    house.run(
        "UPDATE payment SET status = 'created', remote_id = NULL WHERE organization_id = :of",
        of=house.other_id,
    )
    house.clock.advance(minutes=2)
    receipts = donations.ReceiptDependencies(
        database=house.database,
        mailer=house.mailer,
        secrets=SECRETS,
        ledger_page="https://edge.example/ledger/",
    )
    parts = worker_parts(receipts, processor=house.processor, clock=house.clock)
    ((_, complete_stuck), _) = worker._stuck_payment_tasks(parts)

    def attempts() -> int:
        ((found,),) = house.rows(
            "SELECT attempts FROM payment WHERE organization_id = :of", of=house.other_id
        )
        return int(found)

    complete_stuck(refund_id=refund_id)
    assert (finance.shown(refund_id), attempts()) == (("pending", None), 0)
    complete_stuck()
    assert attempts() == 1


def test_what_waits_for_an_earlier_answer_is_made_once_that_is_there(finance: Finance) -> None:
    house = finance.house
    house.processor.fails = [payments.ProcessorUnavailable("later")]
    with pytest.raises(payments.ProcessorUnavailable):
        finance.by_staff("5.00")
    # As for somebody who asked a moment before staff did.
    house.run("UPDATE refund SET status = 'failed'")
    refund_id = finance.ask(eur(1000)).json()["id"]
    house.run("UPDATE refund SET status = 'created'")

    assert finance.work() == 0
    assert finance.shown(refund_id) == ("requested", None)
    house.clock.advance(minutes=2)
    assert donations.complete_stuck_refunds(finance.refunding) == 1
    assert finance.work() == 1
    assert finance.shown(refund_id) == ("pending", None)


def test_one_that_cannot_be_made_for_long_is_counted_and_still_tried(finance: Finance) -> None:
    finance.ask(eur(1000))
    finance.house.run("UPDATE refund_request SET attempts = 10")
    with finance.house.database.transaction() as session:
        assert count_exhausted_requests(session) == 1
    assert finance.work() == 1


def test_what_the_processor_refuses_has_failed_and_may_be_asked_for_again(finance: Finance) -> None:
    finance.house.processor.fails = [payments.ProcessorRefused("no")]
    refund_id = finance.ask(REASON).json()["id"]

    assert finance.work() == 1
    assert finance.shown(refund_id) == ("failed", "refund_refused")
    assert finance.ask(REASON).json()["amount"]["minor_units"] == "2500"


def test_a_worker_that_is_killed_while_it_asks_gives_back_once(finance: Finance) -> None:
    house, refund_id = finance.house, finance.ask(eur(1000)).json()["id"]
    house.processor.dies_after_create = True
    with death():
        finance.work()
    house.processor.dies_after_create = False
    assert finance.shown(refund_id) == ("requested", None)

    house.clock.advance(minutes=2)
    assert (finance.work(), donations.complete_stuck_refunds(finance.refunding)) == (0, 1)
    assert finance.shown(refund_id) == ("pending", None)
    assert len(house.processor.refunded[INTENT]) == 1


def test_an_erasure_waits_for_what_is_asked_for_and_leaves_no_request(finance: Finance) -> None:
    def erase() -> donations.Erasure:
        return donations.erase_donor(
            finance.house.database,
            SECRETS,
            email_sha256=None,
            donation_id=finance.donation_id,
            now=finance.house.clock(),
        )

    finance.ask(eur(1000))
    with pytest.raises(payments.RefundUnderWay, match="repeat the erasure"):
        erase()
    finance.work()
    assert erase().gifts == 1
    with finance.house.database.transaction() as session:
        assert session.scalars(text("SELECT id FROM refund_request")).all() == []
        assert session.scalars(text("SELECT key FROM idempotency_key WHERE scope = 'refunds'")).all() == []


def test_the_payment_is_locked_before_the_request_as_erasing_does(finance: Finance) -> None:
    free: list[Any] = []

    def beside(_session: Session) -> None:
        with finance.house.database.engine.begin() as other:
            free.extend(other.execute(text("SELECT id FROM payment FOR UPDATE SKIP LOCKED")))

    wanted = WantedRefund(
        id="rfd_" + "1" * 26,
        donation_id=finance.donation_id,
        amount=None,
        reason=payments.RefundReason.DUPLICATE,
    )
    carry_out(finance.refunding, wanted, beside=beside)
    assert free == []
