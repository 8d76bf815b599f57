"""CloudWatch Synthetics canary outside our network: calls the API, opens the donation page, verifies the public log."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import aws_cdk as cdk
from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_synthetics as synthetics
from constructs import Construct

from constructs_lib.alarms import Pager, Severity
from constructs_lib.waiver import Waiver, waive
from stacks.containers import Foundation
from stacks.permissions import allow_objects
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

SERVICES = Path(__file__).parent.parent / "services"
PACKAGES = ("canary/src/amply_canary", "ledger_format/src/ledger_format")
"""Plain files: what the canary imports, and nothing that would have to be built."""
ARTIFACTS = "outside-view"


class OutsideView(Construct):
    """One run every `minutes`. It may write to its own log group only."""

    def __init__(self, scope: AmplyStack, construct_id: str, *, foundation: Foundation, minutes: int) -> None:
        super().__init__(scope, construct_id)
        self._stack, self._minutes = scope, minutes
        self._role = self._make_role(foundation)
        with TemporaryDirectory() as folder:
            self._canary = self._make_canary(foundation, lay_out(Path(folder)))
        # Its first run comes at once.
        self._canary.node.add_dependency(self._role)
        self._let_log()

    @property
    def success(self) -> cloudwatch.Metric:
        """Success rate of runs, in per cent."""
        return self._canary.metric_success_percent(period=Duration.minutes(self._minutes))

    def watch(self, pager: Pager) -> cloudwatch.Alarm:
        return pager.below(
            "outside-view",
            self.success,
            100,
            minutes=2 * self._minutes,
            period=self._minutes,
            meaning="Seen from outside, twice in a row, the API or the donation page fails, or the public log does not "
            "verify or is late.",
            severity=Severity.PAGE,
        )

    def _make_role(self, foundation: Foundation) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        artifacts, keys = foundation.storage.access_logs, foundation.keys
        signing = [key.key_arn for key in (keys.signing, keys.overlapping) if key]
        allow_objects(role, artifacts, f"{ARTIFACTS}/", ["s3:PutObject"])
        for actions, resources in (
            (["s3:GetBucketLocation"], [artifacts.bucket_arn]),
            (["kms:GetPublicKey"], signing),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}},
            )
        )
        waive(role, "AwsSolutions-IAM5[Resource::*]", ONE_NAMESPACE)
        return role

    def _make_canary(self, foundation: Foundation, script: Path) -> synthetics.Canary:
        return synthetics.Canary(
            self,
            "Canary",
            runtime=synthetics.Runtime.SYNTHETICS_PYTHON_SELENIUM_7_0,
            test=synthetics.Test.custom(
                code=synthetics.Code.from_asset(str(script)), handler="amply_canary/handler.handler"
            ),
            role=self._role,
            schedule=synthetics.Schedule.rate(Duration.minutes(self._minutes)),
            timeout=Duration.minutes(1),
            environment_variables={
                "AMPLY_API_URL": foundation.edge.api_url,
                "AMPLY_EDGE_URL": foundation.edge.edge_url,
                "AMPLY_LOG_URL": foundation.edge.log_url,
                "AMPLY_LOG_ORIGIN": self._stack.settings.log_origin,
                "AMPLY_WITNESS_POLICY": self._stack.settings.witnesses.policy(),
                "AMPLY_SIGNING_KEY_ARN": foundation.keys.signing.key_arn,
                "AMPLY_OVERLAPPING_KEY_ARN": foundation.keys.overlapping.key_arn
                if foundation.keys.overlapping
                else "",
            },
            artifacts_bucket_location=synthetics.ArtifactsBucketLocation(
                bucket=foundation.storage.access_logs, prefix=ARTIFACTS
            ),
            success_retention_period=Duration.days(7),
            failure_retention_period=Duration.days(31),
            provisioned_resource_cleanup=True,
        )

    def _let_log(self) -> None:
        """The canary's function is named like its layer. It may not make its log group, so ours does not come late."""
        resource = self._canary.node.default_child
        if not isinstance(resource, synthetics.CfnCanary):
            raise TypeError("A canary is made of one resource.")
        name = cdk.Fn.select(6, cdk.Fn.split(":", resource.attr_code_source_location_arn))
        keeping = self._stack.log_keeping
        group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{name}",
            retention=keeping.retention,
            removal_policy=keeping.removal_policy,
        )
        # A policy of its own: the canary waits for the role's first one, and this one for the canary.
        writing = iam.Policy(self, "Logging", roles=[self._role])
        writing.add_statements(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]
            )
        )


def lay_out(folder: Path) -> Path:
    """Copy the script the way the Python runtime of CloudWatch Synthetics wants it; returns `folder`."""
    for package in PACKAGES:
        source = SERVICES / package
        shutil.copytree(
            source, folder / "python" / source.name, ignore=shutil.ignore_patterns("__pycache__", "py.typed")
        )
    return folder


ONE_NAMESPACE = Waiver(
    reason="Metrics have no ARN; the condition on the namespace is as narrow as CloudWatch can say it.",
    until=NEXT_REVIEW,
)
