"""Amazon DynamoDB: buyers' contracts and grants, which operators write (docs/adr/0136-the-marketplace.md)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3

from amply_releases.aws.calls import LIMITS
from amply_releases.aws.moments import read_moment
from amply_releases.lines import FAILED, say

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_CONTRACT: Final = "by-contract"
TELL_EVERY: Final = timedelta(minutes=10)
"""How often a grant that cannot be read is told of, as a release that fails is."""
UNREADABLE: Final = "UnreadableGrant"
_Item = Mapping[str, Any]


class DynamoBuyers:
    """Contracts are few, so all are read. The index holds keys alone, so that each grant is read from the table, as it is now."""

    def __init__(self, *, contracts: str, grants: str) -> None:
        self._contracts, self._grants = contracts, grants
        self._client: DynamoDBClient = boto3.client("dynamodb", config=LIMITS)
        self._told_at: dict[tuple[str, str], datetime] = {}

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
        if grant is None or "revoked_at" in grant:
            return False
        try:
            return grant["contract_id"]["S"] == contract_id and now < _said(grant, "expires_at")
        except (KeyError, ValueError):
            self._tell(contract_id, key["dataset_id"]["S"], now)
            return False

    def _tell(self, contract_id: str, dataset_id: str, now: datetime) -> None:
        """Of a grant that cannot be read, which lets nobody in and holds up no other. Whose token it is of is not told."""
        told_at = self._told_at.get((contract_id, dataset_id))
        if told_at is None or now - told_at >= TELL_EVERY:
            self._told_at[contract_id, dataset_id] = now
            why = f"a grant of {contract_id} cannot be read; put its row right in the table of grants"
            say(FAILED, dataset=dataset_id, error=UNREADABLE, why=why)


def _holds(contract: _Item, now: datetime) -> bool:
    """Whether its tokens are let in. One that cannot be read lets nobody in, and the worker tells of it."""
    try:
        is_active = contract["state"]["S"] == "active" and bool(contract["buyer_id"]["S"])
        return is_active and _said(contract, "starts_at") <= now < _said(contract, "ends_at")
    except (KeyError, ValueError):
        return False


def _said(item: _Item, name: str) -> datetime:
    """One that has to be there."""
    found = read_moment(item, name)
    if found is None:
        raise KeyError(name)
    return found
