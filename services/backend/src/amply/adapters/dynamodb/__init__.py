"""Amazon DynamoDB: the lake's table of consents, as those who make releases ask it.

An item is named by `subject` (a person of the lake) and `purpose`; `state` is `given` or `withdrawn`, `version` grows with each
decision, `changed_on` is the day of the last one (UTC). What is withdrawn stays so. Conditional writes, and the item that stands
where one is refused: docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.infra.database import forbid_transaction
from amply.kernel.clock import iso
from amply.modules.sharing import Decision, ToldConsent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_IS_NEWS: Final = "attribute_not_exists(subject) OR (#version < :version AND #state <> :withdrawn)"


class DynamoConsents:
    """Writes consents. Reads none, but for the one that stands where a write is refused."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=_LIMITS)

    def put(self, consent: ToldConsent) -> Decision:
        """Keep a consent unless this version, a later one or a withdrawal is there; return what stands there then."""
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
                ConditionExpression=_IS_NEWS,
                ExpressionAttributeNames={"#version": "version", "#state": "state"},
                ExpressionAttributeValues={
                    ":version": {"N": str(consent.version)},
                    ":withdrawn": {"S": Decision.WITHDRAWN},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise
            stands: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment] # not in botocore's types
            return Decision(stands["state"]["S"])
        return consent.state
