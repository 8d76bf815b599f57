"""Presigned S3 URLs, valid for minutes, since whoever has one can download."""

from datetime import datetime, timedelta
from typing import Any, Final

LONGEST: Final = timedelta(minutes=5)
"""A link that is out outlives a revocation by this much at most."""


class Links:
    """`s3` is a client of botocore's; signing asks nobody."""

    def __init__(self, s3: Any, *, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def to(self, key: str, *, now: datetime, until: datetime) -> tuple[str, datetime]:
        """A link to one file and when it ends: never after `until`, when the grant does."""
        lasting = max(timedelta(seconds=1), min(LONGEST, until - now))
        url = self._s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._bucket, "Key": key},
            ExpiresIn=int(lasting.total_seconds()),
        )
        return str(url), now + timedelta(seconds=int(lasting.total_seconds()))
