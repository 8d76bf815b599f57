"""Lists in pages. A page's token belongs to one caller and one list: anybody else's is refused."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from amply_marketplace.errors import NotUnderstood

Item = TypeVar("Item")
MOST = 500
_BYTES_MAX = 512


@dataclass(frozen=True, kw_only=True)
class Page:
    """Where a page begins and how many it holds, for the list `of` this caller."""

    of: str
    start: int
    size: int

    def cut(self, items: Sequence[Item]) -> tuple[Sequence[Item], str | None]:
        """This page's part, and the token of the next one where there is one."""
        end = self.start + self.size
        return items[self.start : end], _token(self.of, end) if 0 < end < len(items) else None


def page(*, caller: str, listing: str, token: object, size: object) -> Page:
    """From what a caller sent.

    Raises:
        NotUnderstood: The size is none, or the token was not made for this caller and this list.
    """
    of = hashlib.sha256(f"{caller}\n{listing}".encode()).hexdigest()[:32]
    return Page(of=of, start=0 if token is None else _start(of, token), size=_size(size))


def _size(said: object) -> int:
    if said is None:
        return MOST
    if isinstance(said, bool) or not str(said).isascii() or not str(said).isdecimal():
        raise NotUnderstood("The size of a page is a whole number of 0 or more.")
    return min(int(str(said)[:9]), MOST)


def _start(of: str, token: object) -> int:
    known = _read(token) if isinstance(token, str) else {}
    start = known.get("start")
    if known.get("of") != of or not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise NotUnderstood("This page token is not of this list; begin again without one.")
    return start


def _read(token: str) -> Mapping[str, object]:
    if len(token) > _BYTES_MAX:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, UnicodeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _token(of: str, start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"of": of, "start": start}).encode()).decode()
