"""Pagination with tokens bound to one caller and one list."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from amply_marketplace.errors import NotUnderstood

Item = TypeVar("Item")
MOST = 500
_BYTES_MAX = 512
_START_MAX = 10**9


@dataclass(frozen=True, kw_only=True)
class Page:
    """Where a page begins and how many it holds, for the list `of` this caller."""

    of: str
    start: int
    size: int

    def cut(self, items: Iterable[Item]) -> tuple[list[Item], str | None]:
        """This page's part, and the token of the next one where there is one; no more is taken of `items` than that needs."""
        end = self.start + self.size
        found = list(islice(items, self.start, end + 1))
        return found[: self.size], _token(self.of, end) if len(found) > self.size else None


def page(*, caller: str, listing: str, token: object, size: object, least: int = 1) -> Page:
    """From what a caller sent.

    Raises:
        NotUnderstood: The size is none, or less than `least`, or the token was not made for this caller and this list.
    """
    of = hashlib.sha256(f"{caller}\n{listing}".encode()).hexdigest()[:32]
    return Page(of=of, start=0 if token is None else _start(of, token), size=_size(size, least))


def _size(said: object, least: int) -> int:
    if said is None:
        return MOST
    is_number = not isinstance(said, bool) and str(said).isascii() and str(said).isdecimal()
    size = min(int(str(said)[:9]), MOST) if is_number else -1
    if size < least:
        raise NotUnderstood(f"The size of a page is a whole number of {least} or more.")
    return size


def _start(of: str, token: object) -> int:
    known = _read(token) if isinstance(token, str) else {}
    start = known.get("start")
    if known.get("of") != of or type(start) is not int or not 0 <= start <= _START_MAX:
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
