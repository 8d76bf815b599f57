"""Amazon S3: implements the ledger's public log and archive, the audit archive, the erasure list, and the store of key trees
(`key_trees`).

Conditional writes do the work of locks: `If-None-Match: *` for what never changes, `If-Match` for the one object that
does (docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.adapters.s3.key_trees import S3KeyTrees
from amply.infra import erasures
from amply.infra.database import forbid_transaction
from amply.modules.audit import ArchiveDiffers
from amply.modules.ledger import AlreadyDifferent, CheckpointMoved, StoredCheckpoint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["S3Archive", "S3AuditArchive", "S3Erasures", "S3KeyTrees", "S3PublicLog"]

_LIMITS: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
SUPERSEDED: Final = ("amply-superseded", "true")
"""Key and value of the tag that the lifecycle of the public bucket looks for (`stacks/storage_lifecycle.py`)."""
_PREFIX: Final = "log/"
_AUDIT: Final = "audit/"
_CHECKPOINT: Final = "log/checkpoint"
_BINARY: Final = "application/octet-stream"
_TEXT: Final = "text/plain; charset=utf-8"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_BRIEFLY: Final = "public, max-age=60"
_NOT_AT_ALL: Final = "no-cache"


class S3PublicLog:
    """The bucket behind the edge's `/log/`: tiles, bundles and the checkpoint under the prefix `log/`."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def checkpoint(self) -> StoredCheckpoint | None:
        """Read the public checkpoint with its ETag."""
        forbid_transaction("S3: read the checkpoint")
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=_CHECKPOINT)
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise
        return StoredCheckpoint(note=found["Body"].read().decode(), version=found["ETag"])

    def put_full(self, path: str, body: bytes) -> None:
        """Store a full tile or bundle under `log/`, permanently."""
        _put_once(
            self._client, self._bucket, _PREFIX + path, body, content_type=_BINARY, cache_control=_FOR_EVER
        )

    def put_partial(self, path: str, body: bytes) -> None:
        """Store a partial tile or bundle under `log/`."""
        forbid_transaction("S3: put a partial tile")
        self._client.put_object(
            Bucket=self._bucket,
            Key=_PREFIX + path,
            Body=body,
            ContentType=_BINARY,
            CacheControl=_BRIEFLY,
        )

    def let_go(self, path: str) -> None:
        """Tag a partial tile or bundle for deletion by the bucket's lifecycle rule: this role may delete nothing."""
        forbid_transaction("S3: tag a partial tile")
        key, value = SUPERSEDED
        try:
            self._client.put_object_tagging(
                Bucket=self._bucket,
                Key=_PREFIX + path,
                Tagging={"TagSet": [{"Key": key, "Value": value}]},
            )
        except ClientError as error:
            if _code(error) != "NoSuchKey":
                raise

    def replace_checkpoint(self, note: str, *, replaces: str | None) -> None:
        """Write `log/checkpoint` if its ETag is unchanged."""
        forbid_transaction("S3: replace the checkpoint")
        try:
            if replaces is None:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=_CHECKPOINT,
                    Body=note.encode(),
                    ContentType=_TEXT,
                    CacheControl=_NOT_AT_ALL,
                    IfNoneMatch="*",
                )
            else:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=_CHECKPOINT,
                    Body=note.encode(),
                    ContentType=_TEXT,
                    CacheControl=_NOT_AT_ALL,
                    IfMatch=replaces,
                )
        except ClientError as error:
            if _code(error) in {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"}:
                raise CheckpointMoved("the public checkpoint changed since it was read") from error
            raise


class S3Archive:
    """The bucket with Object Lock: objects cannot be deleted."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def keep(self, path: str, body: bytes) -> None:
        """Store a copy under its path."""
        _put_once(self._client, self._bucket, path, body, content_type=_BINARY, cache_control=_FOR_EVER)


class S3AuditArchive:
    """The prefix `audit/` of the archive bucket."""

    prefix = _AUDIT

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def keep(self, path: str, body: bytes) -> None:
        """Store a file under its path, or find it there with the same bytes."""
        try:
            _put_once(self._client, self._bucket, path, body, content_type=_BINARY, cache_control=_FOR_EVER)
        except AlreadyDifferent as error:
            raise ArchiveDiffers(path) from error

    def read(self, path: str) -> bytes | None:
        """The file of this name, or None."""
        forbid_transaction("S3: read a file of the archive")
        try:
            return self._client.get_object(Bucket=self._bucket, Key=path)["Body"].read()
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise

    def names(self) -> list[str]:
        """The names of all files below the prefix, in order."""
        forbid_transaction("S3: list files of the archive")
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self.prefix
        )
        return [found["Key"] for page in pages for found in page.get("Contents", [])]


class S3Erasures(S3AuditArchive):
    """The prefix `erased/` of the archive bucket: digests of erased ids, for restored databases."""

    prefix = erasures.PREFIX


def _put_once(
    client: "S3Client", bucket: str, key: str, body: bytes, *, content_type: str, cache_control: str
) -> None:
    """Write an object that does not exist; one that exists must be the same, byte for byte."""
    forbid_transaction("S3: put")
    try:
        client.put_object(
            Bucket=bucket,
            Key=key,
            Body=body,
            ContentType=content_type,
            CacheControl=cache_control,
            IfNoneMatch="*",
        )
    except ClientError as error:
        if _code(error) != "PreconditionFailed":
            raise
        if client.get_object(Bucket=bucket, Key=key)["Body"].read() != body:
            raise AlreadyDifferent(key) from error


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
