"""CloudWatch Transaction Search: an account-wide setting in this region.

Tasks send to X-Ray's OTLP endpoint themselves, over the way out they have (ADR 0044): there is nothing here that runs.
"""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_xray as xray
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.environment import Environment, TraceSettings
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

KEPT_DAYS = 30
"""Long enough for whoever asks where last month's gift went, and what the cost page counts with."""
SPAN_LOGS = ("aws/spans", "/aws/application-signals/data")
"""The log groups X-Ray makes and writes to; their names are AWS's."""


class Traces(AmplyStack):
    """Separate, since deployment fails in accounts where Transaction Search was enabled manually."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, traces: TraceSettings
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: where spans go")
        search = xray.CfnTransactionSearchConfig(self, "Search", indexing_percentage=traces.indexed_percent)
        # X-Ray is asked at once whether it may write.
        search.node.add_dependency(self._let_xray_write())
        self._keep(SPAN_LOGS[0]).node.add_dependency(search)

    def _let_xray_write(self) -> logs.ResourcePolicy:
        statement = iam.PolicyStatement(
            principals=[iam.ServicePrincipal("xray.amazonaws.com")],
            actions=["logs:PutLogEvents"],
            resources=[
                f"arn:aws:logs:{self.region}:{self.account}:log-group:{group}:*" for group in SPAN_LOGS
            ],
            conditions={
                "ArnLike": {"aws:SourceArn": f"arn:aws:xray:{self.region}:{self.account}:*"},
                "StringEquals": {"aws:SourceAccount": self.account},
            },
        )
        return logs.ResourcePolicy(self, "Writing", policy_statements=[statement])

    def _keep(self, group: str) -> cdk.CustomResource:
        """AWS makes the group and would keep it for ever; its name is one that no template may make a group of."""
        return cdk.CustomResource(
            self,
            "SpansKept",
            service_token=self._make_keeper(group).function_arn,
            resource_type="Custom::SpansKept",
            properties={"Group": group, "Days": KEPT_DAYS},
        )

    def _make_keeper(self, group: str) -> functions.Function:
        role = iam.Role(self, "KeeperRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        keeping = self.log_keeping
        own = logs.LogGroup(
            self, "KeeperLog", retention=keeping.retention, removal_policy=keeping.removal_policy
        )
        own.grant_write(role)
        # Of this one group; streams are how CloudWatch Logs writes the group itself.
        arn = f"arn:aws:logs:{self.region}:{self.account}:log-group:{group}:*"
        role.add_to_policy(iam.PolicyStatement(actions=["logs:PutRetentionPolicy"], resources=[arn]))
        waive(role, f"AwsSolutions-IAM5[Resource::{arn}]", ONE_GROUP)
        keeper = functions.Function(
            self,
            # As the library calls what runs for seconds when something is deployed.
            "Custom::SpanKeeper",
            description="Says how long spans are kept, when this stack is deployed",
            code=functions.Code.from_inline((Path(__file__).parent / "span_keeping.py").read_text()),
            handler="index.handler",
            runtime=functions.Runtime.PYTHON_3_14,
            architecture=functions.Architecture.ARM_64,
            timeout=cdk.Duration.minutes(12),
            role=role,
            log_group=own,
        )
        # CloudFormation calls it as soon as it is there.
        keeper.node.add_dependency(role)
        return keeper


ONE_GROUP = Waiver(
    reason="An ARN of a log group ends in :* for every action on the group; it is this one group's.",
    until=NEXT_REVIEW,
)
