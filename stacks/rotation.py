"""The Lambda function that rotates the database master's password, within a permissions boundary.

AWS's hosted rotation would come from a macro as a nested stack, whose role takes no permissions boundary, so that no
deployment of ours may make it: docs/adr/0060-a-rotation-of-our-own.md.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from constructs_lib.waiver import Waiver, waive
from stacks.network import POSTGRESQL, Network
from stacks.rotation_files import ROOTS, lay_out
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

HANDLER = "amply_rotation.handler.handler"
WHERE_IT_RUNS = Path("/var/task")
"""Where Lambda unpacks a function's files."""


class MasterRotation(Construct):
    """Rotates `secret`, the master user's of `instance`, every `days`, and once when created."""

    def __init__(
        self,
        scope: AmplyStack,
        construct_id: str,
        *,
        secret: secretsmanager.ISecret,
        instance: rds.DatabaseInstance,
        key: kms.IKey,
        network: Network,
        days: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._stack = scope
        keeping = scope.log_keeping
        self._log = logs.LogGroup(
            self, "Log", retention=keeping.retention, removal_policy=keeping.removal_policy
        )
        self._role = self._make_role(secret, key)
        with TemporaryDirectory() as folder:
            files = lay_out(Path(folder), region=scope.settings.region)
            self._function = self._make_function(files, network, self._told(secret, instance))
        self._schedule(secret, instance, days)

    @property
    def errors(self) -> cloudwatch.Metric:
        """Failed rotation steps. Secrets Manager retries them without a metric of its own."""
        return self._function.metric_errors(statistic="Sum")

    def _make_role(self, secret: secretsmanager.ISecret, key: kms.IKey) -> iam.Role:
        """One secret and its key, one log, and the function's own place in the network."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        stack = self._stack
        through = {
            "StringEquals": {"kms:ViaService": f"secretsmanager.{stack.settings.region}.amazonaws.com"}
        }
        for actions, resources, conditions in (
            (STEPS, [secret.secret_arn], None),
            (["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn], through),
            (["logs:CreateLogStream", "logs:PutLogEvents"], [self._log.log_group_arn], None),
            (INTERFACES, ["*"], None),
        ):
            role.add_to_policy(
                iam.PolicyStatement(actions=actions, resources=resources, conditions=conditions)
            )
        # Lambda makes the interfaces with this role before any code runs; the code itself has no business with them.
        role.add_to_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=INTERFACES,
                resources=["*"],
                conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
            )
        )
        waive(role, "AwsSolutions-IAM5[Resource::*]", INTERFACES_ARE_NAMED_LATE)
        return role

    def _told(self, secret: secretsmanager.ISecret, instance: rds.DatabaseInstance) -> Mapping[str, str]:
        """The server comes from the stack, not from the secret: who can write a secret cannot redirect a password."""
        return {
            "AMPLY_SECRET_ARN": secret.secret_arn,
            "AMPLY_DATABASE_HOST": instance.db_instance_endpoint_address,
            "AMPLY_DATABASE_PORT": str(POSTGRESQL),
            "AMPLY_DATABASE_NAME": self._stack.settings.database.name,
            "AMPLY_DATABASE_ROOTS": str(WHERE_IT_RUNS / ROOTS),
        }

    def _make_function(self, files: Path, network: Network, told: Mapping[str, str]) -> lambda_.Function:
        if network.rotation is None:
            raise RuntimeError("The network lets no rotation in: the environment leaves the password to RDS.")
        function = lambda_.Function(
            self,
            "Function",
            description="Gives the master user of PostgreSQL a new password",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=HANDLER,
            code=lambda_.Code.from_asset(str(files)),
            role=self._role,
            environment=told,
            # Twice two sign-ins of ten seconds at most, and a password to derive each time.
            timeout=Duration.seconds(60),
            memory_size=512,
            log_group=self._log,
            vpc=network.vpc,
            vpc_subnets=network.balancer_subnets,
            security_groups=[
                ec2.SecurityGroup.from_security_group_id(
                    self, "Group", network.rotation.security_group_id, mutable=False
                )
            ],
        )
        function.node.add_dependency(self._role)
        return function

    def _schedule(self, secret: secretsmanager.ISecret, instance: rds.DatabaseInstance, days: int) -> None:
        calling = lambda_.CfnPermission(
            self,
            "Calling",
            action="lambda:InvokeFunction",
            function_name=self._function.function_arn,
            principal="secretsmanager.amazonaws.com",
            source_account=self._stack.account,
        )
        schedule = secretsmanager.CfnRotationSchedule(
            self,
            "Schedule",
            secret_id=secret.secret_arn,
            rotation_lambda_arn=self._function.function_arn,
            rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                automatically_after_days=days
            ),
        )
        # It calls at once.
        schedule.node.add_dependency(calling, self._role, instance)


STEPS = [
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
]
INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
"""What Lambda needs of a function's role to put it into a network:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions."""
INTERFACES_ARE_NAMED_LATE = Waiver(
    reason="Lambda names the interfaces as it makes them; the function's own code is denied the same actions.",
    until=NEXT_REVIEW,
)
