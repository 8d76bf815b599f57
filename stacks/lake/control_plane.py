"""DynamoDB tables of the data platform: consents, datasets, contracts, usage, revenue shares and grants.

Keys and who asks by them: docs/adr/0136-the-marketplace.md. No table has a time to live.
"""

from collections.abc import Mapping

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from constructs_lib.table import Elsewhere, Index, KeptTable, ReplicatedTable, TableSchema
from stacks.contracts import RecoveryParameter
from stacks.environment import Environment
from stacks.lake.copies import LakeReplica
from stacks.lake.copy_alarms import make_copies_pager, watch_table
from stacks.lake.governance import LakeAndGovernance
from stacks.stack import AmplyStack


class ControlPlane:
    """Amounts are integers of minor units, with their currency.

    `replica` has replicas of the tables. After the loss of a region those are the tables: the lake's stack knows their names, and
    there is no stack that makes them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: LakeAndGovernance,
        replica: LakeReplica | None,
    ) -> None:
        self._environment, self._lake, self._replica = environment, lake, replica
        self._stack = lake if environment.lost_region else self._own_stack(scope, construct_id)
        self._recovery_tables: dict[RecoveryParameter, dynamodb.ITable] = {}
        self._pager = make_copies_pager(self._stack) if replica else None
        self.consents = self._table(
            "Consents",
            RecoveryParameter.LAKE_CONSENTS,
            partition="subject",
            sort="purpose",
            # What a release asks: who changed their mind on these days.
            index=Index(name="by-day", partition="changed_on", sort="subject"),
        )
        self.datasets = self._table(
            "Datasets",
            RecoveryParameter.LAKE_DATASETS,
            partition="dataset_id",
            sort="part",
            index=Index(name="by-owner", partition="owner", sort="dataset_id"),
        )
        self.contracts = self._table(
            "Contracts",
            RecoveryParameter.LAKE_CONTRACTS,
            partition="contract_id",
            index=Index(name="by-buyer", partition="buyer_id", sort="contract_id"),
        )
        self.usage = self._table(
            "Usage", RecoveryParameter.LAKE_USAGE, partition="contract_month", sort="event"
        )
        self.revenue_share = self._table(
            "RevenueShare",
            RecoveryParameter.LAKE_REVENUE,
            partition="period",
            sort="transfer_id",
            index=Index(name="by-credited", partition="credited", sort="period"),
        )
        self.grants = self._table(
            "Grants",
            RecoveryParameter.LAKE_GRANTS,
            partition="token_digest",
            sort="dataset_id",
            # What a revocation asks: every grant of a contract.
            index=Index(name="by-contract", partition="contract_id", sort="token_digest"),
        )

    def _own_stack(self, scope: Construct, construct_id: str) -> AmplyStack:
        return AmplyStack(
            scope,
            construct_id,
            environment=self._environment,
            description="Amply: control plane of the data platform",
            holds_data=True,
        )

    def _table(
        self,
        construct_id: str,
        recovery_parameter: RecoveryParameter,
        *,
        partition: str,
        sort: str | None = None,
        index: Index | None = None,
    ) -> dynamodb.ITable:
        table = self._found(construct_id, recovery_parameter) or self._made(
            construct_id, TableSchema(partition=partition, sort=sort, index=index)
        )
        self._recovery_tables[recovery_parameter] = table
        return table

    def _found(self, construct_id: str, recovery_parameter: RecoveryParameter) -> dynamodb.ITable | None:
        """The replica that is there already, where the first region is lost."""
        if not self._environment.lost_region:
            return None
        stack = self._stack
        return dynamodb.Table.from_table_name(stack, construct_id, stack.recovery_input(recovery_parameter))

    def _made(self, construct_id: str, schema: TableSchema) -> dynamodb.ITable:
        durability, key = self._environment.durability, self._lake.key
        if self._replica is None:
            return KeptTable(self._stack, construct_id, schema=schema, durability=durability, key=key)
        table = ReplicatedTable(
            self._stack,
            construct_id,
            schema=schema,
            durability=durability,
            key=key,
            elsewhere=Elsewhere(region=self._replica.region, key_arn=self._replica.key.key_arn),
        )
        if self._pager:
            watch_table(self._pager, construct_id, table, elsewhere=self._replica.region)
        return table

    @property
    def recovery_tables(self) -> Mapping[RecoveryParameter, dynamodb.ITable]:
        """Table names in the region of the copies."""
        return self._recovery_tables

    @property
    def names(self) -> Mapping[str, str]:
        """Table names as the functions' variables."""
        return {
            "AMPLY_CONSENTS_TABLE": self.consents.table_name,
            "AMPLY_DATASETS_TABLE": self.datasets.table_name,
            "AMPLY_CONTRACTS_TABLE": self.contracts.table_name,
            "AMPLY_USAGE_TABLE": self.usage.table_name,
            "AMPLY_REVENUE_TABLE": self.revenue_share.table_name,
            "AMPLY_GRANTS_TABLE": self.grants.table_name,
        }
