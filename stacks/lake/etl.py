"""What is handed in becomes work: each arrival is a message, and what cannot be released safely is set aside and told of."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib.function import PlainFunction
from constructs_lib.queue import DeadLetterQueue, WorkQueue
from stacks.environment import Environment
from stacks.lake.arrival_alarms import watch_arrivals
from stacks.lake.governance import LakeAndGovernance
from stacks.stack import AmplyStack

SOURCES = Path(__file__).parents[2] / "services" / "etl" / "src"
HANDED_IN = "incoming/"
SECONDS = 600
VISIBILITY = Duration.seconds(6 * SECONDS)
"""Six times as long as the function may take: Lambda's own advice for a queue it reads."""


class Etl(AmplyStack):
    """One function over one queue. Its own topics: a flag that is off leaves nothing in the stacks below."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: LakeAndGovernance,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: from what is handed in to what is released",
            holds_data=True,
        )
        removal = environment.durability.removal_policy
        self.set_aside = DeadLetterQueue(self, "SetAside", removal_policy=removal)
        self.arrivals = WorkQueue(
            self, "Arrivals", dead_letters=self.set_aside, visibility=VISIBILITY, removal_policy=removal
        )
        self._announce(lake)
        self.anonymise = self._make_function()
        self._take_from_the_queue()
        watch_arrivals(self, waiting=self.arrivals, set_aside=self.set_aside, log=self.anonymise.log)

    def _announce(self, lake: LakeAndGovernance) -> None:
        rule = events.Rule(
            self,
            "Arrived",
            description="Something was handed in",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [lake.raw.bucket_name]},
                    "object": {"key": events.Match.prefix(HANDED_IN)},
                },
            ),
        )
        rule.add_target(targets.SqsQueue(self.arrivals, dead_letter_queue=self.set_aside))

    def _make_function(self) -> PlainFunction:
        """It may reach nothing of the lake, until there is something that anonymises."""
        return PlainFunction(
            self,
            "Anonymise",
            description="Takes what is handed in; no anonymiser is connected",
            sources=SOURCES,
            handler="amply_etl.handler.handler",
            environment={},
            log=self.log_keeping,
            seconds=SECONDS,
            memory_mib=256,
        )

    def _take_from_the_queue(self) -> None:
        function = self.anonymise
        function.allow(
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            [self.arrivals.queue_arn],
        )
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Taking",
            function_name=function.function.function_arn,
            event_source_arn=self.arrivals.queue_arn,
            batch_size=1,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=2),
        )
        # Lambda looks at once whether the role may read the queue.
        mapping.node.add_dependency(function.role)
