from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from amply.infra import outbox
from amply.infra.database import Database, ExternalCallInTransaction, forbid_transaction

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def put(database: Database, topic: str) -> None:
    with database.transaction() as session:
        outbox.put(session, topic=topic, payload={"id": "x"}, now=NOW)


def test_a_fact_is_published_once(database: Database) -> None:
    put(database, "donation.succeeded")
    published: list[outbox.Fact] = []

    assert outbox.relay_batch(database, publish=published.append, now=NOW) == 1
    assert outbox.relay_batch(database, publish=published.append, now=NOW + timedelta(hours=1)) == 0
    assert [(fact.topic, fact.payload) for fact in published] == [("donation.succeeded", {"id": "x"})]


def test_a_rolled_back_fact_is_never_published(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            outbox.put(session, topic="t", payload={}, now=NOW)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fail()

    assert outbox.relay_batch(database, publish=lambda _: pytest.fail("published"), now=NOW) == 0


def test_a_fact_that_fails_to_leave_is_tried_again_later_and_holds_back_no_other(database: Database) -> None:
    put(database, "bad")
    put(database, "good")
    seen: list[str] = []

    def publish(fact: outbox.Fact) -> None:
        seen.append(fact.topic)
        if fact.topic == "bad" and seen.count("bad") == 1:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        outbox.relay_batch(database, publish=publish, now=NOW)
    assert outbox.relay_batch(database, publish=publish, now=NOW) == 0, "its lease has not ended"
    assert outbox.relay_batch(database, publish=publish, now=NOW + timedelta(minutes=2)) == 1
    assert sorted(seen) == ["bad", "bad", "good"]


def test_a_clock_that_is_behind_holds_up_later_tries_and_never_the_first(database: Database) -> None:
    put(database, "written by a clock that is ahead")
    earlier = NOW - timedelta(hours=1)

    def refuse(_: outbox.Fact) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        outbox.relay_batch(database, publish=refuse, now=earlier)
    assert outbox.relay_batch(database, publish=lambda _: None, now=earlier) == 0
    assert outbox.relay_batch(database, publish=lambda _: None, now=NOW) == 1


def test_facts_that_left_long_ago_are_forgotten_and_no_others(database: Database) -> None:
    put(database, "published")
    outbox.relay_batch(database, publish=lambda _: None, now=NOW)
    put(database, "waiting")
    with database.transaction() as session:
        outbox.forget_published(session, now=NOW + timedelta(days=8))
        assert list(session.scalars(text("SELECT topic FROM outbox"))) == ["waiting"]


def test_publishing_happens_outside_any_transaction(database: Database) -> None:
    put(database, "t")

    assert outbox.relay_batch(database, publish=lambda _: forbid_transaction("publish"), now=NOW) == 1


def test_an_adapter_called_inside_a_transaction_is_caught(database: Database) -> None:
    with pytest.raises(ExternalCallInTransaction), database.transaction():
        forbid_transaction("Stripe")


def test_every_statement_has_a_time_limit(database: Database) -> None:
    with database.transaction() as session:
        assert session.scalar(text("SHOW transaction_timeout")) == "1min"
        assert session.scalar(text("SHOW statement_timeout")) == "15s"
