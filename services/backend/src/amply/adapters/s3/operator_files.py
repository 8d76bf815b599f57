"""Amazon S3: files that operators upload for a command run as a task, since AWS keeps the command line itself."""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.adapters.s3.uploads import is_missing
from amply.infra.database import forbid_transaction

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX: Final = "operators/"
_LIMITS: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})


class S3OperatorFiles:
    """A prefix of the exports bucket, whose lifecycle rule deletes files after days."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def read(self, name: str, *, bytes_max: int) -> bytes | None:
        """Read up to this many bytes; None if there is no file."""
        forbid_transaction("S3: read an operator's file")
        try:
            with self._client.get_object(Bucket=self._bucket, Key=f"{PREFIX}{name}")["Body"] as body:
                return body.read(bytes_max)
        except ClientError as error:
            if is_missing(error):
                return None
            raise

    def remove(self, name: str) -> None:
        """Put a delete marker; the lifecycle rule removes the version."""
        forbid_transaction("S3: remove an operator's file")
        self._client.delete_object(Bucket=self._bucket, Key=f"{PREFIX}{name}")
