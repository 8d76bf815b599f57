"""Amazon DynamoDB: the table of consents, which the platform's worker writes (docs/adr/0137-sharing-by-consent.md)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import boto3

from amply_releases.aws.calls import LIMITS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PURPOSE: Final = "analytics"
"""What a release is for; of other purposes nobody asks."""
BY_DAY: Final = "by-day"
_BATCH: Final = 100
"""Items of one call: docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html."""


class DynamoConsents:
    """Reads items as they are now. The index holds keys alone, so that each is read from the table itself."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=LIMITS)

    def given(self, people: Collection[str]) -> set[str]:
        """Who of these lets facts be shared."""
        return set(self._in_state("given", sorted(people)))

    def withdrawn(self, days: Sequence[date]) -> set[str]:
        """Who has withdrawn on these days."""
        changed = {subject for day in days for subject in self._changed_on(day)}
        return set(self._in_state("withdrawn", sorted(changed)))

    def _changed_on(self, day: date) -> Iterator[str]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_DAY,
            KeyConditionExpression="changed_on = :day",
            ExpressionAttributeValues={":day": {"S": day.isoformat()}},
        )
        return (
            item["subject"]["S"]
            for page in pages
            for item in page["Items"]
            if item["purpose"]["S"] == PURPOSE
        )

    def _in_state(self, state: str, people: Sequence[str]) -> Iterator[str]:
        for first in range(0, len(people), _BATCH):
            for item in self._read(people[first : first + _BATCH]):
                if item["state"]["S"] == state:
                    yield item["subject"]["S"]

    def _read(self, people: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The items of up to a hundred; what a call leaves out for being too much is asked for again."""
        asked: dict[str, Any] = {
            self._table: {
                "Keys": [{"subject": {"S": one}, "purpose": {"S": PURPOSE}} for one in people],
                "ConsistentRead": True,
            }
        }
        while asked:
            answer = self._client.batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(self._table, [])
            asked = dict(answer.get("UnprocessedKeys", {}))
