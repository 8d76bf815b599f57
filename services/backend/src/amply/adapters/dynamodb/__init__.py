"""Amazon DynamoDB: the lake's table of consents, as those who make releases ask it.

An item is named by `subject` (a person of the lake) and `purpose`; `state` is `given` or `withdrawn`, `version` grows with each
decision, `changed_on` is the day of the last one (UTC). Conditional writes:
docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.infra.database import forbid_transaction
from amply.kernel.clock import iso
from amply.modules.sharing import ToldConsent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})


class DynamoConsents:
    """Writes consents and reads none."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=_LIMITS)

    def put(self, consent: ToldConsent) -> bool:
        """Keep a consent unless this version or a later one is there; return whether it was kept."""
        forbid_transaction("DynamoDB: put a consent")
        changed_at = iso(consent.changed_at)
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "subject": {"S": consent.subject},
                    "purpose": {"S": consent.purpose},
                    "state": {"S": consent.state},
                    "version": {"N": str(consent.version)},
                    "changed_on": {"S": changed_at[:10]},
                    "changed_at": {"S": changed_at},
                },
                ConditionExpression="attribute_not_exists(subject) OR #version < :version",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":version": {"N": str(consent.version)}},
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise
            return False
        return True
