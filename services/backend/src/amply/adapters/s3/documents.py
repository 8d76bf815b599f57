"""Amazon S3: documents of organisations, uploaded by signed form (`uploads`) and read by presigned URL."""

from datetime import timedelta
from typing import Final

from amply.adapters.s3.uploads import S3Uploads

_ENDINGS: Final = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


class S3Documents(S3Uploads):
    """The prefix `applications/` of the documents bucket."""

    def link(self, key: str, *, version: str | None, media_type: str, lifetime: timedelta) -> str:
        """A presigned download URL with `Content-Disposition: attachment`, so that no browser renders the file."""
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
