"""A Lambda function: ARM64, with its own role and log group, from plain files. Permissions are granted by the composing stack."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration, IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.service import LogKeeping

_MADE_BY_TOOLS = ("**/__pycache__", "**/py.typed", "**/*.egg-info")


class PlainFunction(Construct):
    """`sources` is a folder of packages without a build step; the runtime provides boto3."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str,
        sources: Path,
        handler: str,
        environment: Mapping[str, str],
        log: LogKeeping,
        seconds: int,
        memory_mib: int = 256,
    ) -> None:
        super().__init__(scope, construct_id)
        self.log = logs.LogGroup(self, "Log", retention=log.retention, removal_policy=log.removal_policy)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        # Into a group that is there, and nowhere else.
        self.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log.log_group_arn])
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=handler,
            code=lambda_.Code.from_asset(
                str(sources), exclude=list(_MADE_BY_TOOLS), ignore_mode=IgnoreMode.GLOB
            ),
            role=self.role,
            environment=environment,
            timeout=Duration.seconds(seconds),
            memory_size=memory_mib,
            log_group=self.log,
        )
        self.function.node.add_dependency(self.role)

    def allow(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=list(resources)))
