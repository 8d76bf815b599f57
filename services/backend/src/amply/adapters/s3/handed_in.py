"""Amazon S3: the lake's raw bucket as ingestion uses it: form uploads, multipart writes, short-lived presigned URLs."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from amply.adapters.s3.exports import S3Exports
from amply.adapters.s3.uploads import S3Uploads, is_missing
from amply.infra.database import forbid_transaction
from amply.modules.ingestion import FileReason, FileRefused, Pieces


class S3HandedIn(S3Uploads, S3Exports):
    """Upload forms like `S3Uploads`, multipart writes and links like `S3Exports`. Encrypted with the lake's key."""

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        """Store a file sent within a request."""
        forbid_transaction("S3: hand in")
        self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=media_type)

    def has(self, path: str) -> bool:
        """Whether the object exists, by its first bytes."""
        return self.look(path) is not None

    @contextmanager
    def open(self, key: str, *, version: str | None) -> Iterator[Pieces]:
        """Stream the version that was inspected."""
        forbid_transaction("S3: read what was handed in")
        try:
            found = (
                self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version)
                if version
                else self._client.get_object(Bucket=self._bucket, Key=key)
            )
        except ClientError as error:
            if is_missing(error):
                raise FileRefused(FileReason.GONE) from error
            raise
        body = found["Body"]
        try:
            yield body
        finally:
            body.close()
