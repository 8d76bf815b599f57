"""Conversion of DynamoDB items, and detection of failed condition expressions.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

Item = Mapping[str, Any]

_NOT_SO: Final = "ConditionalCheckFailed"


def texts(words: Mapping[str, str]) -> dict[str, Any]:
    """Encode as a list of strings."""
    return {name: {"S": value} for name, value in words.items()}


def number(value: int) -> dict[str, str]:
    """Encode as a number."""
    return {"N": str(value)}


def text(item: Item, name: str) -> str:
    """Decode a string or number. Raises KeyError if it is missing."""
    return str(next(iter(item[name].values())))


def text_or_none(item: Item, name: str) -> str | None:
    return text(item, name) if name in item else None


def whole(item: Item, name: str) -> int:
    return int(text(item, name))


def whole_or_none(item: Item, name: str) -> int | None:
    return whole(item, name) if name in item else None


def moment(item: Item, name: str) -> datetime:
    return datetime.fromisoformat(text(item, name)).astimezone(UTC)


def moment_or_none(item: Item, name: str) -> datetime | None:
    return moment(item, name) if name in item else None


def is_refused(error: ClientError) -> bool:
    """Whether an error is a failed condition of a write or of a transaction's item."""
    code = error.response.get("Error", {}).get("Code")
    if code == "TransactionCanceledException":
        return any(reason.get("Code") == _NOT_SO for reason in error.response.get("CancellationReasons", []))
    return code == f"{_NOT_SO}Exception"
