"""What SES tells through EventBridge's queue is heard and taken off it: held against the emulated cloud's SQS."""

import uuid

import boto3
import pytest
import structlog

from amply.adapters.ses import SesFeedback
from amply.infra.database import Database, ExternalCallInTransaction
from amply.infra.settings import MailFeedbackSettings
from amply.modules import mail
from amply.modules.mail import FeedbackDependencies, hear_feedback
from tests.backend.contract.test_queues_and_mail import messages_of
from tests.backend.unit.ses_events import event
from tests.backend.world import NOW

pytestmark = [pytest.mark.allow_hosts(["127.0.0.1"]), pytest.mark.usefixtures("cloud")]


@pytest.fixture
def url(cloud: str) -> str:
    assert cloud
    return boto3.client("sqs").create_queue(QueueName=f"feedback-{uuid.uuid4().hex}")["QueueUrl"]


@pytest.fixture
def hearing(url: str, database: Database) -> FeedbackDependencies:
    return FeedbackDependencies(database=database, queue=SesFeedback(MailFeedbackSettings(feedback_url=url)))


def tell(url: str, *bodies: str) -> None:
    for body in bodies:
        boto3.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def test_bounces_and_complaints_are_heard_and_leave_the_queue(
    url: str, hearing: FeedbackDependencies
) -> None:
    addresses = [f"donor-{number}@example.org" for number in range(12)]
    tell(
        url,
        *(
            event(eventType="Bounce", bounceType="Permanent", address=address, event_id=f"evt-{address}")
            for address in addresses
        ),
        event(eventType="Complaint", address="cross@example.org", event_id="evt-c"),
        event(eventType="DeliveryDelay", address="slow@example.org", event_id="evt-d"),
    )

    assert hear_feedback(hearing, now=NOW) == 14
    assert messages_of(url) == 0
    with hearing.database.transaction() as session:
        assert all(mail.suppressed_because(session, address=address) for address in addresses)
        assert mail.suppressed_because(session, address="cross@example.org") is mail.FeedbackKind.COMPLAINT
        assert mail.suppressed_because(session, address="slow@example.org") is None
    assert hear_feedback(hearing, now=NOW) == 0


def test_what_is_not_understood_stays_for_a_person_and_holds_back_no_other(
    url: str, hearing: FeedbackDependencies
) -> None:
    tell(url, '{"who": "zoe@example.org"}', event(eventType="Complaint"))
    with structlog.testing.capture_logs() as lines:
        assert hear_feedback(hearing, now=NOW) == 1

    assert messages_of(url) == 1
    assert "zoe" not in str(lines)


def test_the_queue_is_not_asked_inside_a_transaction(hearing: FeedbackDependencies) -> None:
    with pytest.raises(ExternalCallInTransaction), hearing.database.transaction():
        hearing.queue.receive()
    with pytest.raises(ExternalCallInTransaction), hearing.database.transaction():
        hearing.queue.done(receipt="x")
