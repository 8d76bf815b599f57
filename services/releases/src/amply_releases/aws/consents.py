"""Amazon DynamoDB: the consent table, which the platform's worker writes (docs/adr/0137-sharing-by-consent.md)."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import boto3

from amply_releases.aws.calls import LIMITS
from amply_releases.ports import Consent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PURPOSE: Final = "analytics"
"""What a release is for; of other purposes nobody asks."""
BY_DAY: Final = "by-day"
_TRIES: Final = 8
_FIRST_PAUSE_SECONDS: Final = 0.1
_BATCH: Final = 100
"""Items of one call: docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html."""


class ConsentsBusyError(Exception):
    """The table answers less than it is asked, again and again."""


class DynamoConsents:
    """Reads items as they are now. The index holds keys alone, so that each is read from the table itself."""

    def __init__(self, *, table: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._table, self._pause = table, pause
        self._client: DynamoDBClient = boto3.client("dynamodb", config=LIMITS)

    def states(self, people: Collection[str]) -> dict[str, str]:
        """What these have decided; whoever the table does not know is missing."""
        return dict(self._states(sorted(people)))

    def withdrawn(self, days: Sequence[date]) -> set[str]:
        """Who has withdrawn on these days."""
        changed = {subject for day in days for subject in self._changed_on(day)}
        return {one for one, state in self._states(sorted(changed)) if state == Consent.WITHDRAWN}

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

    def _states(self, people: Sequence[str]) -> Iterator[tuple[str, str]]:
        for first in range(0, len(people), _BATCH):
            for item in self._read(people[first : first + _BATCH]):
                yield item["subject"]["S"], item["state"]["S"]

    def _read(self, people: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The items of up to a hundred; what a call leaves out for being too much is asked for again, after longer and longer.

        Raises:
            ConsentsBusyError: Some are left out each time.
        """
        asked: dict[str, Any] = {
            self._table: {
                "Keys": [{"subject": {"S": one}, "purpose": {"S": PURPOSE}} for one in people],
                "ConsistentRead": True,
            }
        }
        for number in range(_TRIES):
            if number:
                self._pause(_FIRST_PAUSE_SECONDS * 2 ** (number - 1))
            answer = self._client.batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(self._table, [])
            asked = dict(answer.get("UnprocessedKeys", {}))
            if not asked:
                return
        raise ConsentsBusyError(
            f"DynamoDB has left out consents of one question {_TRIES} times; ask again later"
        )
