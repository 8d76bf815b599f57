"""Keyset pagination over several columns: the condition for rows after a cursor, and the cursor of a row.

An order names columns that an index has in the same order, the last of them unique: then a page is one range of the index,
wherever it begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import ColumnElement, Select, literal, tuple_

from amply.kernel.pagination import CursorNotAcceptable, cursor_of, place_in

CursorOf = Annotated[str | None, Query(description="`next_cursor` of the page before")]
"""Query parameter of all paginated lists."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A sort order. `name` identifies list and order, so that a cursor of another list is refused."""

    name: str
    columns: tuple[Any, ...]
    descending: bool = False

    def page(
        self, chosen: Select[*tuple[Any, ...]], *, cursor: str | None, limit: int
    ) -> Select[*tuple[Any, ...]]:
        """The statement of a page after `cursor`, with one extra row that shows whether there is a next page.

        Raises:
            CursorNotAcceptable: It is none of this order.
        """
        if cursor is not None:
            chosen = chosen.where(self._after(cursor))
        return chosen.order_by(
            *(column.desc() if self.descending else column.asc() for column in self.columns)
        ).limit(limit + 1)

    def next_cursor(self, rows: Sequence[Any], *, limit: int) -> str | None:
        """The cursor of the page after the first `limit` of these rows, or None."""
        if len(rows) <= limit:
            return None
        last = rows[limit - 1]
        return cursor_of(self.name, [_told(getattr(last, column.key)) for column in self.columns])

    def _after(self, cursor: str) -> ColumnElement[bool]:
        told = place_in(self.name, cursor, parts=len(self.columns))
        place = tuple_(
            *(
                literal(_value(column, each), column.type)
                for column, each in zip(self.columns, told, strict=True)
            )
        )
        columns = tuple_(*self.columns)
        return columns < place if self.descending else columns > place


def _told(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _value(column: Any, told: str) -> Any:
    if column.type.python_type is not datetime:
        return told
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        raise CursorNotAcceptable from None
    if found.tzinfo is None:
        raise CursorNotAcceptable
    return found
