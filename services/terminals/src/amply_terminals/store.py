"""The raw bucket as terminals use it: objects are never overwritten."""

from collections.abc import Iterator
from typing import Any, Final, Protocol

from botocore.exceptions import ClientError

_STANDS: Final = frozenset({"PreconditionFailed", "412"})
_ABSENT: Final = frozenset({"NoSuchKey", "404"})


class Store(Protocol):
    """Raises whatever the cloud says where it does not answer: the message comes again."""

    def get(self, key: str) -> bytes | None: ...

    def put_once(self, key: str, body: bytes) -> bool:
        """Write it where there is nothing; whether this call did."""
        ...

    def keys(self, prefix: str) -> Iterator[str]: ...


class RawBucket:
    """`s3` is a client of botocore's."""

    def __init__(self, s3: Any, *, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def get(self, key: str) -> bytes | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        body: bytes = answer["Body"].read()
        return body

    def put_once(self, key: str, body: bytes) -> bool:
        """S3 decides between two at once: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html.

        Where it answers 409, somebody else is writing: the error leaves, and the message comes again.
        """
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in _STANDS:
                return False
            raise
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", ()):
                yield found["Key"]
