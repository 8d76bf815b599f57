"""What a message tells of: one object that somebody handed in, for one dataset."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KEY = re.compile(
    r"incoming/(?P<dataset>[a-z][a-z0-9_]{0,62})/(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,200})", re.ASCII
)


class NoArrivalError(Exception):
    """The message tells of nothing that was handed in as it should be; the text says what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """`version` pins the bytes: what is written over it meanwhile is another arrival."""

    bucket: str
    key: str
    dataset_id: str
    size_bytes: int
    version: str

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> "Arrival":
        """From a message of the queue, whose body is S3's event as EventBridge gives it.

        Raises:
            NoArrivalError: It is something else.
        """
        try:
            detail = json.loads(message["body"])["detail"]
            found, bucket = detail["object"], str(detail["bucket"]["name"])
            key, size, version = str(found["key"]), int(found["size"]), str(found.get("version-id", ""))
        except (KeyError, TypeError, ValueError) as error:
            raise NoArrivalError(f"This is no event of S3 about an object ({error!r}).") from error
        named = _KEY.fullmatch(key)
        if named is None:
            raise NoArrivalError(f"{key!r} is not incoming/DATASET/NAME.")
        return cls(bucket=bucket, key=key, dataset_id=named["dataset"], size_bytes=size, version=version)
