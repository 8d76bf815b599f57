"""A terminal's messages, and a bucket in a dictionary."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from amply_terminals.handed import Handed

ORGANIZATION = "org_01k9z3v8x4e5t6y7m8n9p0q1r2"
LOBBY = f"{ORGANIZATION}:lobby"
NOW = datetime(2026, 11, 27, 23, 59, 58, tzinfo=UTC)
PRINCIPAL = "c" * 64


def gift(number: int = 17, **otherwise: object) -> dict[str, object]:
    return {
        "number": number,
        "at": "2026-11-27T23:59:50Z",
        "amount_minor": 500,
        "currency": "EUR",
        "method": "card",
    } | otherwise


def count(number: int = 4, **otherwise: object) -> dict[str, object]:
    return {
        "number": number,
        "at": "2026-11-27T23:45:00Z",
        "counter": "visitors",
        "count": 12,
        "seconds": 900,
    } | otherwise


def body(
    said: Mapping[str, object] | bytes,
    *,
    terminal: str = LOBBY,
    client: str | None = None,
    kind: str = "gifts",
    at: datetime = NOW,
    principal: str | None = PRINCIPAL,
) -> str:
    """As the rule puts it into the queue."""
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    handed: dict[str, Any] = {
        "terminal": terminal,
        "kind": kind,
        "client": terminal if client is None else client,
        "received_ms": int(at.timestamp() * 1000),
        "payload": base64.b64encode(payload).decode(),
    }
    return json.dumps(handed if principal is None else {**handed, "principal": principal})


def handed(said: Mapping[str, object] | bytes, **otherwise: Any) -> Handed:
    return Handed.of(body(said, **otherwise))


class Shelf:
    """What S3 does for us. `fails_at` lets that many calls pass and then fails, once."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fails_after: int | None = None
        self.reads = 0

    def get(self, key: str) -> bytes | None:
        self._perhaps_fail()
        self.reads += 1
        return self.objects.get(key)

    def put_once(self, key: str, body: bytes) -> bool:
        self._perhaps_fail()
        if key in self.objects:
            return False
        self.objects[key] = body
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix))

    def kept(self, kind: str = "gifts") -> dict[str, Any]:
        """By the rest of the name, what is kept of this kind."""
        begins = f"terminals/{kind}/"
        return {
            key.removeprefix(begins): json.loads(body)
            for key, body in self.objects.items()
            if key.startswith(begins)
        }

    def set_aside(self) -> list[Any]:
        return [json.loads(body) for key, body in self.objects.items() if "/set-aside/" in key]

    def _perhaps_fail(self) -> None:
        if self.fails_after is None:
            return
        if self.fails_after == 0:
            self.fails_after = None
            raise ConnectionError("the bucket does not answer")
        self.fails_after -= 1
