"""Amazon DynamoDB: contracts and grants, which the platform's operators write (docs/adr/0136-the-marketplace.md)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3

from amply_releases.aws.calls import LIMITS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_CONTRACT: Final = "by-contract"
_Item = Mapping[str, Any]


class DynamoBuyers:
    """Contracts are few, so all are read. The index holds keys alone, so that each grant is read from the table, as it is now."""

    def __init__(self, *, contracts: str, grants: str) -> None:
        self._contracts, self._grants = contracts, grants
        self._client: DynamoDBClient = boto3.client("dynamodb", config=LIMITS)

    def granted(self, *, now: datetime) -> Mapping[str, Sequence[str]]:
        """By dataset, the buyers who have a grant of it that holds, of a contract that holds."""
        found: dict[str, set[str]] = {}
        for contract in self._holding(now):
            for dataset_id in self._readable(contract["contract_id"]["S"], now):
                found.setdefault(dataset_id, set()).add(contract["buyer_id"]["S"])
        return {dataset_id: sorted(buyers) for dataset_id, buyers in found.items()}

    def _holding(self, now: datetime) -> Iterator[_Item]:
        pages = self._client.get_paginator("scan").paginate(TableName=self._contracts, ConsistentRead=True)
        return (item for page in pages for item in page["Items"] if _holds(item, now))

    def _readable(self, contract_id: str, now: datetime) -> set[str]:
        """The datasets that any of a contract's tokens reads."""
        readable: set[str] = set()
        pages = self._client.get_paginator("query").paginate(
            TableName=self._grants,
            IndexName=BY_CONTRACT,
            KeyConditionExpression="contract_id = :contract",
            ExpressionAttributeValues={":contract": {"S": contract_id}},
        )
        for key in (item for page in pages for item in page["Items"]):
            dataset_id = key["dataset_id"]["S"]
            if dataset_id not in readable and self._reads(contract_id, key, now):
                readable.add(dataset_id)
        return readable

    def _reads(self, contract_id: str, key: _Item, now: datetime) -> bool:
        grant = self._client.get_item(
            TableName=self._grants,
            Key={name: key[name] for name in ("token_digest", "dataset_id")},
            ConsistentRead=True,
        ).get("Item")
        return (
            grant is not None
            and grant["contract_id"]["S"] == contract_id
            and "revoked_at" not in grant
            and now < _moment(grant, "expires_at")
        )


def _holds(contract: _Item, now: datetime) -> bool:
    """Whether its tokens are let in. One that cannot be read lets nobody in, and the worker tells of it."""
    try:
        is_active = contract["state"]["S"] == "active" and bool(contract["buyer_id"]["S"])
        return is_active and _moment(contract, "starts_at") <= now < _moment(contract, "ends_at")
    except (KeyError, ValueError):
        return False


def _moment(item: _Item, name: str) -> datetime:
    found = datetime.fromisoformat(item[name]["S"])
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
