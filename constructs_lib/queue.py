"""An SQS work queue with a dead-letter queue and an alarm on it."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct

LONGEST_RETENTION = Duration.days(14)
"""The most SQS allows: a message should outlive a long holiday."""
DELIVERIES_BEFORE_SET_ASIDE = 5


class DeadLetterQueue(sqs.Queue):
    """Holds messages for a person after `DELIVERIES_BEFORE_SET_ASIDE` failed deliveries."""

    def __init__(self, scope: Construct, construct_id: str, *, removal_policy: RemovalPolicy) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=LONGEST_RETENTION,
            removal_policy=removal_policy,
        )


class WorkQueue(sqs.Queue):
    """`visibility`: how long an unacknowledged message stays hidden; must exceed the longest task."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dead_letters: DeadLetterQueue,
        visibility: Duration,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=LONGEST_RETENTION,
            receive_message_wait_time=Duration.seconds(20),
            visibility_timeout=visibility,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=dead_letters, max_receive_count=DELIVERIES_BEFORE_SET_ASIDE
            ),
            removal_policy=removal_policy,
        )
