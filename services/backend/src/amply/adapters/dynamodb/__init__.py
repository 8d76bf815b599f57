"""Amazon DynamoDB: the lake's tables of consents and datasets, which the release process reads.

A consent's item is named by `subject` (a person of the lake) and `purpose`; `state` is `given` or `withdrawn`, `version` grows with each
decision, `changed_at` is when the last one was made. `changed_on` is the day this item changed (UTC), so when it was told and not when it
was decided: who looks from day to day for what is new misses none that is told late. What is withdrawn stays so. Conditional writes,
and the item that stands where one is refused: docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.adapters.dynamodb.items import is_refused
from amply.infra.database import forbid_transaction
from amply.kernel.clock import iso
from amply.modules.ingestion import PublishedDataset
from amply.modules.sharing import Decision, PublishedConsent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LIMITS: Final = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
_IS_NEWS: Final = "attribute_not_exists(subject) OR (#version < :version AND #state <> :withdrawn)"
_IS_FINAL: Final = "attribute_not_exists(subject) OR #state <> :withdrawn"
"""Condition of a withdrawal, regardless of version: a restored database counts from lower versions than the table has."""


class DynamoConsents:
    """Writes consents. Reads only the one that refused a conditional write."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=_LIMITS)

    def put(self, consent: PublishedConsent) -> Decision:
        """Keep a consent unless a withdrawal is there, or it is given and this version or a later one is; return what stands there then."""
        forbid_transaction("DynamoDB: put a consent")
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "subject": {"S": consent.subject},
                    "purpose": {"S": consent.purpose},
                    "state": {"S": consent.state},
                    "version": {"N": str(consent.version)},
                    "changed_on": {"S": iso(consent.told_at)[:10]},
                    "changed_at": {"S": iso(consent.changed_at)},
                },
                **_only_if(consent),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if not is_refused(error):
                raise
            stands: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment] # not in botocore's types
            return Decision(stands["state"]["S"])
        return consent.state


def _only_if(consent: PublishedConsent) -> dict[str, Any]:
    """What the write expects to find. Names and values that the condition does not use are refused."""
    asked: dict[str, Any] = {
        "ConditionExpression": _IS_FINAL,
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":withdrawn": {"S": Decision.WITHDRAWN}},
    }
    if consent.state is not Decision.WITHDRAWN:
        asked["ConditionExpression"] = _IS_NEWS
        asked["ExpressionAttributeNames"]["#version"] = "version"
        asked["ExpressionAttributeValues"][":version"] = {"N": str(consent.version)}
    return asked


_PART: Final = "source"
"""Sort key of the items written here. Others write a dataset's releases beside it."""
_SAID: Final = (
    "SET #owner = :owner, title = :title, policy = :policy, version = :version, "
    "release_every_days = :release_every_days, #class = :class, #state = :state, changed_at = :changed_at"
)
_IS_NEWER: Final = "attribute_not_exists(version) OR version < :version"


class DynamoDatasets:
    """Writes dataset definitions; reads none."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=_LIMITS)

    def put(self, dataset: PublishedDataset) -> None:
        """Keep this, unless this version or a later one is there already; what others wrote beside it stays."""
        forbid_transaction("DynamoDB: put a dataset")
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"dataset_id": {"S": dataset.dataset_id}, "part": {"S": _PART}},
                UpdateExpression=_SAID,
                ConditionExpression=_IS_NEWER,
                ExpressionAttributeNames={"#owner": "owner", "#state": "state", "#class": "class"},
                ExpressionAttributeValues={
                    ":owner": {"S": dataset.owner},
                    ":title": {"S": dataset.title},
                    ":policy": {"S": dataset.policy},
                    ":version": {"N": str(dataset.version)},
                    ":release_every_days": {"N": str(dataset.release_every_days)},
                    ":class": {"S": dataset.kind},
                    ":state": {"S": "open" if dataset.is_open else "closed"},
                    ":changed_at": {"S": iso(dataset.changed_at)},
                },
            )
        except ClientError as error:
            if not is_refused(error):
                raise
