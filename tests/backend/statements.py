"""Records the SQL statements that a database role sends, for the time of a block."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from amply.infra.database import Database


@contextmanager
def heard(database: Database, hear: Callable[[str, Any], None]) -> Iterator[None]:
    """Call `hear` with each statement and what it is given, while the block runs."""

    def listen(_connection: Any, _cursor: Any, statement: str, given: Any, *_more: Any) -> None:
        hear(statement, given)

    event.listen(database.engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", listen)
