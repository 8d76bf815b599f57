"""Amazon SQS: the queue of arrivals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import boto3

from amply_releases.aws.calls import LIMITS
from amply_releases.ports import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsArrivals:
    """The queue `Arrivals`. A message that is not done comes again, and is set aside by the queue after five times.

    Whoever is told to end waits for the queue once more: seconds, so that a deployment or `make stop` does not.
    """

    def __init__(self, *, url: str, wait_seconds: int = 5) -> None:
        self._url = url
        self._wait = wait_seconds
        self._client: SQSClient = boto3.client("sqs", config=LIMITS)

    def receive(self) -> Sequence[Message]:
        """Wait for up to ten."""
        answer = self._client.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=self._wait
        )
        return [Message(one["Body"], one["ReceiptHandle"]) for one in answer.get("Messages", [])]

    def done(self, message: Message) -> None:
        """Delete it."""
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)
