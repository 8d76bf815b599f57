"""Where spans are kept: CloudWatch's Transaction Search, a setting of the whole account in this region.

Tasks send to X-Ray's OTLP endpoint themselves, over the way out they have (ADR 0044): there is nothing here that runs.
"""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_xray as xray
from constructs import Construct

from stacks.environment import Environment, TraceSettings
from stacks.stack import AmplyStack

SPAN_LOGS = ("aws/spans", "/aws/application-signals/data")
"""The log groups X-Ray makes and writes to; their names are AWS's."""


class Traces(AmplyStack):
    """A stack of its own: where somebody has turned Transaction Search on by hand, this alone fails to deploy."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, traces: TraceSettings
    ) -> None:
        super().__init__(scope, construct_id, environment=environment, description="Amply: where spans go")
        search = xray.CfnTransactionSearchConfig(self, "Search", indexing_percentage=traces.indexed_percent)
        # X-Ray is asked at once whether it may write.
        search.node.add_dependency(self._let_xray_write())

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
