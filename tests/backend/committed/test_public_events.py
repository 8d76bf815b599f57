"""Public events: recorded with what they tell of, put on the bus at least once, and none lost where the bus takes some."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import public_events
from amply.modules.public_events import EventAmount, EventType, PayoutChanged
from tests.backend.webhook_fakes import FakeBus
from tests.backend.world import NOW, FakeProcessor, ready_organization


def said(number: int) -> PayoutChanged:
    amount = EventAmount.of(Money(minor_units=number, currency="EUR"))
    return PayoutChanged(payout_id=f"po_{number}", amount=amount, arrives_on=NOW.date())


def happen(database: Database, organization_id: str, number: int) -> None:
    with database.transaction() as session:
        public_events.record(
            session,
            type=EventType.PAYOUT_PAID,
            organization_id=organization_id,
            subject_id=f"po_{number}",
            data=said(number),
            occurred_at=NOW,
            now=NOW,
        )


@pytest.fixture
def organization_id(database: Database) -> str:
    return ready_organization(database, FakeProcessor())


def waiting(database: Database, *, minutes: int = 16) -> int:
    with database.transaction() as session:
        return public_events.count_unpublished(session, now=NOW + timedelta(minutes=minutes))


def test_events_are_put_on_the_bus_ten_at_a_time_thirty_a_run_and_once(
    database: Database, organization_id: str
) -> None:
    for number in range(35):
        happen(database, organization_id, number)
    bus = FakeBus()
    assert (waiting(database), waiting(database, minutes=14)) == (35, 0)
    assert public_events.publish(database, bus, now=NOW) == 30
    assert public_events.publish(database, bus, now=NOW) == 5
    assert {event.data["payout_id"] for event in bus.taken} == {f"po_{number}" for number in range(35)}
    assert public_events.publish(database, bus, now=NOW + timedelta(days=1)) == waiting(database) == 0


def test_what_the_bus_did_not_take_is_tried_again_by_itself(database: Database, organization_id: str) -> None:
    for number in range(3):
        happen(database, organization_id, number)
    with database.transaction() as session:
        refused = session.scalars(text("SELECT id FROM public_event ORDER BY id LIMIT 1")).one()
    bus = FakeBus(refused={refused})
    assert public_events.publish(database, bus, now=NOW) == 2
    bus.refused.clear()
    assert public_events.publish(database, bus, now=NOW) == 0, "not at once"
    assert public_events.publish(database, bus, now=NOW + timedelta(minutes=1)) == 1
    assert [event.id for event in bus.taken].count(refused) == 1


def test_a_bus_that_does_not_answer_loses_nothing(database: Database, organization_id: str) -> None:
    class Away(FakeBus):
        def put(self, events: object) -> list[str]:
            raise ConnectionError

    happen(database, organization_id, 1)
    with pytest.raises(ConnectionError):
        public_events.publish(database, Away(), now=NOW)
    assert public_events.publish(database, FakeBus(), now=NOW + timedelta(minutes=1)) == 1


def test_an_event_of_what_did_not_happen_is_not_there(database: Database, organization_id: str) -> None:
    def fails() -> None:
        with database.transaction() as session:
            public_events.record(
                session,
                type=EventType.PAYOUT_PAID,
                organization_id=organization_id,
                subject_id="po_1",
                data=said(1),
                occurred_at=NOW,
                now=NOW,
            )
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fails()
    assert waiting(database) == 0
