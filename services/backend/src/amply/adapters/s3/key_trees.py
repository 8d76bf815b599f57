"""Amazon S3: the key trees, one object for each version, overwritten when a leaf is punctured, old versions expiring within
days.

`If-Match` lets no write go over another one that was made since it was read
(docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from amply.infra.database import forbid_transaction
from amply.infra.vault import KeyTreeAway, KeyTreeMoved, StoredTree

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LIMITS: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})
"""Short, because a process without a tree waits for this before it responds."""
_UNCHANGED: Final = frozenset({"304", "NotModified"})
_MOVED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"})


class S3KeyTrees:
    """A bucket of key trees only. Their bytes are encrypted before they are uploaded."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def read(self, name: str, *, unless: str | None = None) -> StoredTree | None:
        """Read a tree, or None. If its mark is known already, the body is omitted.

        Raises:
            KeyTreeAway: S3 did not answer, or refused.
        """
        forbid_transaction("S3: read a tree of keys")
        try:
            found = (
                self._client.get_object(Bucket=self._bucket, Key=name, IfNoneMatch=unless)
                if unless is not None
                else self._client.get_object(Bucket=self._bucket, Key=name)
            )
            return StoredTree(body=found["Body"].read(), mark=found["ETag"])
        except ClientError as error:
            if _code(error) in _UNCHANGED and unless is not None:
                return StoredTree(body=b"", mark=unless)
            if _code(error) == "NoSuchKey":
                return None
            raise _away(error) from error
        except BotoCoreError as error:
            raise _away(error) from error

    def write(self, name: str, body: bytes, *, replaces: str | None) -> str:
        """Replace the tree with this mark, or create the first one; returns the new mark.

        Raises:
            KeyTreeMoved: What is there has another mark.
            KeyTreeAway: S3 did not answer, or refused.
        """
        forbid_transaction("S3: write a tree of keys")
        try:
            written = (
                self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfMatch=replaces)
                if replaces is not None
                else self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*")
            )
        except ClientError as error:
            if _code(error) in _MOVED:
                raise KeyTreeMoved("The tree of keys has changed since it was read.") from error
            raise _away(error) from error
        except BotoCoreError as error:
            raise _away(error) from error
        return written["ETag"]


def _away(error: Exception) -> KeyTreeAway:
    return KeyTreeAway(
        f"The tree of keys could not be read or written ({type(error).__name__}): see docs/runbooks/alarms/key-trees.md."
    )


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
