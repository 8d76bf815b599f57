"""Work sent is work done, and a letter handed over is accepted: held against the emulated cloud."""

import json
import queue
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import boto3
import pytest
from celery import Celery
from celery.worker import WorkController
from mypy_boto3_sqs.literals import QueueAttributeNameType

from amply.adapters import sqs
from amply.adapters.ses import MESSAGE_BYTES_MAX, SesMailer
from amply.infra.database import Database, ExternalCallInTransaction
from amply.infra.outbox import Fact
from amply.infra.settings import MailSettings, QueueSettings
from amply.modules.mail import Attachment, Mail, MailTooLarge

pytestmark = [
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.usefixtures("cloud"),
    # Said by pycurl to kombu; nothing of ours calls it.
    pytest.mark.filterwarnings(
        "ignore:.* is deprecated; use (SEEKFUNCTION|socket_action):DeprecationWarning"
    ),
]
WAIT_SECONDS_MAX = 30
THREADS = 2
MAIL = Mail(
    to="ada@example.org",
    subject="Your gift",
    text="Thank you.",
    html="<p>Thank you.</p>",
    attachments=(
        Attachment(filename="a.tlog-proof", media_type="application/octet-stream", content=b"proof\n"),
    ),
)


@dataclass
class Work:
    """A running worker, and what its two tasks did."""

    queues: QueueSettings
    sender: sqs.TaskSender
    done: "queue.Queue[str]" = field(default_factory=queue.Queue)
    held: "queue.Queue[int]" = field(default_factory=queue.Queue)
    let_go: threading.Event = field(default_factory=threading.Event)
    failed: threading.Event = field(default_factory=threading.Event)

    def register(self, app: Celery) -> None:
        def handle(*, event_id: str) -> None:
            self.done.put(event_id)

        def fail() -> None:
            self.failed.set()
            raise ConnectionError

        def hold(*, number: int) -> None:
            self.held.put(number)
            self.let_go.wait(WAIT_SECONDS_MAX)

        app.task(name="handle")(handle)
        app.task(name="hold")(hold)
        app.task(name="fail")(fail)


def queue_url(name: str, *, redrive: dict[str, str] | None = None) -> str:
    """Make a queue as `stacks/queues.py` does: without a redrive policy, a failed task's message is discarded."""
    attributes: dict[QueueAttributeNameType, str] = {"RedrivePolicy": json.dumps(redrive)} if redrive else {}
    made = boto3.client("sqs").create_queue(QueueName=f"{name}-{uuid.uuid4().hex}", Attributes=attributes)
    return made["QueueUrl"]


def queue_arn(url: str) -> str:
    return boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]


@pytest.fixture(scope="module")
def work(cloud: str) -> Iterator[Work]:
    """One worker for the whole module: Celery's event loop belongs to the process."""
    assert cloud
    dead = queue_url("dead")
    redrive = {"deadLetterTargetArn": queue_arn(dead), "maxReceiveCount": "5"}
    queues = QueueSettings(
        high_url=queue_url("high", redrive=redrive), low_url=queue_url("low", redrive=redrive)
    )
    app = sqs.application(queues, low_concurrency=THREADS - 1)
    made = Work(queues, sqs.TaskSender(app, tasks_of={"event.received": ("handle", sqs.HIGH)}))
    made.register(app)
    ready = threading.Event()
    worker = WorkController(
        app=app,
        pool_cls="threads",
        concurrency=THREADS,
        queues=["high", "low"],
        ready_callback=lambda _: ready.set(),
    )
    thread = threading.Thread(target=worker.start)
    thread.start()
    assert ready.wait(WAIT_SECONDS_MAX)
    yield made
    worker.stop()
    thread.join(WAIT_SECONDS_MAX)


def test_a_fact_becomes_a_task_with_the_facts_payload(work: Work) -> None:
    work.sender.publish(Fact(id=1, topic="event.received", payload={"event_id": "evt_1"}))

    assert work.done.get(timeout=WAIT_SECONDS_MAX) == "evt_1"


def test_a_task_that_fails_leaves_its_message_on_the_queue(work: Work) -> None:
    work.sender.send("fail", queue=sqs.LOW, arguments={})
    assert work.failed.wait(WAIT_SECONDS_MAX)
    work.sender.publish(Fact(id=2, topic="event.received", payload={"event_id": "evt_2"}))
    assert work.done.get(timeout=WAIT_SECONDS_MAX) == "evt_2", "the worker goes on"

    assert messages_of(work.queues.low_url) == 1


def test_low_tasks_that_take_long_hold_up_no_high_one(work: Work) -> None:
    for number in range(3 * THREADS):
        work.sender.send("hold", queue=sqs.LOW, arguments={"number": number})
    work.held.get(timeout=WAIT_SECONDS_MAX)

    work.sender.publish(Fact(id=3, topic="event.received", payload={"event_id": "evt_3"}))
    assert work.done.get(timeout=WAIT_SECONDS_MAX) == "evt_3", "while low tasks are at work, and others wait"
    assert work.held.empty(), "and none of these was begun meanwhile"

    work.let_go.set()
    for _ in range(3 * THREADS - 1):
        work.held.get(timeout=WAIT_SECONDS_MAX)


def test_nothing_is_sent_from_inside_a_transaction(work: Work, database: Database) -> None:
    with pytest.raises(ExternalCallInTransaction), database.transaction():
        work.sender.send("task", queue=sqs.LOW, arguments={})


def messages_of(url: str) -> int:
    """Messages a queue holds, those being worked on included."""
    found = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    waiting, in_hand = found["ApproximateNumberOfMessages"], found["ApproximateNumberOfMessagesNotVisible"]
    return int(waiting) + int(in_hand)


@pytest.fixture
def mailer() -> SesMailer:
    ses = boto3.client("sesv2")
    identity, configuration = f"{uuid.uuid4().hex}.example", uuid.uuid4().hex
    ses.create_email_identity(EmailIdentity=identity)
    ses.create_configuration_set(ConfigurationSetName=configuration)
    return SesMailer(MailSettings(sender=f"gifts@{identity}", configuration_set=configuration))


def test_a_letter_is_accepted_and_gets_an_id(mailer: SesMailer) -> None:
    assert mailer.send(mail=MAIL)


def test_a_letter_to_a_domain_beyond_ascii_is_handed_over_by_its_name_in_dns(
    mailer: SesMailer, cloud: str
) -> None:
    message_id = mailer.send(mail=replace(MAIL, to="ada@müller.example"))

    with urllib.request.urlopen(f"{cloud}/_ministack/ses/messages") as answer:  # noqa: S310 -- our own loopback address
        by_account = json.load(answer)["messages"]
    (sent,) = (each for kept in by_account.values() for each in kept if each["MessageId"] == message_id)
    assert sent["To"] == ["ada@xn--mller-kva.example"]


def test_no_letter_leaves_from_inside_a_transaction(mailer: SesMailer, database: Database) -> None:
    with pytest.raises(ExternalCallInTransaction), database.transaction():
        mailer.send(mail=MAIL)


def test_a_letter_that_no_mailbox_takes_is_not_handed_over(mailer: SesMailer) -> None:
    huge = Attachment(filename="x.pdf", media_type="application/pdf", content=bytes(MESSAGE_BYTES_MAX))

    with pytest.raises(MailTooLarge):
        mailer.send(mail=replace(MAIL, attachments=(huge,)))
