"""The event bus with a replayable archive, and the queue of Stripe's events where they come through AWS."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.queue import DeadLetterQueue, WorkQueue
from constructs_lib.waiver import Waiver, waive
from stacks.environment import Environment
from stacks.queues import VISIBILITY
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

STRIPE = "aws.partner/stripe.com/"
"""How Stripe's event sources begin, and so the buses made of them. Nobody but AWS's partners can publish as `aws.…`."""
FACTS = "amply"
"""What facts of ours say in `source`; nothing else may be put on our bus."""


class Events(AmplyStack):
    """`undelivered`: the dead-letter queue of all targets of this bus.

    `stripe_events` is there in any case, and the worker reads it. Something comes to it where an environment names Stripe's
    event source: then its events are archived too, a witness beside the signed webhook (ADR 0093).
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: event bus", holds_data=True
        )
        self.undelivered = DeadLetterQueue(
            self, "Undelivered", removal_policy=environment.durability.removal_policy
        )
        waive(self.undelivered, "AwsSolutions-SQS3", LAST_STOP)
        self.bus = events.EventBus(
            self, "Bus", description=f"Amply {environment.name}: facts", dead_letter_queue=self.undelivered
        )
        self._archive("Archive", self.bus, source=FACTS)
        self._only_facts_of_ours()
        self.stripe_set_aside, self.stripe_events = self._make_queues()
        if partner := environment.stripe.partner_event_source:
            stripe = events.EventBus(self, "StripeBus", event_source_name=partner)
            self._archive("StripeArchive", stripe, source=partner)
            self._lead_to_the_queue(stripe, source=partner)

    def allow_facts(self, role: iam.IRole) -> None:
        """Let a role put events on our bus only."""
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["events:PutEvents"],
                resources=[self.bus.event_bus_arn],
                conditions={"StringEquals": {"events:source": FACTS}},
            )
        )

    def _make_queues(self) -> tuple[DeadLetterQueue, WorkQueue]:
        """Rules on a bus of Stripe's may send to both, and nobody else: what is there counts as said by Stripe."""
        removal = self.settings.durability.removal_policy
        set_aside = DeadLetterQueue(self, "StripeSetAside", removal_policy=removal)
        taken = WorkQueue(
            self, "StripeEvents", dead_letters=set_aside, visibility=VISIBILITY, removal_policy=removal
        )
        rules = self.format_arn(service="events", resource="rule", resource_name=f"{STRIPE}*")
        for queue in (set_aside, taken):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="RulesOnStripesBus",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={
                        "ArnLike": {"aws:SourceArn": rules},
                        "StringEquals": {"aws:SourceAccount": self.account},
                    },
                )
            )
        return set_aside, taken

    def _lead_to_the_queue(self, bus: events.EventBus, *, source: str) -> None:
        """A rule of its own kind: with the library's, the queues' policies would be others with it than without."""
        events.CfnRule(
            self,
            "StripeTaken",
            description="Stripe's events, to the queue that the worker takes them from",
            event_bus_name=bus.event_bus_name,
            event_pattern={"source": [source]},
            targets=[
                events.CfnRule.TargetProperty(
                    id="queue",
                    arn=self.stripe_events.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.stripe_set_aside.queue_arn
                    ),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=24 * 3600, maximum_retry_attempts=185
                    ),
                )
            ],
        )

    def _archive(self, construct_id: str, bus: events.EventBus, *, source: str) -> None:
        archive = events.Archive(
            self,
            construct_id,
            source_event_bus=bus,
            description=f"What was on the bus in the last {self.settings.event_archive_days} days",
            event_pattern=events.EventPattern(source=[source]),
            retention=Duration.days(self.settings.event_archive_days),
        )
        archive.apply_removal_policy(self.settings.durability.removal_policy)

    def _only_facts_of_ours(self) -> None:
        """Other accounts are not let in at all; in this one a rule may rely on the source it filters by."""
        self.bus.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyFactsOfOurs",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["events:PutEvents"],
                resources=[self.bus.event_bus_arn],
                conditions={"StringNotEquals": {"events:source": FACTS}},
            )
        )


LAST_STOP = Waiver(
    reason="It is itself where the event bus sets aside what it could not deliver; no other queue redrives to it.",
    until=NEXT_REVIEW,
)
