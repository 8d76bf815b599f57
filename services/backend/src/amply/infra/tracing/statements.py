"""Statements as spans: what they do and to which table. Neither their text nor what they were given is kept.

Most statements take a millisecond, and a span costs a tenth of one in the same process: those below a minimum are only
counted, on the span they are part of. Where time was lost they are not the reason.
"""

import re
import time
from functools import lru_cache
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from amply.infra import tracing

FAST_STATEMENTS: Final = f"{tracing.OUR_OWN}fast_statements"
"""How many were too fast to be shown."""

_BEGAN: Final = "amply.statement_began"
_FAST: Final = "amply.fast_statements"
_TABLE: Final = re.compile(
    r"""\b(?: (?:INTO|UPDATE) \s+ "? (?P<written> \w+)
    | FROM \s+ "? (?P<read> [a-z_]\w*) \b (?! \s* \( ))  # no function, as in EXTRACT(epoch FROM now())
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHAPES_MAX: Final = 1024
"""Different statements remembered; the application has some hundred."""


def follow(engine: Engine) -> None:
    """Record the statements that are part of something recorded."""
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)
    event.listen(engine, "commit", _count)
    event.listen(engine, "rollback", _count)


@lru_cache(maxsize=_SHAPES_MAX)
def shape(statement: str) -> tuple[str, dict[str, AttributeValue]]:
    """A name such as `INSERT donation`, and OpenTelemetry's attributes for the same."""
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
    if time.time_ns() - began < tracing.statement_seconds_min() * 1e9:
        connection.info[_FAST] = connection.info.get(_FAST, 0) + 1
    else:
        _record(statement, began=began, failed_as=None)


def _fail(failure: ExceptionContext) -> None:
    """Always recorded. Of whatever it was the type is enough to look for it in the log."""
    began: int | None = _notes(failure.connection).pop(_BEGAN, None)
    if began is not None:
        _record(failure.statement or "", began=began, failed_as=type(failure.original_exception).__qualname__)


def _record(statement: str, *, began: int, failed_as: str | None) -> None:
    """`began` in nanoseconds since 1970."""
    name, attributes = shape(statement)
    span = tracing.tracer().start_span(name, kind=SpanKind.CLIENT, attributes=attributes, start_time=began)
    if failed_as is not None:
        span.set_attribute("error.type", failed_as)
        span.set_status(StatusCode.ERROR)
    span.end()


def _count(connection: Connection) -> None:
    """At a transaction's end, while its span is the current one."""
    if fast := _notes(connection).pop(_FAST, 0):
        trace.get_current_span().set_attribute(FAST_STATEMENTS, fast)
