"""Message schemas of terminals: gifts and counters, with a closed list of fields and no free text."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from amply_terminals.errors import Reason, RefusedError
from amply_terminals.handed import Handed, Terminal, moment, written

LONGEST_BYTES: Final = 1024
HIGHEST_NUMBER: Final = 2**53 - 1
_NUMBER_DIGITS: Final = 16
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)

Read = Callable[[Any], str | int]


class Kind(StrEnum):
    """The last part of a terminal's topics."""

    GIFTS = "gifts"
    COUNTERS = "counters"


def _whole(least: int, most: int) -> Read:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return read


def _one_of(*words: str) -> Read:
    def read(value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise ValueError(f"one of {', '.join(words)}")
        return value

    return read


def _currency(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[A-Z]{3}", value, re.ASCII) is None:
        raise ValueError("three capital letters of ISO 4217")
    return value


def _moment(value: Any) -> str:
    """A day that there is, not only one of the right shape."""
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        raise ValueError("RFC 3339 in UTC, ending in Z")
    return moment(datetime.fromisoformat(value))


_EVERY: Final[Mapping[str, Read]] = {"number": _whole(1, HIGHEST_NUMBER), "at": _moment}
FIELDS: Final[Mapping[Kind, Mapping[str, Read]]] = {
    Kind.GIFTS: {
        **_EVERY,
        "amount_minor": _whole(1, 100_000_000),
        "currency": _currency,
        "method": _one_of("card", "cash", "phone"),
    },
    Kind.COUNTERS: {
        **_EVERY,
        "counter": _one_of("passers_by", "visitors", "gifts_begun", "gifts_left"),
        "count": _whole(0, 1_000_000),
        "seconds": _whole(1, 86_400),
    },
}
"""All of them have to be there. `number` counts a terminal's messages of one kind; `at` is when it was, or when it ended."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing a terminal tells, as far as the message itself can be judged."""

    terminal: Terminal
    kind: Kind
    number: int
    at: datetime
    fields: Mapping[str, str | int]
    handed: Handed

    @classmethod
    def of(cls, handed: Handed) -> "Message":
        """Raises RefusedError where it cannot be read; whether its number and its clock are right is not asked here."""
        terminal = handed.terminal()
        try:
            kind = Kind(handed.topic_kind)
        except ValueError as error:
            raise RefusedError(
                Reason.NO_TERMINAL, "The topic ends in nothing that terminals tell."
            ) from error
        fields = _fields(kind, handed.payload)
        return cls(
            terminal=terminal,
            kind=kind,
            number=int(fields["number"]),
            at=datetime.fromisoformat(str(fields["at"])).astimezone(UTC),
            fields=fields,
            handed=handed,
        )

    @property
    def place(self) -> str:
        return f"{self.terminal.organization}/{self.terminal.label}/{self.number:0{_NUMBER_DIGITS}d}.json"

    @property
    def number_key(self) -> str:
        """Where it stands what this number was first used for. No day in it: a replay of another day finds it."""
        return f"terminals/numbers/{self.kind}/{self.place}"


def _fields(kind: Kind, payload: bytes) -> Mapping[str, str | int]:
    if len(payload) > LONGEST_BYTES:
        raise RefusedError(Reason.TOO_LARGE, f"It has {len(payload)} bytes, and {LONGEST_BYTES} may be read.")
    expected = FIELDS[kind]
    try:
        said = json.loads(payload.decode(), object_pairs_hook=_no_key_twice)
    except (RecursionError, ValueError) as error:
        raise RefusedError(Reason.NOT_READABLE, "It is not JSON in UTF-8 with each key once.") from error
    if not isinstance(said, dict) or said.keys() != expected.keys():
        raise RefusedError(
            Reason.NOT_READABLE,
            f"It has to be one JSON object with {', '.join(expected)}, and nothing besides.",
        )
    return {name: _field(name, read, said[name]) for name, read in expected.items()}


def _field(name: str, read: Read, value: Any) -> str | int:
    """The sentence says the field and never its value: it stands in logs."""
    try:
        return read(value)
    except ValueError as error:
        wanted = str(error) if name != "at" else "a moment, in RFC 3339 and UTC"
        raise RefusedError(Reason.NOT_READABLE, f"{name} has to be {wanted}.") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key twice")
    return result


@dataclass(frozen=True, kw_only=True)
class First:
    """What a number was first used for: the bytes' digest, and when and how they came."""

    sha256: str
    received_at: str
    principal: str

    @classmethod
    def of(cls, message: Message) -> "First":
        handed = message.handed
        return cls(
            sha256=handed.sha256, received_at=moment(handed.received_at), principal=handed.principal[:256]
        )

    @classmethod
    def read(cls, body: bytes) -> "First":
        return cls(**json.loads(body))

    def written(self) -> bytes:
        return written({"sha256": self.sha256, "received_at": self.received_at, "principal": self.principal})

    def kept(self, message: Message) -> tuple[str, bytes]:
        """Where the message is kept, and as what: the same bytes at the same place whichever repetition writes them."""
        record = {
            **message.fields,
            "terminal": message.terminal.name,
            "organization": message.terminal.organization,
            "received_at": self.received_at,
            "principal": self.principal,
            "sha256": self.sha256,
        }
        return f"terminals/{message.kind}/dt={self.received_at[:10]}/{message.place}", written(record)
