"""A table of account: encrypted with a key of ours, restorable to any second, and not deleted by accident."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from constructs_lib.durability import Durability

READS_TABLES, WRITES_TABLES = ("kms:Decrypt", "kms:DescribeKey"), ("kms:Encrypt", "kms:GenerateDataKey")
"""What whoever asks a table needs of its key, and besides whoever writes into it; both go through DynamoDB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html."""


class KeptTable(dynamodb.Table):
    """Billed by request. Never with a time to live: what expires by itself is missing when it is asked for."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition: str,
        sort: str | None = None,
        durability: Durability,
        key: kms.IKey,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=_text(partition),
            sort_key=_text(sort) if sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True, recovery_period_in_days=durability.backup_days
            ),
            deletion_protection=durability.protected,
            removal_policy=durability.removal_policy,
        )

    def find_by(self, index: str, *, partition: str, sort: str) -> None:
        """One more way in, with the keys alone: whoever comes by it reads the item itself afterwards."""
        self.add_global_secondary_index(
            index_name=index,
            partition_key=_text(partition),
            sort_key=_text(sort),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
