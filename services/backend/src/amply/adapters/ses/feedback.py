"""SES delivery feedback (bounces, complaints), as EventBridge puts it into the queue of `stacks/mail.py`.

The messages are Amazon SES events (docs.aws.amazon.com/ses, "Monitoring using EventBridge" and "Contents of event data").
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import boto3
import structlog
from botocore.config import Config
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.settings import MailFeedbackSettings
from amply.modules.mail import Feedback, FeedbackKind, FeedbackReceived, address_digest

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]

_log = structlog.get_logger()


class _Mail(BaseModel):
    messageId: _Text  # noqa: N815 -- as SES spells it
    destination: list[_Text] = Field(max_length=50)


class _Recipient(BaseModel):
    emailAddress: _Text  # noqa: N815 -- as SES spells it


class _BounceFacts(BaseModel):
    bounceType: str  # noqa: N815 -- as SES spells it
    bouncedRecipients: list[_Recipient]  # noqa: N815 -- as SES spells it


class _Bounce(BaseModel):
    eventType: Literal["Bounce"]  # noqa: N815 -- as SES spells it
    mail: _Mail
    bounce: _BounceFacts

    def kind(self) -> FeedbackKind:
        """`Undetermined` and `Transient` may succeed another time."""
        return FeedbackKind.HARD_BOUNCE if self.bounce.bounceType == "Permanent" else FeedbackKind.SOFT_BOUNCE

    def addresses(self) -> list[str]:
        return [recipient.emailAddress for recipient in self.bounce.bouncedRecipients]


class _ComplaintFacts(BaseModel):
    complainedRecipients: list[_Recipient]  # noqa: N815 -- as SES spells it
    complaintFeedbackType: str | None = None  # noqa: N815 -- as SES spells it


class _Complaint(BaseModel):
    eventType: Literal["Complaint"]  # noqa: N815 -- as SES spells it
    mail: _Mail
    complaint: _ComplaintFacts

    def kind(self) -> FeedbackKind | None:
        """`not-spam` is somebody who took a letter out of the folder for spam (RFC 5965's registry of types)."""
        return None if self.complaint.complaintFeedbackType == "not-spam" else FeedbackKind.COMPLAINT

    def addresses(self) -> list[str]:
        return [recipient.emailAddress for recipient in self.complaint.complainedRecipients]


class _Other(BaseModel):
    eventType: Literal["DeliveryDelay", "Reject"]  # noqa: N815 -- as SES spells it
    mail: _Mail

    def kind(self) -> FeedbackKind:
        return FeedbackKind.DELAY if self.eventType == "DeliveryDelay" else FeedbackKind.REJECTED

    def addresses(self) -> list[str]:
        return self.mail.destination


class _Event(BaseModel):
    """EventBridge's envelope."""

    id: _Text
    time: AwareDatetime
    source: Literal["aws.ses"]
    detail: Annotated[_Bounce | _Complaint | _Other, Field(discriminator="eventType")]


_EVENT: Final[TypeAdapter[_Event]] = TypeAdapter(_Event)


class FeedbackMalformed(Exception):
    """A message is not a known SES event. The error holds nothing of the message, which names people."""


class SesFeedback:
    """The queue of SES's events."""

    def __init__(self, settings: MailFeedbackSettings) -> None:
        self._url = settings.feedback_url
        self._client: SQSClient = boto3.client("sqs", config=_LIMITS)

    def receive(self) -> Sequence[FeedbackReceived]:
        """Receive at most ten messages. An unreadable one is left, and goes to the dead-letter queue after five
        receives.
        """
        forbid_transaction("SQS: receive feedback")
        with tracing.call("SQS: receive feedback"):
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            )
        read = []
        for message in answer.get("Messages", []):
            try:
                said = feedback_of(message["Body"])
            except FeedbackMalformed:
                _log.error("mail_feedback_not_understood", runbook="docs/runbooks/mail-feedback.md")
                continue
            read.append(FeedbackReceived(receipt=message["ReceiptHandle"], said=said))
        return read

    def done(self, *, receipt: str) -> None:
        """Delete the message."""
        forbid_transaction("SQS: feedback done")
        with tracing.call("SQS: feedback done"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


def feedback_of(body: str) -> list[Feedback]:
    """Parse one message: one item for each address.

    Raises:
        FeedbackMalformed: It is no SES event, or of a type the stack does not ask for.
    """
    try:
        event = _EVENT.validate_python(json.loads(body))
    except (ValueError, ValidationError):
        raise FeedbackMalformed from None
    kind = event.detail.kind()
    if kind is None:
        return []
    occurred_at: datetime = event.time
    digests = {address_digest(_bare(address)) for address in event.detail.addresses()}
    return [
        Feedback(
            event_id=event.id,
            kind=kind,
            message_id=event.detail.mail.messageId,
            address_sha256=digest,
            occurred_at=occurred_at,
        )
        for digest in sorted(digests)
    ]


def _bare(address: str) -> str:
    """SES may repeat an address as it stood in a header: `Ada <ada@example.org>`."""
    _, opened, rest = address.rpartition("<")
    return rest.rstrip("> ") if opened else address
