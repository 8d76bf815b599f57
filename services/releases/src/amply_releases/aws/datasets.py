"""Amazon DynamoDB: the control plane's dataset table, which this process writes except for the `source` items.

Of a dataset (`dataset_id`), by `part`:

- `source`, written by the platform's worker: `owner`, `title`, `policy` (a policy document), `version`, `release_every_days`,
  `state` (`open`, `closed`), and `asked_for` (RFC 3339) where a release is wanted now. Of `donations` the last two alone count
- `dataset`: what buyers are told, `latest`, and how far releases have come; `refused` says why the last one was not made,
  below `kept_from` every revision has been taken back, and `served_days` is how long one is served
- `arrived#dt=DAY/NAME`: a file, its `state` (`waiting`, `released`, `set_aside` with a `reason`, `gone`)
- `revision#0000000001` and `…#file#00001`: what was released, as the dataset's own; with `withdrawn_at` alone, a release that ended
  before it was shown
- `buyer#NAME`: the newest that a buyer was given, and which of the dataset's own it `follows`; `buyer#NAME#revision#0000000001` and
  `…#file#00001`: what the buyer was given, served as long as the one it `follows` is. No contract's buyer is called so that it has a `#`

The partition `#datasets` lists the datasets that anything has arrived for.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import ClientError

from amply_lake import PolicyError
from amply_releases.arrivals import DONATIONS, Arrival
from amply_releases.aws.calls import LIMITS, code
from amply_releases.aws.dataset_items import (
    ARRIVED,
    Item,
    moment_item,
    revision_item,
    revision_part,
    source_of,
    standing_of,
    told_of,
    waiting_of,
)
from amply_releases.aws.moments import read_moment
from amply_releases.datasets import FileState, Source, Standing, Waiting
from amply_releases.ports import Object, Revision, UnreadableSourceError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LIST: Final = "#datasets"
"""No dataset is called so."""
BUYER: Final = "buyer#"


class DynamoDatasets:
    """Every write says what it expects to find, so that repeating it is nothing."""

    def __init__(self, *, table: str) -> None:
        self._table = table
        self._client: DynamoDBClient = boto3.client("dynamodb", config=LIMITS)

    def known(self) -> Sequence[str]:
        """The datasets that anything has arrived for."""
        return [item["part"]["S"] for item in self._query(LIST, "")]

    def source(self, dataset_id: str) -> Source | None:
        """Where it comes from; None: nobody has said yet.

        Raises:
            UnreadableSourceError: What is said makes no sense.
        """
        item = self._get(dataset_id, "source")
        if item is None and dataset_id != DONATIONS:
            return None
        try:
            return source_of(dataset_id, item or {})
        except PolicyError as error:
            raise UnreadableSourceError(f"The policy cannot be used: {error}.") from error
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableSourceError(
                "What is said of where this dataset comes from cannot be read; save the dataset again."
            ) from error

    def begin(self, source: Source, schema: str, *, now: datetime) -> Standing:
        """How far it has come, the dataset being made where there is none; how long it is served is remembered."""
        name, served = source.dataset_id, {"N": str(source.policy.anonymised_days)}
        item = self._get(name, "dataset")
        if item is None:
            self._update(
                name,
                "dataset",
                {
                    **told_of(source, schema),
                    "began_at": moment_item(now),
                    "withdrawn_until": {"S": now.date().isoformat()},
                },
                only_if="attribute_not_exists(part)",
            )
            item = self._get(name, "dataset") or {}
        if item.get("served_days") != served:
            self._update(name, "dataset", {"served_days": served}, only_if="attribute_exists(part)")
        return standing_of({**item, "served_days": served}, now=now)

    def standing(self, dataset_id: str, *, now: datetime) -> Standing | None:
        """How far it has come, as `begin` left it; None: it was never begun."""
        item = self._get(dataset_id, "dataset")
        return None if item is None else standing_of(item, now=now)

    def note(self, arrival: Arrival, found: Object, *, now: datetime) -> None:
        """Let a file wait, unless it was noted as it stands."""
        self._update(
            arrival.dataset_id,
            f"{ARRIVED}{arrival.name}",
            {
                "key": {"S": arrival.key},
                "etag": {"S": found.etag},
                "bytes": {"N": str(found.size_bytes)},
                "state": {"S": FileState.WAITING},
                "noted_at": moment_item(now),
            },
            remove=("reason", "decided_at"),
            only_if="attribute_not_exists(part) OR etag <> :expected",
            expected={"S": found.etag},
        )
        self._client.put_item(
            TableName=self._table,
            Item={"dataset_id": {"S": LIST}, "part": {"S": arrival.dataset_id}},
        )

    def waiting(self, dataset_id: str, *, most: int) -> Sequence[Waiting]:
        """Files that wait, by day and name."""
        found: list[Waiting] = []
        for item in self._query(dataset_id, ARRIVED):
            if item["state"]["S"] == FileState.WAITING:
                found.append(waiting_of(item))
            if len(found) == most:
                break
        return found

    def decide(self, file: Waiting, state: FileState, reason: str = "", *, now: datetime) -> None:
        """Say what became of a file, if it still is what was noted."""
        why = {"reason": {"S": reason}} if reason else {}
        self._update(
            file.dataset_id,
            f"{ARRIVED}{file.name}",
            {"state": {"S": state}, "decided_at": moment_item(now), **why},
            only_if="etag = :expected",
            expected={"S": file.etag},
        )

    def tried(self, dataset_id: str, *, refused: str | None, now: datetime) -> None:
        """A release was tried, and refused for this reason; None: it was not refused."""
        why = {} if refused is None else {"refused": {"S": refused}, "refused_at": moment_item(now)}
        self._update(
            dataset_id,
            "dataset",
            {"tried_at": moment_item(now), **why},
            remove=("refused", "refused_at") if refused is None else (),
            only_if="attribute_exists(part)",
        )

    def refuse(self, dataset_id: str, reason: str, *, now: datetime) -> bool:
        """Say why nothing is released; whether that is news, as it always is of a dataset that was never begun."""
        item = self._get(dataset_id, "dataset")
        if item is None:
            return True
        if item.get("refused") == {"S": reason}:
            return False
        told: Item = {"refused": {"S": reason}, "refused_at": moment_item(now)}
        self._update(dataset_id, "dataset", told, only_if="attribute_exists(part)")
        return True

    def withdrawals_looked_at(self, dataset_id: str, *, until: date, now: datetime) -> None:
        """Whoever has withdrawn up to this day is released no more."""
        self._update(
            dataset_id,
            "dataset",
            {"withdrawals_at": moment_item(now), "withdrawn_until": {"S": until.isoformat()}},
            only_if="attribute_exists(part)",
        )

    def publish(self, source: Source, revision: Revision) -> bool:
        """Show a revision: its files, then itself, then that it is the newest; False where it ended before it was there."""
        name, part = source.dataset_id, revision_part(revision.number)
        self._write_files(name, part, revision)
        if not self._update(
            name, part, revision_item(revision), only_if="attribute_not_exists(withdrawn_at)"
        ):
            return False
        self._update(
            name,
            "dataset",
            {
                **told_of(source, revision.schema),
                "latest": {"N": str(revision.number)},
                "released_at": moment_item(revision.released_at),
            },
            only_if="attribute_not_exists(latest) OR latest < :expected",
            expected={"N": str(revision.number)},
        )
        return True

    def followed(self, dataset_id: str, buyer: str) -> int:
        """Which of the dataset's own revisions a buyer's newest one follows; 0 before the first."""
        item = self._get(dataset_id, f"{BUYER}{buyer}") or {}
        return int(item["follows"]["N"]) if "follows" in item else 0

    def hand_over(self, source: Source, buyer: str, revision: Revision, *, follows: int) -> None:
        """Show a buyer's own revision: its files, then itself, then that it is the newest.

        A process that is late must not let it follow one from before.
        """
        name, of_buyer = source.dataset_id, f"{BUYER}{buyer}"
        part = f"{of_buyer}#{revision_part(revision.number)}"
        following: Item = {"follows": {"N": str(follows)}}
        self._write_files(name, part, revision)
        for key, told in (
            (part, {**revision_item(revision), **following}),
            (
                of_buyer,
                {
                    "schema": {"S": revision.schema},
                    "latest": {"N": str(revision.number)},
                    "released_at": moment_item(revision.released_at),
                    **following,
                },
            ),
        ):
            self._update(
                name,
                key,
                told,
                only_if="attribute_not_exists(follows) OR follows < :expected",
                expected=following["follows"],
            )

    def _write_files(self, dataset_id: str, part: str, revision: Revision) -> None:
        for number, file in enumerate(revision.files):
            told: Item = {
                "key": {"S": file.key},
                "bytes": {"N": str(file.size_bytes)},
                "rows": {"N": str(file.rows)},
                "sha256": {"S": file.sha256},
            }
            self._update(dataset_id, f"{part}#file#{number:05}", told)

    def is_served(self, dataset_id: str, number: int) -> bool:
        """Whether a revision is there, and was not taken back."""
        item = self._get(dataset_id, revision_part(number))
        return item is not None and "released_at" in item and "withdrawn_at" not in item

    def take_back(self, dataset_id: str, *, since: int, before: int, now: datetime) -> None:
        """Serve them to nobody. Each is looked at: one that is missing, or was taken back by hand, hides none.

        One that is missing is noted as ended: whoever is about to show it is refused, and nobody need look for it again. What has
        ended is read at once, since a process that begins asks for all numbers that ever did.
        """
        ended = self._ended(dataset_id, since=since, before=before) if before > since else set()
        for number in range(since, before):
            if revision_part(number) in ended:
                continue
            self._update(
                dataset_id,
                revision_part(number),
                {"withdrawn_at": moment_item(now)},
                only_if="attribute_not_exists(withdrawn_at)",
            )

    def _ended(self, dataset_id: str, *, since: int, before: int) -> set[str]:
        """Of these numbers the revisions that say that they have ended."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="dataset_id = :dataset AND part BETWEEN :since AND :until",
            FilterExpression="attribute_exists(withdrawn_at)",
            ProjectionExpression="part",
            ExpressionAttributeValues={
                ":dataset": {"S": dataset_id},
                ":since": {"S": revision_part(since)},
                ":until": {"S": revision_part(before - 1)},
            },
            ConsistentRead=True,
        )
        return {item["part"]["S"] for page in pages for item in page["Items"]}

    def keep_from(self, dataset_id: str, number: int) -> None:
        """Revisions of lower numbers need not be looked for again."""
        self._update(
            dataset_id,
            "dataset",
            {"kept_from": {"N": str(number)}},
            only_if="attribute_exists(part) AND (attribute_not_exists(kept_from) OR kept_from < :expected)",
            expected={"N": str(number)},
        )

    def go_back(self, dataset_id: str, *, to: int, before: int) -> None:
        """Let numbers that ended before they were there, and were never decided, be shown; and begin what is kept with the first of them."""
        for number in range(to, before):
            self._update(
                dataset_id,
                revision_part(number),
                {},
                remove=("withdrawn_at",),
                only_if="attribute_not_exists(released_at)",
            )
        self._update(
            dataset_id,
            "dataset",
            {"kept_from": {"N": str(to)}},
            only_if="kept_from = :expected",
            expected={"N": str(before)},
        )

    def first_since(self, dataset_id: str, standing: Standing, moment: datetime) -> int:
        """The first number that may be of a revision that was released since."""
        for number in range(standing.kept_from, standing.latest + 1):
            item = self._get(dataset_id, revision_part(number))
            released_at = None if item is None else read_moment(item, "released_at")
            if released_at is not None and released_at >= moment:
                return number
        return max(standing.kept_from, standing.latest + 1)

    def _update(
        self,
        dataset_id: str,
        part: str,
        values: Item,
        *,
        remove: Sequence[str] = (),
        only_if: str = "",
        expected: Item | None = None,
    ) -> bool:
        """Set and remove attributes, if the item is as it is expected; whether it was."""
        changes = [f"#{name} = :{name}" for name in values]
        removed = f" REMOVE {', '.join(f'#{name}' for name in remove)}" if remove else ""
        told = {f":{name}": value for name, value in values.items()}
        if expected:
            told[":expected"] = expected
        asked: dict[str, Any] = {
            "TableName": self._table,
            "Key": {"dataset_id": {"S": dataset_id}, "part": {"S": part}},
            "UpdateExpression": (f"SET {', '.join(changes)}" if changes else "") + removed,
            "ExpressionAttributeNames": {f"#{name}": name for name in (*values, *remove)},
            **({"ExpressionAttributeValues": told} if told else {}),
            **({"ConditionExpression": only_if} if only_if else {}),
        }
        try:
            self._client.update_item(**asked)
        except ClientError as error:
            if code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _get(self, dataset_id: str, part: str) -> Item | None:
        answer = self._client.get_item(
            TableName=self._table,
            Key={"dataset_id": {"S": dataset_id}, "part": {"S": part}},
            ConsistentRead=True,
        )
        return answer.get("Item")

    def _query(self, dataset_id: str, begins: str) -> Iterator[Item]:
        condition = "dataset_id = :dataset" + (" AND begins_with(part, :begins)" if begins else "")
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues={
                ":dataset": {"S": dataset_id},
                **({":begins": {"S": begins}} if begins else {}),
            },
            ConsistentRead=True,
        )
        return (item for page in pages for item in page["Items"])
