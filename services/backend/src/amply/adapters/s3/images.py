"""Amazon S3: logos and banners, the uploads in the documents bucket and the generated files in the bucket behind `/media/*`."""

from botocore.exceptions import ClientError

from amply.adapters.s3.uploads import S3Uploads, is_missing
from amply.infra.database import forbid_transaction

_FOR_EVER = "public, max-age=31536000, s-maxage=86400, immutable"
"""Browsers cache for a year, the edge for a day (RFC 9111 §5.2.2.10), so that withdrawn files disappear from it."""


class S3Images(S3Uploads):
    """The prefix `images/` of the documents' bucket, and `media/` of the public one."""

    def __init__(self, *, uploads: str, media: str) -> None:
        super().__init__(bucket=uploads)
        self._media = media

    def read(self, key: str, *, version: str | None) -> bytes | None:
        """Read the inspected version; None if it is gone."""
        forbid_transaction("S3: read an image")
        try:
            found = (
                self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
                if version
                else self._client.get_object(Bucket=self._bucket, Key=key)
            )
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return found["Body"].read()

    def publish(self, path: str, content: bytes, *, media_type: str) -> None:
        """Store under a content-addressed name, so repeating is harmless."""
        forbid_transaction("S3: publish an image")
        self._client.put_object(
            Bucket=self._media, Key=path, Body=content, ContentType=media_type, CacheControl=_FOR_EVER
        )

    def withdraw(self, prefix: str) -> None:
        """Put delete markers on everything with this prefix; the lifecycle rule removes the versions."""
        forbid_transaction("S3: withdraw an image")
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._media, Prefix=prefix)
        for found in (each for page in pages for each in page.get("Contents", [])):
            self._client.delete_object(Bucket=self._media, Key=found["Key"])
