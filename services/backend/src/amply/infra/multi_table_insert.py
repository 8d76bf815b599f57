"""Inserts rows of several tables in one statement, so in one round trip.

Rows may refer to each other: PostgreSQL looks at foreign keys when the statement has ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import TextClause, bindparam, inspect, text
from sqlalchemy.orm import Session

from amply.infra.orm import Record

_SHAPES_MAX: Final = 64
"""Cached statements: one for each combination of tables and columns, of which there are a handful."""


@dataclass(frozen=True)
class NewRow:
    """A row to insert: values by attribute name; the others get the table's defaults."""

    table: type[Record]
    values: Mapping[str, Any]


def insert_rows(session: Session, *rows: NewRow) -> None:
    """Insert all rows. Defaults and constraints apply; the session's identity map is not updated."""
    statement = _statement(tuple((row.table, tuple(row.values)) for row in rows))
    given = {
        f"row{place}_{name}": value for place, row in enumerate(rows) for name, value in row.values.items()
    }
    session.connection().execute(statement, given)


@lru_cache(maxsize=_SHAPES_MAX)
def _statement(shape: tuple[tuple[type[Record], tuple[str, ...]], ...]) -> TextClause:
    inserts, parameters = [], []
    for place, (table, names) in enumerate(shape):
        columns = [inspect(table).columns[name] for name in names]
        parameters += [
            bindparam(f"row{place}_{name}", type_=column.type)
            for name, column in zip(names, columns, strict=True)
        ]
        listed = ", ".join(column.name for column in columns)
        values = ", ".join(f":row{place}_{name}" for name in names)
        inserts.append(f"INSERT INTO {table.__tablename__} ({listed}) VALUES ({values})")  # noqa: S608 -- names of ours
    *first, last = inserts
    named = ", ".join(f"row{place} AS ({insert})" for place, insert in enumerate(first))
    return text(f"WITH {named} {last}" if first else last).bindparams(*parameters)
