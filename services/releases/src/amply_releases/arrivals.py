"""Parses arrival messages: one file of one dataset in the raw lake."""

import json
import re
from dataclasses import dataclass
from typing import Final

DONATIONS: Final = "donations"
"""The platform's own dataset: facts of gifts that donors let be shared."""
_NAME: Final = r"dt=\d{4}-\d{2}-\d{2}/[A-Za-z0-9][A-Za-z0-9._-]{0,200}"
_FACTS: Final = re.compile(rf"{DONATIONS}/(?P<name>{_NAME}\.parquet)", re.ASCII)
_HANDED_IN: Final = re.compile(
    rf"datasets/(?P<dataset>[a-z][a-z0-9_]{{0,62}})/(?P<name>{_NAME}\.(?:parquet|csv\.gz))", re.ASCII
)


class NoArrivalError(Exception):
    """The message tells of no file that was handed in as it should be; the text says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """That something was written under a key; what stands there now is asked for, and not believed."""

    dataset_id: str
    key: str
    name: str
    """The key without its dataset: a day, and the file."""

    @classmethod
    def of(cls, body: str) -> "Arrival":
        """From a message of the queue: S3's event as EventBridge gives it.

        Raises:
            NoArrivalError: It is something else.
        """
        try:
            key = str(json.loads(body)["detail"]["object"]["key"])
        except (KeyError, TypeError, ValueError) as error:
            raise NoArrivalError("This is no event of S3 about an object.") from error
        if found := _FACTS.fullmatch(key):
            return cls(dataset_id=DONATIONS, key=key, name=found["name"])
        found = _HANDED_IN.fullmatch(key)
        if found is None or found["dataset"] == DONATIONS:
            raise NoArrivalError(
                "The object is neither donations/dt=DAY/NAME nor datasets/DATASET/dt=DAY/NAME."
            )
        return cls(dataset_id=found["dataset"], key=key, name=found["name"])
