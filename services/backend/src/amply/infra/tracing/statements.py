"""Spans of SQL statements: operation and table, without the statement's text or parameters.

Most statements take a millisecond, and a span costs a tenth of one in the same process. So of each transaction the
slowest statement is shown, where it took some time at all, and those that failed; the others are counted. In a process
that has no time left every statement is slow: even then that is one span a transaction.
"""

import re
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from amply.infra import tracing

OTHER_STATEMENTS: Final = f"{tracing.OUR_OWN}other_statements"
"""Number of a transaction's statements without a span."""

_BEGAN: Final = "amply.statement_began"
_UNSHOWN: Final = "amply.statements_not_shown"
_TABLE: Final = re.compile(
    r"""\b(?: (?:INTO|UPDATE) \s+ "? (?P<written> \w+)
    | FROM \s+ "? (?P<read> [a-z_]\w*) \b (?! \s* \( ))  # no function, as in EXTRACT(epoch FROM now())
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHAPES_MAX: Final = 1024
"""Cached statement shapes; the application has some hundred."""


@dataclass(frozen=True)
class _Timed:
    """A statement with its start and end in nanoseconds since 1970."""

    statement: str
    began: int
    ended: int

    @property
    def seconds(self) -> float:
        return (self.ended - self.began) / 1e9


@dataclass
class _Unshown:
    """Statements of a transaction that have no span yet."""

    slowest: _Timed
    count: int = 0

    def add(self, timed: _Timed) -> None:
        self.count += 1
        if timed.seconds > self.slowest.seconds:
            self.slowest = timed


def follow(engine: Engine) -> None:
    """Record the SQL statements of recorded traces."""
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)
    event.listen(engine, "commit", _sum_up)
    event.listen(engine, "rollback", _sum_up)


@lru_cache(maxsize=_SHAPES_MAX)
def shape(statement: str) -> tuple[str, dict[str, AttributeValue]]:
    """A span name such as `INSERT donation`, with OpenTelemetry's attributes."""
    words = statement.split(maxsplit=1)
    operation = words[0].upper() if words and words[0].isalpha() else "STATEMENT"
    attributes: dict[str, AttributeValue] = {
        "db.system.name": "postgresql",
        "db.operation.name": operation,
    }
    found = _TABLE.search(statement)
    if found is None:
        return operation, attributes
    table = found["written"] or found["read"]
    return f"{operation} {table}", {**attributes, "db.collection.name": table}


def _notes(connection: Connection | None) -> dict[Any, Any]:
    """What is remembered with a connection; to ask one that was lost would be to open it again."""
    return {} if connection is None or connection.invalidated else connection.info


def _begin(connection: Connection, *_: Any) -> None:
    if trace.get_current_span().is_recording():
        connection.info[_BEGAN] = time.time_ns()


def _end(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    began: int | None = connection.info.pop(_BEGAN, None)
    if began is None:
        return
    timed = _Timed(statement, began, time.time_ns())
    if tracing.statement_seconds_min() == 0:
        _show(timed)
    else:
        connection.info.setdefault(_UNSHOWN, _Unshown(timed)).add(timed)


def _fail(failure: ExceptionContext) -> None:
    """Always shown. Of whatever it was the type is enough to look for it in the log."""
    began: int | None = _notes(failure.connection).pop(_BEGAN, None)
    if began is not None:
        timed = _Timed(failure.statement or "", began, time.time_ns())
        _show(timed, failed_as=type(failure.original_exception).__qualname__)


def _sum_up(connection: Connection) -> None:
    """At a transaction's end, while its span is the current one."""
    unshown: _Unshown | None = _notes(connection).pop(_UNSHOWN, None)
    if unshown is None:
        return
    if unshown.slowest.seconds >= tracing.statement_seconds_min():
        _show(unshown.slowest)
        unshown.count -= 1
    trace.get_current_span().set_attribute(OTHER_STATEMENTS, unshown.count)


def _show(timed: _Timed, *, failed_as: str | None = None) -> None:
    name, attributes = shape(timed.statement)
    span = tracing.tracer().start_span(
        name, kind=SpanKind.CLIENT, attributes=attributes, start_time=timed.began
    )
    if failed_as is not None:
        span.set_attribute("error.type", failed_as)
        span.set_status(StatusCode.ERROR)
    span.end(timed.ended)
