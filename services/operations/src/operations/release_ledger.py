"""Repairs a partly replicated release ledger after failover.

`python -m operations.release_ledger BUCKET DATASET --shown NUMBER [--cut]`

S3 copies each object by itself. A region that is lost between two uploads can leave a record without the one before it, or a
batch's record without its file; such a ledger is refused, and its dataset released no more. What begins there was never shown to
anybody: a revision is shown once its whole ledger is copied (ADR 0148). So it is taken away, by delete markers, and the files of it
wait as they did. Without `--cut` it says what would go. In the account and region of the credentials that are used.
Exit codes: 0 nothing is missing, or it is cut; 1 something is missing, and nothing was cut; 2 refused; 3 S3 could not be asked.
"""

import hashlib
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import boto3
import click
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

MISSING, REFUSED, UNREACHABLE = 1, 2, 3
_EVERYBODY: Final = "all"
_RELEASES: Final = frozenset({"release", "released"})
_PATIENCE: Final = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 5})


class Store(Protocol):
    """A dataset's objects, by names such as `records/00000000.json` and `files/batch-….parquet`."""

    def names(self) -> Sequence[str]:
        """All there are, in order."""

    def read(self, name: str) -> bytes:
        """One of them."""

    def delete(self, name: str) -> None:
        """Put a delete marker over it."""


class ShownError(Exception):
    """More is missing than a lost region takes along: the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Half:
    """How many records are whole, and what is left over: records, the last one first, and then files."""

    whole: int
    left_over: Sequence[str]


def look(store: Store, *, shown: int) -> Half:
    """Find the first record that is missing, does not follow on the one before, or whose file is missing.

    Raises:
        ShownError: The whole part does not have the release that was `shown` last (0: none was).
    """
    names = store.names()
    there, records = set(names), [name for name in names if name.startswith("records/")]
    kept: list[Mapping[str, Any]] = []
    last = ""
    while (name := f"records/{len(kept):08}.json") in there:
        raw = store.read(name)
        record = json.loads(raw)
        if record["previous"] != last or not _has_its_file(record, there):
            break
        kept.append(record)
        last = hashlib.sha256(raw).hexdigest()
    _refuse_what_was_shown(kept, shown)
    files = {f"files/{record['file']}" for record in kept if record["kind"] == "batch"}
    return Half(
        whole=len(kept),
        left_over=[
            *reversed(records[len(kept) :]),
            *(name for name in names if name.startswith("files/") and name not in files),
        ],
    )


def _has_its_file(record: Mapping[str, Any], there: Collection[str]) -> bool:
    return record["kind"] != "batch" or f"files/{record['file']}" in there


def _refuse_what_was_shown(kept: Sequence[Mapping[str, Any]], shown: int) -> None:
    newest = max(
        (
            record["number"]
            for record in kept
            if record["kind"] in _RELEASES and record["buyer"] == _EVERYBODY
        ),
        default=0,
    )
    if newest < shown:
        raise ShownError(
            f"Revision {shown} was shown, and the whole part of the ledger ends with revision {newest}: this is no half that a lost "
            "region left. Release nothing, cut nothing, and restore what is missing from versions or from the other region."
        )


def cut(store: Store, half: Half) -> None:
    """The last record first, so that whoever is interrupted leaves less of the same; it may be repeated."""
    for name in half.left_over:
        store.delete(name)


class S3Store:
    """A dataset's part of the bucket `Ledger`."""

    def __init__(self, bucket: str, dataset: str) -> None:
        self._s3 = boto3.client("s3", config=_PATIENCE)
        self._bucket, self._below = bucket, f"{dataset}/"

    def names(self) -> Sequence[str]:
        """All there are, in order."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._below)
        return sorted(
            found["Key"].removeprefix(self._below) for page in pages for found in page.get("Contents", [])
        )

    def read(self, name: str) -> bytes:
        """One of them."""
        return self._s3.get_object(Bucket=self._bucket, Key=self._below + name)["Body"].read()

    def delete(self, name: str) -> None:
        """Put a delete marker over it: its versions stay."""
        self._s3.delete_object(Bucket=self._bucket, Key=self._below + name)


@click.command()
@click.argument("bucket")
@click.argument("dataset")
@click.option(
    "--shown",
    required=True,
    type=click.IntRange(min=0),
    help="`latest` of the dataset's item; 0 if it has none.",
)
@click.option("--cut", "asked", is_flag=True, help="Take away what is left over.")
def main(bucket: str, dataset: str, shown: int, *, asked: bool) -> None:
    """See whether the ledger of DATASET in BUCKET is whole, while nothing writes into it."""
    try:
        store = S3Store(bucket, dataset)
        half = look(store, shown=shown)
        if asked:
            cut(store, half)
    except ShownError as refused:
        click.echo(str(refused), err=True)
        sys.exit(REFUSED)
    except (ValueError, KeyError) as unreadable:
        click.echo(f"A record is no record of a release ledger ({unreadable!r}); nothing was cut.", err=True)
        sys.exit(REFUSED)
    except (BotoCoreError, ClientError) as failure:
        click.echo(f"S3 could not be asked: {failure}", err=True)
        sys.exit(UNREACHABLE)
    for name in half.left_over:
        click.echo(f"{dataset}/{name}")
    click.echo(f"{dataset}: {half.whole} records are whole; {len(half.left_over)} objects are left over.")
    sys.exit(MISSING if half.left_over and not asked else 0)


if __name__ == "__main__":
    main()
