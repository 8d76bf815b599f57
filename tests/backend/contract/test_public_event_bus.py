"""Our own events on a bus of the emulated cloud, as a rule of somebody who listens gets them."""

import json
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError

from amply.adapters.eventbridge.public_events import SOURCE, EventBridgeBus
from amply.infra.database import Database, ExternalCallInTransaction
from amply.infra.settings import EventBusSettings
from amply.modules.public_events import PublicEvent
from stacks.events import FACTS
from tests.backend.world import NOW

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def bus(cloud: str) -> str:
    assert cloud
    name = f"facts-{uuid.uuid4().hex}"
    boto3.client("events").create_event_bus(Name=name)
    return name


@pytest.fixture
def listening(bus: str) -> str:
    """The address of a queue that a rule leads our facts to."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    url = sqs.create_queue(QueueName=bus)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="ours", EventBusName=bus, EventPattern=json.dumps({"source": [SOURCE]}))
    events.put_targets(Rule="ours", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def event(number: int) -> PublicEvent:
    return PublicEvent(
        id=f"event_{number}",
        type="donation.succeeded",
        organization_id="org_1",
        data={"donation_id": f"don_{number}"},
        occurred_at=NOW,
    )


def heard(url: str) -> list[Mapping[str, Any]]:
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_whoever_listens_hears_each_event_as_webhooks_tell_it(bus: str, listening: str) -> None:
    events = [event(number) for number in range(10)]
    taken = EventBridgeBus(EventBusSettings(event_bus=bus)).put(events)
    assert sorted(taken) == sorted(each.id for each in events)
    found = {each["detail"]["id"]: each for each in heard(listening)}
    assert {name: each["detail"] for name, each in found.items()} == {
        each.id: json.loads(each.body()) for each in events
    }
    assert {(each["source"], each["detail-type"]) for each in found.values()} == {
        (FACTS, "donation.succeeded")
    }


def test_the_bus_is_not_asked_inside_a_transaction(bus: str, database: Database) -> None:
    with pytest.raises(ExternalCallInTransaction), database.transaction():
        EventBridgeBus(EventBusSettings(event_bus=bus)).put([event(1)])


class Failing(BaseHTTPRequestHandler):
    """An EventBridge that is not well."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        return


def test_a_bus_that_fails_is_asked_once_since_gifts_wait_for_it(
    cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cloud
    server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", f"http://127.0.0.1:{server.server_address[1]}")
    with server:
        thread.start()
        with pytest.raises(ClientError):
            EventBridgeBus(EventBusSettings(event_bus="facts")).put([event(1)])
        server.shutdown()
        thread.join()
    assert len(Failing.asked) == 1
