"""Queries of the control plane's tables. Grants and contracts are read anew for each request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from amply_marketplace import items
from amply_marketplace.datasets import Dataset, Released
from amply_marketplace.errors import NotGranted, NotReleased, NotThere, Unavailable, UsedUp
from amply_marketplace.grants import Contract, Grant
from amply_marketplace.items import Item
from amply_marketplace.metering import EVENT, TOTAL, Use, contract_month, seconds_left_of_month

_ATTEMPTS = 5
"""Answers for the same contract at the same moment count in turn; whoever is pushed aside so often asks again later."""
_FAILED = "ConditionalCheckFailed"
_FILES_MAX = 100_000
"""Of one revision; a release with more is none that a list of links could hold."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Their names."""

    datasets: str
    contracts: str
    usage: str
    grants: str


class ControlPlane:
    """`dynamodb` is a client of botocore's."""

    def __init__(self, dynamodb: Any, tables: Tables) -> None:
        self._dynamodb = dynamodb
        self._tables = tables

    def grants(self, token_digest: str) -> list[Grant]:
        """Every grant of a token, each with its contract, whatever their state."""
        found = list(self._query(self._tables.grants, "token_digest", token_digest))
        contracts = {
            name: self._contract(name) for name in {items.text(item, "contract_id") for item in found}
        }
        return [items.grant(item, under=contracts[items.text(item, "contract_id")]) for item in found]

    def dataset(self, grant: Grant) -> Dataset | None:
        """What a grant leads to, as its contract's buyer sees it; None where it names one that is not there yet."""
        item = self._part(grant, "dataset")
        return items.dataset(item, given=self._part(grant, items.buyer_part(grant.buyer))) if item else None

    def released(self, grant: Grant, *, number: int | None = None) -> Released:
        """A revision that was released to the grant's buyer, with its files; the newest one unless told.

        It is served as long as the dataset's own that it follows: a withdrawal ends that one, and with it every buyer's.

        Raises:
            NotReleased: Nothing is released to this buyer now.
            NotThere: There is no such revision, or it was withdrawn.
        """
        dataset = self.dataset(grant)
        if dataset is None:
            raise NotThere
        part = items.revision_part(dataset.latest if number is None else number, buyer=grant.buyer)
        item = self._part(grant, part)
        if item is None or not (items.is_served(item) and self._is_followed(grant, item)):
            raise NotReleased if number is None else NotThere
        files = self._query(
            self._tables.datasets, "dataset_id", grant.dataset_id, sort=("part", f"{part}#file#")
        )
        return Released(
            dataset=dataset,
            revision=items.revision(item),
            files=tuple(items.file(each) for each in files),
        )

    def _is_followed(self, grant: Grant, item: Item) -> bool:
        """Whether the dataset's own revision that a buyer's follows is served: read last, as it is now."""
        return items.is_served(self._part(grant, items.revision_part(items.number(item, "follows"))))

    def _part(self, grant: Grant, part: str) -> Item | None:
        return self._get(self._tables.datasets, {"dataset_id": grant.dataset_id, "part": part})

    def write_down(self, use: Use) -> None:
        """One transaction: the grant and its contract still hold, the month has room, and now it is used.

        Raises:
            NotGranted: The grant or the contract ended since they were read.
            UsedUp: The month has no room for this.
        """
        for _ in range(_ATTEMPTS):
            reasons = self._refused_for(list(self._writing(use)))
            if not reasons:
                return
            if _FAILED in reasons[:2]:
                raise NotGranted
            if _FAILED in reasons[2:3]:
                raise UsedUp(retry_seconds=seconds_left_of_month(use.at))
            if "TransactionConflict" not in reasons:
                break
        raise Unavailable

    def _refused_for(self, writing: list[Mapping[str, Any]]) -> list[str]:
        """Nothing once it is written; otherwise a reason for each part, `None` for those that were not it."""
        try:
            self._dynamodb.transact_write_items(TransactItems=writing)
        except self._dynamodb.exceptions.TransactionCanceledException as canceled:
            return [str(reason.get("Code")) for reason in canceled.response.get("CancellationReasons", [{}])]
        except ClientError as error:
            raise Unavailable from error
        return []

    def used(self, contract: Contract, at: datetime) -> Mapping[str, int]:
        """The sums of the contract's month."""
        month = contract_month(contract.contract_id, at)
        total = self._get(self._tables.usage, {"contract_month": month, "event": TOTAL})
        return {name: items.number(total, name) if total else 0 for name in ("bytes", "files", "answers")}

    def events(self, contract: Contract, at: datetime) -> Iterator[Mapping[str, Any]]:
        """The events of the contract's month in their order, read as they are taken."""
        month = contract_month(contract.contract_id, at)
        found = self._query(self._tables.usage, "contract_month", month, sort=("event", EVENT))
        return map(_event, found)

    def _writing(self, use: Use) -> Iterator[Mapping[str, Any]]:
        tables, grant = self._tables, use.grant
        yield {
            "ConditionCheck": {
                "TableName": tables.grants,
                "Key": _key({"token_digest": grant.token_digest, "dataset_id": grant.dataset_id}),
                "ConditionExpression": "attribute_exists(grant_id) AND attribute_not_exists(revoked_at)",
            }
        }
        yield {
            "ConditionCheck": {
                "TableName": tables.contracts,
                "Key": _key({"contract_id": grant.under.contract_id}),
                "ConditionExpression": "#state = :active",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":active": {"S": "active"}},
            }
        }
        yield {
            "Update": {
                "TableName": tables.usage,
                "Key": _key({"contract_month": use.contract_month, "event": TOTAL}),
                "ConditionExpression": "attribute_not_exists(#bytes) OR #bytes <= :room",
                **_counted_up(use, room=use.room_bytes),
            }
        }
        yield {
            "Put": {
                "TableName": tables.usage,
                "Item": _written(use),
                "ConditionExpression": "attribute_not_exists(contract_month)",
            }
        }
        dataset, month_and_contract = use.of_dataset
        yield {
            "Update": {
                "TableName": tables.usage,
                "Key": _key({"contract_month": dataset, "event": month_and_contract}),
                **_counted_up(use),
            }
        }

    def _contract(self, contract_id: str) -> Contract | None:
        item = self._get(self._tables.contracts, {"contract_id": contract_id})
        return items.contract(item) if item else None

    def _get(self, table: str, key: Mapping[str, str]) -> Item | None:
        try:
            answer = self._dynamodb.get_item(TableName=table, Key=_key(key), ConsistentRead=True)
        except ClientError as error:
            raise Unavailable from error
        item: Item | None = answer.get("Item")
        return item

    def _query(
        self, table: str, partition: str, value: str, *, sort: tuple[str, str] | None = None
    ) -> Iterator[Item]:
        """All items of a partition, or those whose sort key begins so, in its order."""
        names, values = {"#p": partition}, {":p": {"S": value}}
        condition = "#p = :p"
        if sort:
            condition += " AND begins_with(#s, :s)"
            names["#s"], values[":s"] = sort[0], {"S": sort[1]}
        asked: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        for _ in range(_FILES_MAX):
            try:
                answer = self._dynamodb.query(**asked)
            except ClientError as error:
                raise Unavailable from error
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        raise Unavailable


def _key(key: Mapping[str, str]) -> Mapping[str, Any]:
    return {name: {"S": value} for name, value in key.items()}


def _counted_up(use: Use, **beside: int) -> Mapping[str, Any]:
    """Adding one answer to a sum; `beside` are numbers that its condition names."""
    values = {"bytes": use.size_bytes, "files": use.files, "one": 1, **beside}
    return {
        "UpdateExpression": "ADD #bytes :bytes, #files :files, #answers :one",
        "ExpressionAttributeNames": {"#bytes": "bytes", "#files": "files", "#answers": "answers"},
        "ExpressionAttributeValues": {f":{name}": {"N": str(value)} for name, value in values.items()},
    }


def _written(use: Use) -> Mapping[str, Any]:
    words = {
        "contract_month": use.contract_month,
        "event": use.event,
        "contract_id": use.grant.under.contract_id,
        "grant_id": use.grant.grant_id,
        "dataset_id": use.dataset_id,
        "at": use.at.isoformat(),
    }
    numbers = {"revision": use.revision, "files": use.files, "bytes": use.size_bytes}
    return {**_key(words), **{name: {"N": str(value)} for name, value in numbers.items()}}


def _event(item: Item) -> Mapping[str, Any]:
    return {
        "at": items.text(item, "at"),
        "dataset": items.text(item, "dataset_id"),
        "revision": items.number(item, "revision"),
        "files": items.number(item, "files"),
        "bytes": items.number(item, "bytes"),
    }
