"""AWS Backup as a second tier beside RDS's and S3's own backups: a separate, locked vault."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.durability import KeptBackups
from constructs_lib.vault import LockedVault
from constructs_lib.waiver import Waiver, waive
from stacks.database import Database
from stacks.environment import Environment
from stacks.keys import Keys
from stacks.replica import Replica
from stacks.stack import AmplyStack
from stacks.storage import Storage
from stacks.waivers import NEXT_REVIEW

KEPT_OTHERWISE: Mapping[str, str] = {
    "storage/AccessLogs": "who asked for what: nothing is made from it, and it lapses after 400 days",
    "storage/Archive": "write-once and copied to the second region; a backup could not be safer than its lock",
    "storage/Public": "made from the database, and the same files stand in the archive",
    "storage/Exports": "made from the database on request; they lapse after 7 days",
    "storage/Media": "written once and versioned; copied to the second region where there is one",
    "storage/KeyTrees": "a backup would keep what an erasure cuts out; copied to the second region where there is one",
    "edge/Site": "built from the sources and deployed with them",
    "replica/AccessLogs": "as in the first region: nothing is made from it",
    "replica/Archive": "a copy of the first region's, by replication",
    "replica/Public": "a copy of the first region's, by replication",
    "replica/Documents": "a copy of the first region's, by replication",
    "replica/Media": "a copy of the first region's, by replication",
    "replica/KeyTrees": "a copy of the first region's, by replication; a backup would keep what is cut out",
    "copies/AccessLogs": "as in the region it copies: nothing is made from it",
    "copies/Archive": "a copy, by replication, once a region was lost",
    "copies/Public": "a copy, by replication, once a region was lost",
    "copies/Documents": "a copy, by replication, once a region was lost",
    "copies/Media": "a copy, by replication, once a region was lost",
    "copies/KeyTrees": "a copy, by replication, once a region was lost",
}
"""What holds data and stands in no backup plan, by stack and construct, and why."""

SERVICE_POLICIES = (
    "service-role/AWSBackupServiceRolePolicyForBackup",
    # Without the folder: so AWS has named it.
    "AWSBackupServiceRolePolicyForS3Backup",
)


class Backup(AmplyStack):
    """Daily, weekly and monthly; copied to the second region where there is one."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        kept: KeptBackups,
        keys: Keys,
        database: Database,
        storage: Storage,
        replica: Replica | None,
    ) -> None:
        super().__init__(
            scope, construct_id, environment=environment, description="Amply: backups", holds_data=True
        )
        self.copies = replica.vault if replica else None
        self.vault = LockedVault(self, "Vault", durability=environment.durability, key=keys.data)
        self.plan = backup.BackupPlan(
            self,
            "Plan",
            backup_vault=self.vault,
            backup_plan_rules=[
                self._rule("Daily", kept.daily, day="*"),
                self._rule("Weekly", kept.weekly, week_day="SUN"),
                self._rule("Monthly", kept.monthly, day="1"),
            ],
        )
        self.plan.add_selection(
            "Data",
            role=self._role(),
            resources=[
                backup.BackupResource.from_arn(database.instance.instance_arn),
                backup.BackupResource.from_arn(storage.documents.bucket_arn),
            ],
        )

    def _rule(
        self, name: str, days: int, *, day: str | None = None, week_day: str | None = None
    ) -> backup.BackupPlanRule:
        """After RDS's own window, which AWS Backup must not meet: it fails within an hour of it."""
        kept = Duration.days(days)
        copy = backup.BackupPlanCopyActionProps
        return backup.BackupPlanRule(
            rule_name=name,
            schedule_expression=events.Schedule.cron(minute="0", hour="5", day=day, week_day=week_day),
            start_window=Duration.hours(1),
            completion_window=Duration.hours(6),
            delete_after=kept,
            copy_actions=(
                [copy(destination_backup_vault=self.copies, delete_after=kept)] if self.copies else None
            ),
        )

    def _role(self) -> iam.Role:
        principal = iam.ServicePrincipal(
            "backup.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=principal,
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(name) for name in SERVICE_POLICIES
            ],
        )
        for name in SERVICE_POLICIES:
            waive(
                role,
                f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{name}]",
                WRITTEN_FOR_BACKUP,
            )
        return role


WRITTEN_FOR_BACKUP = Waiver(
    reason="What a backup needs of each service is AWS's to know; the role serves AWS Backup and nobody else.",
    until=NEXT_REVIEW,
)
