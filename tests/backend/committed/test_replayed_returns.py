"""Refunds and disputes that were stored before anybody handled them are booked by `admin webhooks replay`."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from amply.entrypoints import backlog
from amply.entrypoints.admin import main as admin
from amply.infra.database import Database
from amply.modules import webhooks
from tests.backend.committed.money_back import DISPUTE, INTENT, REFUND, Returns, thing
from tests.backend.conftest import Databases
from tests.backend.world import NOW

BEFORE = frozenset({"payment_intent.succeeded", "charge.updated"})
"""What an earlier release handled."""
WAITED = (
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
)


@pytest.fixture
def replay(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Any:
    databases.sign_commands_in(monkeypatch, user="amply_operator")

    def run(*words: str) -> Result:
        return CliRunner().invoke(admin, ["webhooks", *words])

    return run


def test_what_waited_is_booked_once_it_is_replayed(
    database: Database, replay: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Returns(database)
    with monkeypatch.context() as earlier:
        earlier.setattr("amply.modules.webhooks.service.HANDLED_TYPES", BEFORE)
        for event_type in WAITED:
            books.deliver(f"evt_{event_type}", event_type, object=thing(event_type) | {"amount": 1000})
    books.processor.tell_refund(INTENT, REFUND, minor_units=1000)
    books.processor.tell_dispute(INTENT, DISPUTE, (-1500, 1500), status="needs_response", minor_units=1500)
    assert {row.outcome for row in books.rows("provider_event") if row.id != "evt_gift"} == {"unsupported"}
    assert books.kinds() == ["donation.succeeded", "processor.fee"]

    listed = [json.loads(line) for line in replay("list-unhandled").output.splitlines()]
    assert {event["can_be_replayed"] for event in listed} == {True}
    assert json.loads(replay("replay").output) == {"started": len(WAITED), "left": 0}
    outcomes = [books.handle(f"evt_{event_type}") for event_type in WAITED]

    assert outcomes.count(webhooks.Outcome.APPLIED) == 2
    assert books.balances() == {
        "dispute_fees": 1500,
        "dispute_hold": 1500,
        "gifts": 1500,
        "processor_balance": -1563,
        "processor_fees": 63,
    }
    assert books.shown() == ("disputed", 1000)
    assert json.loads(replay("replay", "--id", "evt_refund.created").output)["started"] == 1
    assert books.handle("evt_refund.created") == webhooks.Outcome.NO_CHANGE


def test_nothing_of_them_is_awaited_any_more(database: Database) -> None:
    books = Returns(database)
    for event_type in WAITED:
        books.store(event_type)
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM provider_event WHERE outcome = 'unsupported'")) == 0
    assert backlog.measure(database, now=NOW).awaited_events == 0
