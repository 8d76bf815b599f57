"""Alarms on a queue's own metrics: messages in the dead-letter queue, and the age of the oldest message."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from constructs_lib.alarms import Pager, Severity


def ring_when_set_aside(pager: Pager, name: str, queue: sqs.IQueue, *, meaning: str) -> None:
    """Alarm on one message in the dead-letter queue. Not urgent, since messages are kept for days."""
    pager.above(
        name,
        queue.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        0,
        minutes=1,
        meaning=meaning,
        severity=Severity.NOTICE,
    )


def ring_when_waiting(
    pager: Pager,
    name: str,
    queue: sqs.IQueue,
    seconds: float,
    *,
    meaning: str,
    minutes: int = 5,
    period: int = 1,
    severity: Severity = Severity.NOTICE,
) -> cloudwatch.Alarm:
    """Alarm if the oldest message is older than `seconds` for all of `minutes`."""
    return pager.above(
        name,
        queue.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        seconds,
        minutes=minutes,
        period=period,
        meaning=meaning,
        severity=severity,
    )
