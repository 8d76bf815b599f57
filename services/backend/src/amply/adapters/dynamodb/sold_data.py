"""Amazon DynamoDB: read-only queries of the control plane for the seller portal, each by key or a bounded range of one
partition.

What stands where: docs/adr/0136-the-marketplace.md, and for the sums of a dataset's use 0145. Indexes hold keys alone, so what
they lead to is read from the table, as it is now.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from amply.adapters.dynamodb.items import (
    Item,
    moment,
    moment_or_none,
    text,
    text_or_none,
    texts,
    whole,
    whole_or_none,
)
from amply.infra.database import forbid_transaction
from amply.kernel.money import Money
from amply.modules.seller_portal import Dataset, Release, Share, TablesAway, Use

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LIMITS: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
_BY_OWNER, _BY_CREDITED = "by-owner", "by-credited"
_DATASET, _SOURCE = "dataset", "source"
_KEYS_MAX: Final = 100
"""Keys of one BatchGetItem."""
_ASKED_MAX: Final = 5
"""Requests for unprocessed keys."""
_ITEMS_A_DATASET: Final = 4
"""Maximum items of a dataset with one owner: `dataset`, `source`, and room for more kinds."""


class DynamoSoldTables:
    """The tables Datasets, Usage and RevenueShare."""

    def __init__(self, *, datasets: str, usage: str, revenue: str) -> None:
        self._datasets, self._usage, self._revenue = datasets, usage, revenue
        self._client: DynamoDBClient = boto3.client("dynamodb", config=_LIMITS)

    def datasets(self, owner: str, *, after: str | None, limit: int) -> Sequence[Dataset]:
        """Datasets of one owner, by id, after `after`."""
        asked: dict[str, Any] = {"IndexName": _BY_OWNER, **_partition("owner", owner)}
        if after is not None:
            asked = _beyond(asked, "dataset_id", ">", after)
        keys = self._query(self._datasets, asked, limit=_ITEMS_A_DATASET * limit)
        names = islice(dict.fromkeys(text(key, "dataset_id") for key in keys), limit)
        return list(self._described(list(names)))

    def dataset(self, dataset_id: str) -> Dataset | None:
        """One dataset, or None."""
        return next(self._described([dataset_id]), None)

    def releases(self, dataset: Dataset, *, before: int | None, limit: int) -> Sequence[Release]:
        """Releases below `before`, newest first, queried by number so that no file items are read.

        Fewer than `limit` only where there are no more: numbers that nothing stands under end no list.
        """
        newest = dataset.latest if before is None else min(before - 1, dataset.latest)
        found: list[Release] = []
        while newest > 0 and len(found) < limit:
            numbers = range(newest, max(newest - limit, 0), -1)
            keys = [{"dataset_id": dataset.dataset_id, "part": _revision(number)} for number in numbers]
            found.extend(self._shown(keys))
            newest -= limit
        return found[:limit]

    def release(self, dataset_id: str, number: int) -> Release | None:
        """One release, or None."""
        keys = [{"dataset_id": dataset_id, "part": _revision(number)}]
        return next(self._shown(keys), None)

    def uses(self, dataset_id: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Use]:
        """Usage, newest month first, after the given month and contract."""
        asked = {**_partition("contract_month", f"dataset#{dataset_id}"), "ScanIndexForward": False}
        if before is not None:
            asked = _beyond(asked, "event", "<", "#".join(before))
        return [_use(item) for item in self._query(self._usage, asked, limit=limit)]

    def shares(self, credited: str, *, before: tuple[str, str] | None, limit: int) -> Sequence[Share]:
        """Revenue shares, newest period first, after the given period and transfer."""
        asked = {"IndexName": _BY_CREDITED, **_partition("credited", credited), "ScanIndexForward": False}
        if before is not None:
            period, transfer_id = before
            begin = {"credited": credited, "period": period, "transfer_id": transfer_id}
            asked["ExclusiveStartKey"] = texts(begin)
        found = self._query(self._revenue, asked, limit=limit)
        keys = [{name: text(key, name) for name in ("period", "transfer_id")} for key in found]
        return [_share(item) for item in self._each(self._revenue, keys)]

    def _shown(self, keys: Sequence[Mapping[str, str]]) -> Iterator[Release]:
        """Without those that ended before they were shown: of these the table says that alone."""
        return (_release(item) for item in self._each(self._datasets, keys) if "released_at" in item)

    def _described(self, names: Sequence[str]) -> Iterator[Dataset]:
        """Those that there are, in this order."""
        keys = [{"dataset_id": name, "part": part} for name in names for part in (_DATASET, _SOURCE)]
        found = {
            (text(item, "dataset_id"), text(item, "part")): item for item in self._each(self._datasets, keys)
        }
        for name in names:
            released, source = found.get((name, _DATASET)), found.get((name, _SOURCE))
            if released is not None or source is not None:
                yield _dataset(name, released or {}, source or {})

    def _query(self, table: str, asked: Mapping[str, Any], *, limit: int) -> Iterator[Item]:
        """At most `limit` items of one partition."""
        forbid_transaction("DynamoDB: read what sellers see")
        left, asked = limit, {**asked, "TableName": table}
        for _ in range(_ASKED_MAX):
            with _answering():
                answer = self._client.query(**asked, Limit=left)
            yield from answer["Items"]
            left -= len(answer["Items"])
            if left <= 0 or "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _each(self, table: str, keys: Sequence[Mapping[str, str]]) -> Iterator[Item]:
        """The items of these keys as they are now, in this order, without those that are not there."""
        forbid_transaction("DynamoDB: read what sellers see")
        for begin in range(0, len(keys), _KEYS_MAX):
            some = keys[begin : begin + _KEYS_MAX]
            found = {_place(item, some[0]): item for item in self._batch(table, some)}
            yield from (found[place] for key in some if (place := tuple(key.values())) in found)

    def _batch(self, table: str, keys: Sequence[Mapping[str, str]]) -> Iterator[Item]:
        asked: Any = {table: {"Keys": [texts(key) for key in keys], "ConsistentRead": True}}
        for _ in range(_ASKED_MAX):
            with _answering():
                answer = self._client.batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(table, [])
            asked = answer.get("UnprocessedKeys")
            if not asked:
                return
        raise TablesAway


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise TablesAway from error


def _partition(name: str, value: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "#partition = :partition",
        "ExpressionAttributeNames": {"#partition": name},
        "ExpressionAttributeValues": {":partition": {"S": value}},
    }


def _beyond(asked: Mapping[str, Any], name: str, sign: str, value: str) -> dict[str, Any]:
    """The same, from beyond one place of its order."""
    return {
        **asked,
        "KeyConditionExpression": f"{asked['KeyConditionExpression']} AND #sort {sign} :sort",
        "ExpressionAttributeNames": {**asked["ExpressionAttributeNames"], "#sort": name},
        "ExpressionAttributeValues": {**asked["ExpressionAttributeValues"], ":sort": {"S": value}},
    }


def _dataset(name: str, released: Item, source: Item) -> Dataset:
    return Dataset(
        dataset_id=name,
        owner=text_or_none(released, "owner") or text_or_none(source, "owner") or "",
        title=text_or_none(source, "title") or text_or_none(released, "title") or name,
        kind=text_or_none(released, "class") or "",
        state=text_or_none(source, "state"),
        latest=whole_or_none(released, "latest") or 0,
        refused=text_or_none(released, "refused"),
    )


def _release(item: Item) -> Release:
    return Release(
        dataset_id=text(item, "dataset_id"),
        number=int(text(item, "part").removeprefix("revision#")),
        released_at=moment(item, "released_at"),
        policy=text(item, "policy_id"),
        rows=whole(item, "rows"),
        k=whole(item, "k"),
        l_min=whole_or_none(item, "l"),
        withdrawn_at=moment_or_none(item, "withdrawn_at"),
        certificate_sha256=text(item, "certificate_sha256"),
        place=text(item, "certificate"),
    )


def _use(item: Item) -> Use:
    month, _, contract_id = text(item, "event").partition("#")
    return Use(
        month=month,
        contract_id=contract_id,
        answers=whole(item, "answers"),
        files=whole(item, "files"),
        size_bytes=whole(item, "bytes"),
    )


def _share(item: Item) -> Share:
    return Share(
        period=text(item, "period"),
        transfer_id=text(item, "transfer_id"),
        dataset_id=text(item, "dataset_id"),
        amount=Money(minor_units=whole(item, "amount_minor"), currency=text(item, "currency")),
    )


def _revision(number: int) -> str:
    return f"revision#{number:010d}"


def _place(item: Item, key: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(text(item, name) for name in key)
