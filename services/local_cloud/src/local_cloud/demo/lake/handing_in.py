"""Data of others, as the raw bucket and the table of datasets have it."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from local_cloud.demo.lake.data_platform import DataPlatform

_OWNER_DAYS: Final = "30"


def describe(
    platform: DataPlatform, dataset: str, *, title: str, owner: str, columns: Sequence[Mapping[str, Any]]
) -> None:
    policy = {
        "format": 1,
        "id": "default-v2",
        "description": "Made of the columns of a dataset that is handed in.",
        "k": 20,
        "l": 2,
        "suppression_limit": "0.2",
        "retention_days": {"raw": 90, "anonymised": 365},
        "columns": {column["name"]: _told(column) for column in columns},
    }
    said = {"owner": owner, "title": title, "policy": json.dumps(policy), "class": "custom", "state": "open"}
    item = {name: {"S": value} for name, value in said.items()}
    platform.cloud.dynamodb.put_item(
        TableName=platform.named("DATASETS_TABLE"),
        Item={
            "dataset_id": {"S": dataset},
            "part": {"S": "source"},
            **item,
            "version": {"N": "1"},
            "release_every_days": {"N": _OWNER_DAYS},
        },
    )


def hand_in(
    platform: DataPlatform, dataset: str, rows: Sequence[Mapping[str, Any]], *, today: date, name: str
) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    named = f"dt={today.isoformat()}/{name}.csv.gz"
    platform.put_raw(f"datasets/{dataset}/{named}", gzip.compress(written.getvalue().encode(), mtime=0))
    return named


def _told(column: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"role": column["role"]}
    for name in ("publish_as", "generalise"):
        if name in column:
            told[name] = column[name]
    return told
