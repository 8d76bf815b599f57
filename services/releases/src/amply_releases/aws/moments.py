"""Timestamps in DynamoDB items: RFC 3339 text."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def read_moment(item: Mapping[str, Any], name: str) -> datetime | None:
    """What an attribute says, in UTC where nothing else is said; None: it is not there.

    Raises:
        KeyError, ValueError: It is no moment.
    """
    if name not in item:
        return None
    found = datetime.fromisoformat(item[name]["S"])
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:  # the last hours of the year 9999, as somebody may type them
        raise ValueError(name) from error
