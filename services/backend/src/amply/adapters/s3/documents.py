"""Documents of organisations in a private bucket: uploaded by a signed form, read by signed links.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html: S3 itself holds what is uploaded to the
form's conditions: this name, this type, this size at most.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from amply.infra.database import forbid_transaction
from amply.modules.applications import LOOKED_AT_BYTES, Stored, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LIMITS: Final = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 3},
    # The only signature that objects under a key of KMS are read and written by.
    signature_version="s3v4",
)
_ENDINGS: Final = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


class S3Documents:
    """The prefix `applications/` of the documents' bucket. The bucket encrypts what comes with the data key."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def offer(self, key: str, *, media_type: str, bytes_max: int, lifetime: timedelta) -> Upload:
        """A form that uploads one file."""
        made = self._client.generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": media_type},
            Conditions=[{"Content-Type": media_type}, ["content-length-range", 1, bytes_max]],
            ExpiresIn=int(lifetime.total_seconds()),
        )
        return Upload(url=made["url"], fields=made["fields"])

    def look(self, key: str) -> Stored | None:
        """Its size, its first bytes, and its version."""
        forbid_transaction("S3: look at a document")
        try:
            found = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes=0-{LOOKED_AT_BYTES - 1}"
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code", "") in {"NoSuchKey", "404", "InvalidRange"}:
                return None
            raise
        size = int(found["ContentRange"].rpartition("/")[2])
        version = found.get("VersionId")
        return Stored(
            size_bytes=size,
            beginning=found["Body"].read(),
            version=None if version in (None, "null") else version,
        )

    def link(self, key: str, *, version: str | None, media_type: str, lifetime: timedelta) -> str:
        """An address to read it by: as a file that is saved, so that no browser runs what it holds."""
        asked = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentType": media_type,
            "ResponseContentDisposition": f'attachment; filename="document.{_ENDINGS.get(media_type, "bin")}"',
            **({"VersionId": version} if version else {}),
        }
        return self._client.generate_presigned_url(
            "get_object", Params=asked, ExpiresIn=int(lifetime.total_seconds())
        )

    def take_away(self, key: str) -> None:
        """A marker upon it; the bucket's lifecycle forgets what lies beneath."""
        forbid_transaction("S3: take a document away")
        self._client.delete_object(Bucket=self._bucket, Key=key)
