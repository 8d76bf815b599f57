"""The restore rehearsal: a task restores a backup to a temporary database, checks it, and deletes it.

In here because nothing from outside reaches the subnets. A job starts staging's once a month, a person production's:
docs/adr/0062-a-restore-is-rehearsed-by-a-task.md.
"""

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.service import task_role
from constructs_lib.waiver import Waiver, waive
from stacks.containers import Foundation, make_task
from stacks.contracts import Parameter, TaskName
from stacks.environment import Environment
from stacks.one_off import let_delivery_run
from stacks.permissions import allow_objects
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW


class Rehearsal(AmplyStack):
    """The role may create and delete `ENV-rehearsal-…` and no other database, and read its secret only."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, foundation: Foundation
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: rehearsal of a restore"
        )
        self._role = task_role(self, "RehearseRole", account=self.account)
        self._allow_databases()
        self._allow_the_new_masters_secret()
        self._allow_the_disks_key(foundation.keys.data.key_arn)
        self._allow_what_it_is_held_against(foundation)
        task = make_task(
            self,
            TaskName.REHEARSE,
            foundation=foundation,
            image=environment.image.container_image(self),
            size=environment.tasks.single,
            role=self._role,
        )
        # A job could run the task with a command of its own and read what was restored: people rehearse real money.
        if environment.delivered_by and not environment.livemode:
            let_delivery_run(
                self,
                task,
                delivery=environment.delivered_by,
                purpose="rehearse",
                job=f"{environment.name}-rehearse",
                longest=Duration.hours(3),
            )

    def _rds(self, kind: str, name: str) -> str:
        return f"arn:aws:rds:{self.region}:{self.account}:{kind}:{name}"

    def _allow_databases(self) -> None:
        name = self.settings.name
        original, throw_away = self._rds("db", f"{name}-database"), self._rds("db", f"{name}-rehearsal-*")
        # What RDS names after our stack, and the option group every PostgreSQL has that asked for none.
        alike = [
            self._rds("pg", f"{name}-database-*"),
            self._rds("subgrp", f"{name}-database-*"),
            self._rds("og", "default:postgres-*"),
        ]
        kept = self._rds("auto-backup", "*")
        self._allow(["rds:DescribeDBInstances"], [original, throw_away])
        self._allow(["rds:RestoreDBInstanceToPointInTime"], [original, throw_away, *alike])
        self._allow(["rds:AddTagsToResource", "rds:ModifyDBInstance", "rds:DeleteDBInstance"], [throw_away])
        self._allow(["rds:DeleteDBInstanceAutomatedBackup"], [kept], tagged=True)

    def _allow_the_new_masters_secret(self) -> None:
        """RDS makes it for whoever asks it to manage a password, and first looks at the key that encrypts secrets.

        That is AWS's own key, whose ARN no template knows. The tag is RDS's own, and says whose password it is.
        https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html#rds-secrets-manager-permissions
        """
        keys = f"arn:aws:kms:{self.region}:{self.account}:key/*"
        self._role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:DescribeKey"], resources=[keys], conditions=self._only_through_rds()
            )
        )
        waive(self._role, f"AwsSolutions-IAM5[Resource::{keys}]", SECRETS_MANAGERS_KEY)
        managed = f"arn:aws:secretsmanager:{self.region}:{self.account}:secret:rds!db-*"
        self._allow(["secretsmanager:CreateSecret", "secretsmanager:TagResource"], [managed])
        self._role.add_to_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"],
                resources=[managed],
                conditions={
                    "StringLike": {
                        "aws:ResourceTag/aws:rds:primaryDBInstanceArn": self._rds(
                            "db", f"{self.settings.name}-rehearsal-*"
                        )
                    }
                },
            )
        )

    def _allow_the_disks_key(self, key: str) -> None:
        through = self._only_through_rds()
        for actions, conditions in (
            (["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], through),
            (["kms:CreateGrant"], {**through, "Bool": {"kms:GrantIsForAWSResource": "true"}}),
        ):
            self._role.add_to_policy(
                iam.PolicyStatement(actions=actions, resources=[key], conditions=conditions)
            )

    def _only_through_rds(self) -> dict[str, dict[str, str]]:
        return {"StringEquals": {"kms:ViaService": f"rds.{self.region}.amazonaws.com"}}

    def _allow_what_it_is_held_against(self, foundation: Foundation) -> None:
        allow_objects(self._role, foundation.storage.archive, "checkpoints/", ["s3:GetObject"])
        archive = Parameter.ARCHIVE_BUCKET.path(self.settings.name).removeprefix("/")
        parameter = self.format_arn(service="ssm", resource="parameter", resource_name=archive)
        self._role.add_to_policy(iam.PolicyStatement(actions=["ssm:GetParameter"], resources=[parameter]))

    def _allow(self, actions: list[str], resources: list[str], *, tagged: bool = False) -> None:
        conditions = {"StringEquals": {"aws:ResourceTag/amply:rehearsal": f"{self.settings.name}-database"}}
        self._role.add_to_policy(
            iam.PolicyStatement(
                actions=actions, resources=resources, conditions=conditions if tagged else None
            )
        )
        for resource in resources:
            if "*" in resource:
                waive(self._role, f"AwsSolutions-IAM5[Resource::{resource}]", NAMED_BY_THE_MINUTE)


SECRETS_MANAGERS_KEY = Waiver(
    reason="RDS describes the key aws/secretsmanager as whoever asks for a managed password; AWS makes it and chooses its id.",
    until=NEXT_REVIEW,
)
NAMED_BY_THE_MINUTE = Waiver(
    reason="A throw-away database is named when it is made, and RDS names what belongs to one; the prefixes are ours.",
    until=NEXT_REVIEW,
)
