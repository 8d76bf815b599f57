"""Cursor pagination: the last id of a page is the next page's cursor, since ids sort by creation time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

PAGE_SIZE_MAX: Final = 100

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Item]):
    """One page; `next_cursor` is None on the last one."""

    items: Sequence[Item]
    next_cursor: str | None
