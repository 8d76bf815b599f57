"""The event bus: facts for whoever else wants them, kept for a while so that they can be played again."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.queue import DeadLetterQueue
from constructs_lib.waiver import Waiver, waive
from stacks.environment import Environment
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

FACTS = "amply"
"""What facts of ours say in `source`; nothing else may be put on our bus."""


class Events(AmplyStack):
    """`undelivered` takes what a rule's target refused for a day: every target of this bus is given it.

    Where Stripe is asked to send its events through AWS as well, they are archived beside the signed webhook: a
    second witness to compare with, and never a second way in, since only verified webhooks are booked.
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
        if partner := environment.stripe.partner_event_source:
            stripe = events.EventBus(self, "StripeBus", event_source_name=partner)
            self._archive("StripeArchive", stripe, source=partner)

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
