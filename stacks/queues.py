"""The high and low work queues, and their dead-letter queue."""

from aws_cdk import Duration
from constructs import Construct

from constructs_lib.queue import DeadLetterQueue, WorkQueue
from stacks.environment import Environment
from stacks.stack import AmplyStack

VISIBILITY = Duration.minutes(5)
"""Longer than any task may take; the worker counts on the same number (`amply.adapters.sqs`)."""


class Queues(AmplyStack):
    """High: somebody waits (receipts, provider events). Low: nobody does."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: work queues", holds_data=True
        )
        removal = environment.durability.removal_policy
        self.dead_letters = DeadLetterQueue(self, "DeadLetters", removal_policy=removal)
        self.high = WorkQueue(
            self, "High", dead_letters=self.dead_letters, visibility=VISIBILITY, removal_policy=removal
        )
        self.low = WorkQueue(
            self, "Low", dead_letters=self.dead_letters, visibility=VISIBILITY, removal_policy=removal
        )
