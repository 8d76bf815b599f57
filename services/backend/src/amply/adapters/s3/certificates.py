"""Amazon S3: reads the certificates beside released data. Reads nothing else of the bucket."""

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from amply.infra.database import forbid_transaction
from amply.modules.seller_portal import TablesAway

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BYTES_MAX: Final = 128 * 1024
"""Size limit of a certificate: docs/data-platform.md."""
_LIMITS: Final = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
_NOT_THERE: Final = frozenset({"NoSuchKey", "404", "AccessDenied"})
"""Without permission to list the bucket, a missing object gives AccessDenied."""


class S3Certificates:
    """The curated bucket."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def read(self, place: str) -> bytes | None:
        """Read a certificate; None if it does not exist or exceeds the size limit.

        Raises:
            TablesAway: The store does not answer.
        """
        forbid_transaction("S3: read a certificate")
        try:
            with self._client.get_object(Bucket=self._bucket, Key=place)["Body"] as body:
                content = body.read(BYTES_MAX + 1)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _NOT_THERE:
                return None
            raise TablesAway from error
        except BotoCoreError as error:
            raise TablesAway from error
        return content if len(content) <= BYTES_MAX else None
