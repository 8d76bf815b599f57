"""Amazon S3: reads the raw lake, writes the curated bucket."""

import base64
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import boto3
from botocore.exceptions import ClientError

from amply_lake import LakeError
from amply_releases.aws.calls import LIMITS, code
from amply_releases.aws.replicated import is_replicated
from amply_releases.ports import Object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NOT_THERE: Final = frozenset({"NoSuchKey", "NotFound", "404"})
IS_THERE: Final = "PreconditionFailed"
"""How S3 refuses a write that must find nothing, and finds something."""
MEANWHILE: Final = "ConditionalRequestConflict"
"""How it refuses one that another request came between: it says nothing of what is there, and the write has to be tried again
(docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)."""
_NOT_SEEN: Final = _NOT_THERE | {"403"}
"""How S3 answers of what is not there whoever may not list the bucket
(docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html)."""
_TYPES: Final = {".parquet": "application/vnd.apache.parquet"}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class S3Raw:
    """What comes in, as it stands now."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=LIMITS)

    def look(self, key: str) -> Object | None:
        """Its ETag and size; None: it is not there any more."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code(error) in _NOT_THERE:
                return None
            raise
        return Object(found["ETag"], found["ContentLength"])

    def fetch(self, key: str, into: Path) -> Object | None:
        """Copy it, and say what it was."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code(error) in _NOT_THERE:
                return None
            raise
        with into.open("wb") as file:
            shutil.copyfileobj(found["Body"], file)
        return Object(found["ETag"], found["ContentLength"])


class S3Curated:
    """What buyers' links lead to. Nothing in it is written twice: a name says which release it is of.

    `has_copies`: whether the bucket is copied to another region.
    """

    def __init__(self, *, bucket: str, has_copies: bool) -> None:
        self._bucket, self._has_copies = bucket, has_copies
        self._client: S3Client = boto3.client("s3", config=LIMITS)

    def put(self, key: str, path: Path) -> None:
        """Store it where there is nothing, or the same.

        Raises:
            LakeError: Something else stands there: buyers would be served other bytes than their certificate names.
        """
        kind = _TYPES.get(path.suffix, "text/plain; charset=utf-8")
        with path.open("rb") as file:
            digest = _digest(file)
            file.seek(0)
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=file,
                    ContentType=kind,
                    IfNoneMatch="*",
                    ChecksumSHA256=digest,
                )
            except ClientError as error:
                if code(error) != IS_THERE:
                    raise
                self._compare(key, path.stat().st_size, digest)

    def _compare(self, key: str, size_bytes: int, digest: str) -> None:
        """By what S3 keeps of it; what was stored without a checksum is read."""
        there = self._client.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        if there["ContentLength"] == size_bytes:
            kept = there.get("ChecksumSHA256") or _digest(
                self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            )
            if kept == digest:
                return
        raise LakeError(
            f"{key} of the curated bucket holds something else than its certificate says, "
            "and nobody was shown it; find out what wrote it, and delete it"
        )

    def are_copied(self, keys: Sequence[str]) -> bool:
        """Whether these stand in the second region too; without one there is nothing to wait for."""
        return not self._has_copies or all(is_replicated(self._client, self._bucket, key) for key in keys)

    def are_being_copied(self, keys: Sequence[str]) -> bool:
        """Whether all of these are stored here, and the second region lacks one of them."""
        if not self._has_copies:
            return False
        try:
            copied = [is_replicated(self._client, self._bucket, key) for key in keys]
        except ClientError as error:
            if code(error) in _NOT_SEEN:
                return False
            raise
        return not all(copied)


def _digest(body: _Readable) -> str:
    """As S3 writes a SHA-256."""
    told = hashlib.sha256()
    while some := body.read(1 << 20):
        told.update(some)
    return base64.b64encode(told.digest()).decode()
