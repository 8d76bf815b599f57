"""Conversion of items of the dataset table."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from amply_lake import read_policy
from amply_releases.arrivals import DONATIONS
from amply_releases.aws.moments import read_moment
from amply_releases.datasets import Source, Standing, Waiting, built_in
from amply_releases.ports import Revision

ARRIVED: Final = "arrived#"
REVISION: Final = "revision#"
_CLASSES: Final = frozenset({"iot", "pos", "crm", "web", "erp", "logs", "gifts", "custom"})
_STATES: Final = frozenset({"open", "closed"})
Item = Mapping[str, Any]


def source_of(dataset_id: str, item: Item) -> Source:
    """Where a dataset comes from, as its item `source` says. Raises KeyError, TypeError, ValueError or PolicyError where that makes no sense."""
    state = item["state"]["S"] if "state" in item else "open"
    if state not in _STATES:
        raise ValueError(state)
    asked_for, is_open = read_moment(item, "asked_for"), state == "open"
    if dataset_id == DONATIONS:
        return built_in(dataset_id, asked_for=asked_for, is_open=is_open)
    kind = item["class"]["S"] if "class" in item else "custom"
    days = int(item["release_every_days"]["N"])
    if days < 1 or kind not in _CLASSES:
        raise ValueError(days, kind)
    return Source(
        dataset_id=dataset_id,
        owner=item["owner"]["S"],
        title=item["title"]["S"],
        kind=kind,
        policy=read_policy(item["policy"]["S"].encode()),
        release_every=timedelta(days=days),
        is_open=is_open,
        asked_for=asked_for,
        of_donors=False,
    )


def standing_of(item: Item, *, now: datetime) -> Standing:
    """How far it has come, as its item `dataset` says."""
    return Standing(
        began_at=read_moment(item, "began_at") or now,
        tried_at=read_moment(item, "tried_at"),
        withdrawals_at=read_moment(item, "withdrawals_at"),
        withdrawn_until=date.fromisoformat(item["withdrawn_until"]["S"]),
        latest=int(item["latest"]["N"]) if "latest" in item else 0,
        kept_from=int(item["kept_from"]["N"]) if "kept_from" in item else 1,
        served_days=int(item["served_days"]["N"]) if "served_days" in item else None,
    )


def waiting_of(item: Item) -> Waiting:
    """A file that was noted."""
    return Waiting(
        dataset_id=item["dataset_id"]["S"],
        key=item["key"]["S"],
        name=item["part"]["S"].removeprefix(ARRIVED),
        etag=item["etag"]["S"],
        size_bytes=int(item["bytes"]["N"]),
    )


def told_of(source: Source, schema: str) -> dict[str, Any]:
    """What buyers and the owner are told of a dataset."""
    return {
        "title": {"S": source.title},
        "class": {"S": source.kind},
        "owner": {"S": source.owner},
        "schema": {"S": schema},
    }


def revision_item(revision: Revision) -> dict[str, Any]:
    """What is told of a revision."""
    lowest_l = {} if revision.l is None else {"l": {"N": str(revision.l)}}
    return {
        "released_at": moment_item(revision.released_at),
        "policy_id": {"S": revision.policy_id},
        "k": {"N": str(revision.k)},
        **lowest_l,
        "rows": {"N": str(revision.rows)},
        "certificate": {"S": revision.certificate},
        "certificate_sha256": {"S": revision.certificate_sha256},
    }


def revision_part(number: int) -> str:
    """Padded as `amply_marketplace.items` has it."""
    return f"{REVISION}{number:010}"


def moment_item(at: datetime) -> dict[str, str]:
    """A moment, in UTC."""
    return {"S": at.astimezone(UTC).isoformat()}
