"""Amazon S3: export files, written by multipart upload and downloaded by presigned URL.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html: parts have 5 MiB or more, all but the last.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from amply.infra.database import forbid_transaction

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Objects encrypted by KMS require Signature Version 4.
_LIMITS: Final = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "max_attempts": 3},
    signature_version="s3v4",
)
PART_BYTES: Final = 8 * 1024 * 1024


class S3Exports:
    """The exports bucket, whose lifecycle rule deletes files after days."""

    def __init__(self, *, bucket: str) -> None:
        self._bucket = bucket
        self._client: S3Client = boto3.client("s3", config=_LIMITS)

    def write(self, path: str, pieces: Iterable[bytes], *, media_type: str) -> None:
        """Multipart upload in parts of 8 MiB; small files in one request. The object appears only when complete."""
        forbid_transaction("S3: write an export")
        held, upload = bytearray(), None
        parts: list[Any] = []
        try:
            for piece in pieces:
                held += piece
                if len(held) >= PART_BYTES:
                    upload = upload or self._begin(path, media_type)
                    parts.append(self._part(path, upload, len(parts) + 1, bytes(held)))
                    held.clear()
            if upload is None:
                self._client.put_object(
                    Bucket=self._bucket, Key=path, Body=bytes(held), ContentType=media_type
                )
                return
            if held:
                parts.append(self._part(path, upload, len(parts) + 1, bytes(held)))
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=path, UploadId=upload, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            if upload is not None:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=path, UploadId=upload)
            raise

    def link(self, path: str, *, filename: str, media_type: str, lasts: timedelta) -> str:
        """A presigned URL, computed locally with this process's credentials."""
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": path,
                "ResponseContentDisposition": f'attachment; filename="{filename}"',
                "ResponseContentType": media_type,
                "ResponseCacheControl": "no-store",
            },
            ExpiresIn=int(lasts.total_seconds()),
        )

    def _begin(self, path: str, media_type: str) -> str:
        begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=path, ContentType=media_type)
        return begun["UploadId"]

    def _part(self, path: str, upload: str, number: int, body: bytes) -> Any:
        sent = self._client.upload_part(
            Bucket=self._bucket, Key=path, UploadId=upload, PartNumber=number, Body=body
        )
        return {"ETag": sent["ETag"], "PartNumber": number}
