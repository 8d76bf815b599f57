"""Where Lambda comes in. A message that fails is given back alone; the queue sets it aside after its last attempt."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from amply_etl.arrivals import Arrival

Release = Callable[[Arrival], None]


class NoAnonymiserError(Exception):
    """What is handed in is never released as it is."""

    def __init__(self) -> None:
        super().__init__("No anonymiser is connected: nothing is released, and what was handed in waits.")


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    return handle(event, release=_nothing)


def handle(event: Mapping[str, Any], *, release: Release) -> dict[str, Any]:
    """Answers which messages failed (`ReportBatchItemFailures`); one of them does not take the others along."""
    failed = [message["messageId"] for message in event["Records"] if not _handled(message, release)]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}


def _handled(message: Mapping[str, Any], release: Release) -> bool:
    try:
        release(Arrival.of(message))
    except Exception as error:  # noqa: BLE001 -- whatever it is, the message must come again and then be set aside
        _say("arrival_failed", message=str(message.get("messageId")), why=type(error).__name__)
        return False
    _say("arrival_released", message=str(message.get("messageId")))
    return True


def _nothing(_arrival: Arrival) -> None:
    raise NoAnonymiserError


def _say(event: str, **more: str) -> None:
    print(json.dumps({"event": event, **more}))  # noqa: T201 -- how a function writes to its log
