"""The release ledger on Amazon S3: records and batches in a bucket of their own, written only if absent.

`DATASET/records/00000000.json` and `DATASET/files/batch-SHA256.parquet`. Nothing there is changed or deleted, so that
what was read once is read from this process's folder as long as the copy is there.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import boto3
from botocore.exceptions import ClientError

from amply_lake import LedgerConflict, LedgerError, ReleaseLedger
from amply_releases.aws.calls import LIMITS, code
from amply_releases.aws.objects import IS_THERE, MEANWHILE
from amply_releases.aws.replicated import is_replicated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FILES: Final = "files"
AT_ONCE: Final = 8
"""Records that are asked for at a time: a process that begins has thousands to fetch, one small object each."""


class S3Ledgers:
    """All datasets' ledgers in one bucket. `scratch` is a folder for copies; `has_copies`: whether the bucket is copied to another region."""

    def __init__(self, *, bucket: str, scratch: Path, has_copies: bool) -> None:
        self._has_copies = has_copies
        self._bucket, self._scratch = bucket, scratch
        self._client: S3Client = boto3.client("s3", config=LIMITS)
        self._copied: set[str] = set()
        self._open: dict[str, _S3Ledger] = {}

    def of(self, dataset_id: str) -> ReleaseLedger:
        """A dataset's: the same until its copies are dropped, so that what was read of it is not read again."""
        if dataset_id not in self._open:
            place = self._scratch / dataset_id
            self._open[dataset_id] = _S3Ledger(self._client, self._bucket, dataset_id, place)
        return self._open[dataset_id]

    def is_copied(self, dataset_id: str) -> bool:
        """Whether all of it stands in the second region too. Nothing in it is changed, so that each object is asked until it does."""
        if not self._has_copies:
            return True
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{dataset_id}/"
        )
        keys = sorted({found["Key"] for page in pages for found in page.get("Contents", [])} - self._copied)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda key: is_replicated(self._client, self._bucket, key), keys)
            for key, is_there in zip(keys, found, strict=True):
                if is_there:  # kept at once: an answer that fails later loses none of thousands
                    self._copied.add(key)
        return self._copied.issuperset(keys)

    def drop_copies(self, dataset_id: str) -> None:
        """Batches are as large as all that was ever released; records are small, and stay."""
        self._open.pop(dataset_id, None)
        shutil.rmtree(self._scratch / dataset_id / FILES, ignore_errors=True)


class _S3Ledger:
    def __init__(self, client: "S3Client", bucket: str, dataset_id: str, scratch: Path) -> None:
        self._client, self._bucket, self._dataset = client, bucket, dataset_id
        self._records, self._files = scratch / "records", scratch / FILES
        for each in (self._records, self._files):
            each.mkdir(parents=True, exist_ok=True)

    def records(self, first: int = 0) -> Iterator[bytes]:
        """The records from this number on, in order, which is that of S3's lists."""
        prefix = f"{self._dataset}/records/"
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=prefix,
            StartAfter=f"{prefix}{first - 1:08}.json" if first else prefix,
        )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for page in pages:
                keys = [found["Key"] for found in page.get("Contents", [])]
                for place in pool.map(self._record, keys):
                    yield place.read_bytes()

    def _record(self, key: str) -> Path:
        return self._copy(key, self._records / key.rpartition("/")[2], None)

    def append(self, number: int, record: bytes) -> None:
        """Add a record where there is none of this number; one that was added unseen (its answer was lost) is added."""
        name = f"records/{number:08}.json"
        try:
            self._put(name, record)
        except ClientError as error:
            if code(error) not in {IS_THERE, MEANWHILE}:
                raise
            if code(error) == IS_THERE and self._read(name) == record:
                return
            raise LedgerConflict(
                "somebody else has released meanwhile; nothing was written, try again"
            ) from error

    def keep(self, name: str, path: Path) -> None:
        """Keep a copy of a file; its name holds its hash, so that what is there already is the same."""
        with path.open("rb") as file:
            try:
                self._put(f"files/{name}", file)
            except ClientError as error:
                if code(error) != IS_THERE:
                    raise

    def fetch(self, name: str) -> Path:
        """A kept file."""
        try:
            return self._copy(f"{self._dataset}/files/{name}", self._files / name, name)
        except ClientError as error:
            if code(error) != "NoSuchKey":
                raise
            raise LedgerError(
                f"the release ledger lacks the file {name}; restore it from its versions, and try again"
            ) from error

    def _put(self, name: str, body: bytes | BinaryIO) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=f"{self._dataset}/{name}", Body=body, IfNoneMatch="*"
        )

    def _read(self, name: str) -> bytes:
        return self._client.get_object(Bucket=self._bucket, Key=f"{self._dataset}/{name}")["Body"].read()

    def _copy(self, key: str, place: Path, named: str | None) -> Path:
        """Fetch a file once; it is there under its name as a whole or not at all."""
        if place.exists():
            return place
        made = place.with_suffix(f".{os.getpid()}.new")
        with made.open("wb") as file:
            shutil.copyfileobj(self._client.get_object(Bucket=self._bucket, Key=key)["Body"], file)
        if named is not None and _digest(made) not in named:
            raise LedgerError(
                f"the release ledger's file {named} is not what its name says; restore it from its versions"
            )
        made.replace(place)
        return place


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
