"""Amazon S3: the lake's raw bucket as the worker uses it for shared facts: list and write, never read.

What stands there is known by its ETag in a listing. S3 asks for `s3:GetObject` besides where a write is for one version alone
(docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.infra.database import forbid_transaction
from amply.modules.sharing import FileMoved

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LIMITS: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
_MOVED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})
_PARQUET: Final = "application/vnd.apache.parquet"


class S3RawFiles:
    """Files of facts, replaced by conditional writes only."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def version(self, path: str) -> str | None:
        """The current ETag, or None."""
        forbid_transaction("S3: look for a raw file")
        listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=path, MaxKeys=1)
        found = {each["Key"]: each["ETag"] for each in listed.get("Contents", [])}
        return found.get(path)

    def write(self, path: str, content: bytes, *, replaces: str | None) -> None:
        """Replace the given version by a whole file; None: create it.

        Raises:
            FileMoved: Something else stands there.
        """
        forbid_transaction("S3: write a raw file")
        try:
            if replaces is None:
                self._client.put_object(
                    Bucket=self._bucket, Key=path, Body=content, ContentType=_PARQUET, IfNoneMatch="*"
                )
            else:
                self._client.put_object(
                    Bucket=self._bucket, Key=path, Body=content, ContentType=_PARQUET, IfMatch=replaces
                )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MOVED:
                raise FileMoved(path) from error
            raise
