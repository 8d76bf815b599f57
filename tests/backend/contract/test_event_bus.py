"""Stripe's events through EventBridge: sandbox, bus, rule and queue of the emulated cloud, and into the same inbox."""

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import structlog
from sqlalchemy import text

from amply.adapters.eventbridge import StripeEventQueue
from amply.entrypoints.stripe_event_poller import poll_forever
from amply.infra.database import Database, ExternalCallInTransaction
from amply.infra.settings import StripeQueueSettings
from amply.kernel.clock import system_clock
from amply.modules import donations, webhooks
from stripe_sandbox.webhooks.event_bus import SOURCE
from tests.backend.contract.test_money_back import Life
from tests.backend.contract.test_queues_and_mail import messages_of
from tests.backend.unit.test_stripe_signatures import EVENT
from tests.backend.unit.test_thin_events import told
from tests.backend.world import Died, death
from tests.stripe_sandbox.running import Endpoint, Sandbox, running, settings_in

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
TURNS_MAX = 40
STRIPE = "aws.partner/stripe.com/ed_test_sandbox"


@pytest.fixture
def url(cloud: str) -> str:
    assert cloud
    return boto3.client("sqs").create_queue(QueueName=f"stripe-{uuid.uuid4().hex}")["QueueUrl"]


@pytest.fixture
def taking(url: str, database: Database) -> webhooks.EventQueueDependencies:
    queue = StripeEventQueue(StripeQueueSettings(events_url=url), wait_seconds=1)
    return webhooks.EventQueueDependencies(
        database=database, queue=queue, livemode=False, keeps=donations.keeps_event
    )


@pytest.fixture
def bus(url: str) -> str:
    """A bus with a rule as in `stacks/events.py`, which leads to the queue.

    The emulator has no partners, and lets nobody publish as one: the target writes Stripe's source into the envelope.
    """
    events, sqs = boto3.client("events"), boto3.client("sqs")
    name = f"stripe-{uuid.uuid4().hex}"
    events.create_event_bus(Name=name)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="taken", EventBusName=name, EventPattern=json.dumps({"source": [SOURCE]}))
    events.put_targets(
        Rule="taken",
        EventBusName=name,
        Targets=[
            {
                "Id": "queue",
                "Arn": arn,
                "InputTransformer": {
                    "InputPathsMap": {"detail": "$.detail"},
                    "InputTemplate": f'{{"source": "{STRIPE}", "detail": <detail>}}',
                },
            }
        ],
    )
    return name


@pytest.fixture
def sandbox(tmp_path: Path, bus: str, cloud: str) -> Iterator[Sandbox]:
    settings = settings_in(
        tmp_path,
        event_bus=bus,
        event_bus_url=cloud,
    )
    with running(settings) as made:
        yield made


def message(detail: Any, source: str = STRIPE) -> str:
    return json.dumps({"version": "0", "id": "1", "source": source, "detail-type": "x", "detail": detail})


def send(url: str, *bodies: str) -> None:
    for body in bodies:
        boto3.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def dies(_queue: StripeEventQueue, *, receipt: str) -> None:
    raise Died(receipt)


def stored(database: Database) -> dict[str, str]:
    """The events that wait for their handler, by their ids."""
    with database.transaction() as session:
        rows = session.execute(text("SELECT id, type FROM provider_event WHERE handled_at IS NULL"))
        return {row.id: row.type for row in rows}


def test_a_gift_is_booked_from_what_comes_over_the_bus(
    database: Database, sandbox: Sandbox, taking: webhooks.EventQueueDependencies
) -> None:
    life = Life(database, sandbox, Endpoint())
    life.give()
    for _ in range(TURNS_MAX):
        webhooks.take(taking, now=system_clock())
        if {"payment_intent.succeeded", "charge.updated"} <= set(stored(database).values()):
            break
    life.waiting = list(stored(database))
    life.handle_all()
    assert life.balances() == {"gifts": 2500, "processor_balance": 2437, "processor_fees": 63}


def test_nobody_but_a_partner_publishes_as_one(bus: str) -> None:
    """What the queue's events are believed for; the emulator answers as AWS does."""
    answer = boto3.client("events").put_events(
        Entries=[{"Source": STRIPE, "DetailType": "x", "Detail": json.dumps(EVENT), "EventBusName": bus}]
    )
    assert [each["ErrorCode"] for each in answer["Entries"]] == ["NotAuthorizedForSourceException"]


def test_what_a_webhook_brought_too_is_stored_once(
    database: Database, taking: webhooks.EventQueueDependencies, url: str
) -> None:
    brought = webhooks.ProviderEvent(
        id=EVENT["id"],
        type=EVENT["type"],
        account_id=EVENT["account"],
        livemode=False,
        occurred_at=system_clock(),
        object=EVENT["data"]["object"],
    )
    with database.transaction() as session:
        webhooks.ingest(
            session, event=brought, livemode=False, keeps=donations.keeps_event, now=system_clock()
        )
    # The same event three times more: as a snapshot twice, and as the thin event beside it.
    send(url, message(EVENT), message(EVENT), message(json.loads(told(type=f"v1.{EVENT['type']}"))))
    assert webhooks.take(taking, now=system_clock()) == 0
    while messages_of(url):
        assert webhooks.take(taking, now=system_clock()) == 0
    assert len(stored(database)) == 1


def test_a_thin_event_comes_this_way_too(
    database: Database, taking: webhooks.EventQueueDependencies, url: str
) -> None:
    send(url, message(json.loads(told())))
    assert webhooks.take(taking, now=system_clock()) == 1
    assert stored(database) == {"evt_1": "charge.refunded"}


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        "{}",
        message(EVENT, source="amply"),
        message(EVENT, source="aws.partner/stripe.example/ed_1"),
        message({"who": "zoe@example.org"}),
        message([EVENT]),
        message({**EVENT, "livemode": True}),
    ],
)
def test_what_is_not_stripes_or_not_for_us_stays_for_a_person_and_holds_back_no_other(
    body: str, database: Database, taking: webhooks.EventQueueDependencies, url: str
) -> None:
    send(url, body, message(EVENT))
    with structlog.testing.capture_logs() as lines:
        for _ in range(TURNS_MAX):
            if webhooks.take(taking, now=system_clock()):
                break

    assert stored(database) == {"evt_1": "payment_intent.succeeded"}
    assert messages_of(url) == 1
    assert "zoe" not in str(lines)
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["runbook"] == "docs/runbooks/alarms/stripe-events-set-aside.md"


def test_killed_between_storing_and_the_queue_it_comes_again_and_is_known(
    database: Database, taking: webhooks.EventQueueDependencies, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(url, message(EVENT))
    with monkeypatch.context() as killed, death():
        killed.setattr(StripeEventQueue, "done", dies)
        webhooks.take(taking, now=system_clock())
    assert len(stored(database)) == 1
    send(url, message(EVENT))
    assert webhooks.take(taking, now=system_clock()) == 0


def test_the_queue_is_not_asked_inside_a_transaction(taking: webhooks.EventQueueDependencies) -> None:
    with pytest.raises(ExternalCallInTransaction), taking.database.transaction():
        taking.queue.receive()
    with pytest.raises(ExternalCallInTransaction), taking.database.transaction():
        taking.queue.done(receipt="x")


def test_whatever_fails_taking_goes_on(taking: webhooks.EventQueueDependencies, url: str) -> None:
    """The first turn finds no queue; the loop waits, is told to stop meanwhile, and has not died."""
    stopping = Stopped()
    gone = StripeEventQueue(StripeQueueSettings(events_url=f"{url}-gone"), wait_seconds=0)
    with structlog.testing.capture_logs() as lines:
        poll_forever(replace(taking, queue=gone), clock=system_clock, stopping=stopping)
    assert [line["event"] for line in lines] == ["stripe_events_not_taken"]
    assert stopping.waited == [5.0]


class Stopped(threading.Event):
    """Set by whoever waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout)
        self.set()
        return True
