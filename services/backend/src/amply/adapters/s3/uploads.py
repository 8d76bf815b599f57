"""Amazon S3: presigned upload forms for a private bucket, and inspection of what was uploaded.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html: S3 itself holds what is uploaded to the
form's conditions: this name, this type, this size at most.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.infra.database import forbid_transaction
from amply.infra.uploads import LOOKED_AT_BYTES, StoredUpload, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LIMITS: Final = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 3},
    # Objects encrypted by KMS require Signature Version 4.
    signature_version="s3v4",
    # The bucket's own host in its region, which the pages' policy names; without it forms lead to the global one, which
    # sends browsers on from there while a bucket is new. In us-east-1 the global one is botocore's default.
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
)


class S3Uploads:
    """A prefix of the documents bucket, which is encrypted with the data key."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def offer(self, key: str, *, media_type: str, bytes_max: int, lifetime: timedelta) -> Upload:
        """Create a presigned form for one file."""
        made = self._client.generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": media_type},
            Conditions=[{"Content-Type": media_type}, ["content-length-range", 1, bytes_max]],
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return Upload(url=made["url"], fields=made["fields"])

    def look(self, key: str) -> StoredUpload | None:
        """Size, first bytes and version of an upload."""
        forbid_transaction("S3: look at an upload")
        try:
            found = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes=0-{LOOKED_AT_BYTES - 1}"
            )
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        size = int(found["ContentRange"].rpartition("/")[2])
        version = found.get("VersionId")
        return StoredUpload(
            size_bytes=size,
            beginning=found["Body"].read(),
            version=None if version in (None, "null") else version,
        )

    def take_away(self, key: str) -> None:
        """Put a delete marker; the lifecycle rule removes the version."""
        forbid_transaction("S3: take an upload away")
        self._client.delete_object(Bucket=self._bucket, Key=key)


def is_missing(error: ClientError) -> bool:
    """Whether S3's error means that the object does not exist or is empty."""
    return error.response.get("Error", {}).get("Code", "") in {
        *("NoSuchKey", "NoSuchVersion", "404", "InvalidRange")
    }
