"""Donation terminals: IoT Core with a policy for each certificate, and the path into the raw lake (ADR 0144)."""

from pathlib import Path
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_lib.function import PlainFunction
from constructs_lib.queue import DeadLetterQueue, WorkQueue
from stacks.environment import Environment
from stacks.lake.control_plane import ControlPlane
from stacks.lake.governance import LakeAndGovernance
from stacks.lake.terminal_alarms import watch_terminals
from stacks.lake.terminal_contract import rights, rule_sql, terminals_name
from stacks.lake.terminal_days import gather_days
from stacks.permissions import ONLY_WHAT_IS_NOT_THERE, allow_key, allow_objects, allow_on_objects
from stacks.stack import AmplyStack

SOURCES = Path(__file__).parents[2] / "services" / "terminals" / "src"
KEPT: Final = "terminals/"
NUMBERS: Final = f"{KEPT}numbers/"
SECONDS: Final = 60


class Terminals(AmplyStack):
    """`control`: with an anonymiser, each day's messages become a file of a dataset."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: LakeAndGovernance,
        control: ControlPlane | None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: what donation terminals tell",
            holds_data=True,
        )
        removal = environment.durability.removal_policy
        self.set_aside = DeadLetterQueue(self, "SetAside", removal_policy=removal)
        self.messages = WorkQueue(
            self,
            "Messages",
            dead_letters=self.set_aside,
            visibility=Duration.seconds(6 * SECONDS),
            removal_policy=removal,
        )
        iot.CfnThingGroup(
            self,
            "Group",
            thing_group_name=terminals_name(environment.name),
            thing_group_properties=iot.CfnThingGroup.ThingGroupPropertiesProperty(
                thing_group_description=f"Donation terminals of {environment.name}"
            ),
        )
        self._make_policy()
        self._make_rule()
        self.keep = self._make_function(lake)
        days = gather_days(self, lake=lake, control=control, sources=SOURCES) if control else None
        watch_terminals(self, days=days)

    def _make_policy(self) -> None:
        iot.CfnPolicy(
            self,
            "Policy",
            policy_name=terminals_name(self.settings.name),
            policy_document=rights(self.settings.name, self._arn),
        )

    def _arn(self, kind: str, name: str) -> str:
        return self.format_arn(service="iot", resource=kind, resource_name=name)

    def _make_rule(self) -> None:
        """Into a queue, which keeps for fourteen days what could not be handled; what the rule itself fails at is set aside."""
        role = iam.Role(
            self,
            "Handing",
            assumed_by=iam.ServicePrincipal(
                "iot.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"], resources=[self.messages.queue_arn, self.set_aside.queue_arn]
            )
        )
        rule = iot.CfnTopicRule
        made = iot.CfnTopicRule(
            self,
            "Told",
            topic_rule_payload=rule.TopicRulePayloadProperty(
                description="What terminals publish, with what is known of who published it",
                sql=rule_sql(self.settings.name),
                aws_iot_sql_version="2016-03-23",
                rule_disabled=False,
                actions=[_into(self.messages, role)],
                error_action=_into(self.set_aside, role),
            ),
        )
        made.node.add_dependency(role)

    def _make_function(self, lake: LakeAndGovernance) -> PlainFunction:
        function = PlainFunction(
            self,
            "Keep",
            description="Keeps what terminals tell, each message once",
            sources=SOURCES,
            handler="amply_terminals.handlers.keep_messages",
            environment={"AMPLY_RAW_BUCKET": lake.raw.bucket_name},
            log=self.log_keeping,
            seconds=SECONDS,
        )
        allow_on_objects(
            function.role, lake.raw, f"{KEPT}*", ["s3:PutObject"], conditions=ONLY_WHAT_IS_NOT_THERE
        )
        allow_objects(function.role, lake.raw, NUMBERS, ["s3:GetObject"])
        allow_key(function.role, lake.key, ["kms:Decrypt", "kms:GenerateDataKey"])
        function.allow(
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            [self.messages.queue_arn],
        )
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Taking",
            function_name=function.function.function_arn,
            event_source_arn=self.messages.queue_arn,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=10),
        )
        # Lambda looks at once whether the role may read the queue.
        mapping.node.add_dependency(function.role)
        return function


def _into(queue: WorkQueue | DeadLetterQueue, role: iam.Role) -> iot.CfnTopicRule.ActionProperty:
    return iot.CfnTopicRule.ActionProperty(
        sqs=iot.CfnTopicRule.SqsActionProperty(
            queue_url=queue.queue_url, role_arn=role.role_arn, use_base64=False
        )
    )
