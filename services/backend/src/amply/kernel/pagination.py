"""Cursor pagination: a page starts after a position in an order, so that late pages cost no more than the first."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, TypeVar

from amply.kernel.errors import InvalidRequest

PAGE_SIZE_MAX: Final = 100

_CHECK_BYTES: Final = 6
_LENGTH_MAX: Final = 1_000

Item = TypeVar("Item")


class CursorNotAcceptable(InvalidRequest):
    """The cursor is none that a page of this list gave."""

    code: ClassVar[str] = "cursor_not_acceptable"

    def __init__(self) -> None:
        super().__init__(
            "Use `next_cursor` of the page before, with the same sort, or begin again without a cursor.",
            param="cursor",
        )


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Item]):
    """One page; `next_cursor` is None on the last one."""

    items: Sequence[Item]
    next_cursor: str | None


def cursor_of(order: str, place: Sequence[str]) -> str:
    """The cursor for the rows after `place` in the named order.

    Not signed, since it opens nothing: whoever writes one themselves gets the rows they may see anyway, from another place
    on. The check tells what was cut off or belongs to another list from what is ours.
    """
    told = json.dumps([order, *place], ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_check(told) + told).rstrip(b"=").decode()


def place_in(order: str, cursor: str, *, parts: int) -> tuple[str, ...]:
    """The position of a cursor in the named order: `parts` values.

    Raises:
        CursorNotAcceptable: It is none of this order.
    """
    if len(cursor) > _LENGTH_MAX:
        raise CursorNotAcceptable
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        told = json.loads(raw[_CHECK_BYTES:])
    except (binascii.Error, ValueError, RecursionError):
        raise CursorNotAcceptable from None
    if raw[:_CHECK_BYTES] != _check(raw[_CHECK_BYTES:]) or not isinstance(told, list):
        raise CursorNotAcceptable
    if told[:1] != [order] or len(told) != parts + 1 or not all(_is_text(part) for part in told):
        raise CursorNotAcceptable
    return tuple(told[1:])


def _is_text(part: object) -> bool:
    """What the database takes as text: UTF-8 without null characters."""
    return (
        isinstance(part, str) and "\0" not in part and not any("\ud800" <= each <= "\udfff" for each in part)
    )


def _check(told: bytes) -> bytes:
    return hashlib.sha256(told).digest()[:_CHECK_BYTES]
