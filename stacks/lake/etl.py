"""The release process: each arrival is a message, one task makes releases, and failures raise alarms."""

from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lakeformation as lakeformation
from constructs import Construct

from constructs_lib.queue import DeadLetterQueue, WorkQueue
from constructs_lib.service import Service, Task, TaskSize, task_role
from constructs_lib.table import READS_TABLES, WRITES_TABLES
from constructs_lib.waiver import Waiver, waive
from stacks.api import Api
from stacks.containers import Foundation, make_task
from stacks.contracts import TaskName
from stacks.environment import Environment
from stacks.lake.arrival_alarms import watch_arrivals
from stacks.lake.catalogue import database_name
from stacks.lake.governance import GIVEN, LakeAndGovernance
from stacks.lake.sharing import FACTS, HANDED_IN, SharedData
from stacks.permissions import ONLY_WHAT_IS_NOT_THERE, allow_key, allow_objects, allow_on_objects
from stacks.queues import VISIBILITY
from stacks.stack import AmplyStack
from stacks.waivers import NEXT_REVIEW

RELEASED = "released/"
"""Datasets' own releases."""
SIZE = TaskSize(cpu=512, memory_mib=4096, disk_gib=60)
"""The anonymiser's engine stays within two gibibytes; what it does not hold in memory it writes to the disk.

There stand, of one dataset at a time, the batch as it came (2 GiB at most), all its batches from the ledger, and the release
that is made of them, as large as they are.
"""


class Etl(AmplyStack):
    """One task on one queue, with topics of its own: a disabled flag leaves nothing in other stacks."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        foundation: Foundation,
        shared: SharedData,
        api: Api,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            environment=environment,
            description="Amply: from what comes in to what is released",
            holds_data=True,
        )
        self._shared = shared
        self._role = self._make_role()
        if environment.owns_account:
            self._let_into_the_catalogue()
        removal = environment.durability.removal_policy
        self.set_aside = DeadLetterQueue(self, "SetAside", removal_policy=removal)
        self.arrivals = WorkQueue(
            self, "Arrivals", dead_letters=self.set_aside, visibility=VISIBILITY, removal_policy=removal
        )
        self._announce(shared.lake)
        self.arrivals.grant_consume_messages(self._role)
        task = self._make_task(foundation)
        self.releases = Service(
            self,
            "ReleasesService",
            task=task,
            placement=api.placement,
            security_groups=[foundation.network.jobs],
            count=0 if environment.tasks.idle else 1,
            exactly_one=True,
        )
        watch_arrivals(self, waiting=self.arrivals, set_aside=self.set_aside, log=task.log)

    def _announce(self, lake: LakeAndGovernance) -> None:
        rule = events.Rule(
            self,
            "Arrived",
            description="Something came in",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [lake.raw.bucket_name]},
                    "object": {"key": [{"prefix": FACTS}, {"prefix": HANDED_IN}]},
                },
            ),
        )
        rule.add_target(targets.SqsQueue(self.arrivals, dead_letter_queue=self.set_aside))

    def _make_task(self, foundation: Foundation) -> Task:
        return make_task(
            self,
            TaskName.RELEASES,
            foundation=foundation,
            image=self.settings.image.container_image(self),
            size=SIZE,
            role=self._role,
            told=self._told(),
        )

    def _told(self) -> Mapping[str, str]:
        lake = self._shared.lake
        return {
            "AMPLY_LAKE_ARRIVALS_URL": self.arrivals.queue_url,
            "AMPLY_LAKE_CONTRACTS_TABLE": self._shared.control.contracts.table_name,
            "AMPLY_LAKE_GRANTS_TABLE": self._shared.control.grants.table_name,
            "AMPLY_LAKE_CURATED_BUCKET": lake.curated.bucket_name,
            "AMPLY_LAKE_LEDGER_BUCKET": lake.ledger.bucket_name,
            "AMPLY_LAKE_CATALOGUE": database_name(self.settings.name),
            "AMPLY_LAKE_PSEUDONYM_KEY_ARN": lake.pseudonyms.key_arn,
            "AMPLY_LAKE_CERTIFICATE_KEY_ARN": lake.certificates.key_arn,
            "AMPLY_LAKE_CERTIFICATE_NAME": f"{self.settings.log_origin}/certificates",
            "AMPLY_LAKE_COPIES": "true" if self.settings.replica_region else "false",
        }

    def _make_role(self) -> iam.Role:
        """It reads what comes in, who consents and who buys, and adds to what was released; it replaces nothing, and deletes nothing but
        messages and, in the catalogue, where revisions are that nobody is served any more.
        """
        role = task_role(self, "ReleasesRole", account=self.account)
        lake, control = self._shared.lake, self._shared.control
        for prefix in (FACTS, HANDED_IN):
            allow_objects(role, lake.raw, prefix, ["s3:GetObject"])
        allow_objects(role, lake.ledger, "", ["s3:GetObject"])
        for prefix in (RELEASED, GIVEN):
            # Whether what it wrote was copied to another region, each object says to whoever may read it.
            allow_on_objects(role, lake.curated, f"{prefix}*", ["s3:GetObject"])
        for bucket, pattern in (
            *((lake.curated, f"{prefix}*") for prefix in (RELEASED, GIVEN)),
            (lake.ledger, "*"),
        ):
            allow_on_objects(role, bucket, pattern, ["s3:PutObject"], conditions=ONLY_WHAT_IS_NOT_THERE)
        for actions, resources in (
            (["dynamodb:BatchGetItem"], [control.consents.table_arn]),
            (["dynamodb:Query"], [f"{control.consents.table_arn}/index/by-day"]),
            (["dynamodb:Scan"], [control.contracts.table_arn]),
            (["dynamodb:GetItem"], [control.grants.table_arn]),
            (["dynamodb:Query"], [f"{control.grants.table_arn}/index/by-contract"]),
            (
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
                [control.datasets.table_arn],
            ),
            (["kms:GenerateMac"], [lake.pseudonyms.key_arn, lake.certificates.key_arn]),
            (
                [
                    *("glue:CreatePartition", "glue:CreateTable", "glue:DeletePartition"),
                    *("glue:GetTable", "glue:UpdateTable"),
                ],
                self._catalogued(),
            ),
        ):
            role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=resources))
        waive(role, f"AwsSolutions-IAM5[Resource::{self._tables()}]", MANY_TABLES)
        allow_key(role, lake.key, sorted({*READS_TABLES, *WRITES_TABLES}))
        return role

    def _let_into_the_catalogue(self) -> None:
        """Lake Formation asks besides IAM: who may make tables in the database, and whose files they may be of."""
        lake, permissions = self._shared.lake, lakeformation.CfnPrincipalPermissions
        database = permissions.DatabaseResourceProperty(
            catalog_id=self.account, name=database_name(self.settings.name)
        )
        location = permissions.DataLocationResourceProperty(
            catalog_id=self.account, resource_arn=lake.curated.bucket_arn
        )
        for construct_id, granted, resource in (
            ("Tables", ["CREATE_TABLE", "DESCRIBE"], permissions.ResourceProperty(database=database)),
            ("Files", ["DATA_LOCATION_ACCESS"], permissions.ResourceProperty(data_location=location)),
        ):
            permissions(
                self,
                construct_id,
                permissions=granted,
                permissions_with_grant_option=[],
                principal=permissions.DataLakePrincipalProperty(
                    data_lake_principal_identifier=self._role.role_arn
                ),
                resource=resource,
            )

    def _catalogued(self) -> list[str]:
        """Glue asks for the catalogue and the database besides the table."""
        ours = f"arn:aws:glue:{self.region}:{self.account}"
        return [f"{ours}:catalog", f"{ours}:database/{database_name(self.settings.name)}", self._tables()]

    def _tables(self) -> str:
        name = f"{database_name(self.settings.name)}/released_*"
        return f"arn:aws:glue:{self.region}:{self.account}:table/{name}"


MANY_TABLES = Waiver(
    reason="A dataset's table is made with its first release; their names have this beginning and no other table has it.",
    until=NEXT_REVIEW,
)
