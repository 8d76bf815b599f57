"""Stripe events delivered through AWS: partner event source, EventBridge rule, SQS queue (`stacks/events.py`).

The message is EventBridge's envelope, whose `detail` is the event as a webhook would carry it, snapshot or thin
(docs.stripe.com/event-destinations/eventbridge). Nobody but a partner can publish with a source that begins with `aws.`.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import boto3
import structlog
from botocore.config import Config
from pydantic import BaseModel, StringConstraints, ValidationError

from amply.adapters.stripe.signatures import event_in
from amply.infra import tracing
from amply.infra.database import forbid_transaction
from amply.infra.settings import StripeQueueSettings
from amply.modules.webhooks import EventMalformed, EventReceived, ProviderEvent

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_WAIT_SECONDS: Final = 20
"""Long polling: the maximum that SQS allows."""

_LIMITS: Final = Config(
    connect_timeout=5, read_timeout=_WAIT_SECONDS + 10, retries={"mode": "standard", "max_attempts": 3}
)

_log = structlog.get_logger()


class _Envelope(BaseModel):
    source: Annotated[str, StringConstraints(pattern=r"^aws\.partner/stripe\.com/ed_\w+$")]
    detail: dict[str, Any]


class StripeEventQueue:
    """Implements `webhooks.EventQueue` over SQS."""

    def __init__(self, settings: StripeQueueSettings, *, wait_seconds: int = _WAIT_SECONDS) -> None:
        self._url = settings.events_url
        self._wait_seconds = wait_seconds
        self._client: SQSClient = boto3.client("sqs", config=_LIMITS)

    def receive(self) -> Sequence[EventReceived]:
        """Receive at most ten messages. An unreadable one is left, and goes to the dead-letter queue after five
        receives.
        """
        forbid_transaction("SQS: receive events")
        with tracing.call("SQS: receive events"):
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=self._wait_seconds
            )
        read = []
        for message in answer.get("Messages", []):
            try:
                event = event_of(message["Body"])
            except EventMalformed:
                _log.error(
                    "stripe_event_not_understood",
                    message_id=message.get("MessageId"),
                    runbook="docs/runbooks/alarms/stripe-events-set-aside.md",
                )
                continue
            read.append(EventReceived(receipt=message["ReceiptHandle"], event=event))
        return read

    def done(self, *, receipt: str) -> None:
        """Delete the message."""
        forbid_transaction("SQS: event done")
        with tracing.call("SQS: event done"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


def event_of(body: str) -> ProviderEvent:
    """Parse the event of one message.

    Raises:
        EventMalformed: It is none of Stripe's.
    """
    try:
        envelope = _Envelope.model_validate_json(body)
    except ValidationError:
        raise EventMalformed("The message is no event of Stripe's event source.") from None
    return event_in(json.dumps(envelope.detail))
