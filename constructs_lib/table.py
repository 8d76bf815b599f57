"""DynamoDB tables of record: encrypted with a customer-managed key, point-in-time recovery, deletion protection."""

from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.durability import Durability

READS_TABLES, WRITES_TABLES = ("kms:Decrypt", "kms:DescribeKey"), ("kms:Encrypt", "kms:GenerateDataKey")
"""What whoever asks a table needs of its key, and besides whoever writes into it; both go through DynamoDB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """A secondary index that projects keys only; readers then read the item itself."""

    name: str
    partition: str
    sort: str


@dataclass(frozen=True, kw_only=True)
class TableSchema:
    """A table's key attributes, all strings."""

    partition: str
    sort: str | None = None
    index: Index | None = None


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """The region of a table's replica, and the encryption key there."""

    region: str
    key_arn: str


class KeptTable(dynamodb.Table):
    """A table billed by request. Never with a TTL: expired items would be missing when needed."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        schema: TableSchema,
        durability: Durability,
        key: kms.IKey,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=_text(schema.partition),
            sort_key=_text(schema.sort) if schema.sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=_any_second(durability),
            deletion_protection=durability.protected,
            removal_policy=durability.removal_policy,
        )
        if index := schema.index:
            self.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.partition),
                sort_key=_text(index.sort),
                projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            )


class ReplicatedTable(dynamodb.TableV2):
    """A table with a replica in another region, about a second behind, that survives the loss of this one.

    Writes are decided in the region they are made in, so that one region alone may write; a transaction arrives item by item.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        schema: TableSchema,
        durability: Durability,
        key: kms.IKey,
        elsewhere: Elsewhere,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=_text(schema.partition),
            sort_key=_text(schema.sort) if schema.sort else None,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(
                key, {elsewhere.region: elsewhere.key_arn}
            ),
            global_secondary_indexes=[_index(schema.index)] if schema.index else None,
            replicas=[dynamodb.ReplicaTableProps(region=elsewhere.region)],
            point_in_time_recovery_specification=_any_second(durability),
            deletion_protection=durability.protected,
            removal_policy=durability.removal_policy,
        )


def _index(index: Index) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=index.name,
        partition_key=_text(index.partition),
        sort_key=_text(index.sort),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )


def _any_second(durability: Durability) -> dynamodb.PointInTimeRecoverySpecification:
    return dynamodb.PointInTimeRecoverySpecification(
        point_in_time_recovery_enabled=True, recovery_period_in_days=durability.backup_days
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
