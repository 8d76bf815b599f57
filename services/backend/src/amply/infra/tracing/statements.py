"""Statements as spans: what they do and to which table. Neither their text nor what they were given is looked at."""

import re
from functools import lru_cache
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from amply.infra import tracing

_OPEN: Final = "amply.span"
_TABLE: Final = re.compile(
    r"""\b(?: (?:INTO|UPDATE) \s+ "? (?P<written> \w+)
    | FROM \s+ "? (?P<read> [a-z_]\w*) \b (?! \s* \( ))  # no function, as in EXTRACT(epoch FROM now())
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SHAPES_MAX: Final = 1024
"""Different statements remembered; the application has some hundred."""


def follow(engine: Engine) -> None:
    """Make a span of each statement that is part of something recorded."""
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)


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


def _begin(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if trace.get_current_span().is_recording():
        name, attributes = shape(statement)
        connection.info[_OPEN] = tracing.tracer().start_span(
            name, kind=SpanKind.CLIENT, attributes=attributes
        )


def _end(connection: Connection, *_: Any) -> None:
    span: Span | None = connection.info.pop(_OPEN, None)
    if span is not None:
        span.end()


def _fail(failure: ExceptionContext) -> None:
    """Whatever it was: the type is enough to look for it in the log."""
    if failure.connection is None:
        return
    span: Span | None = failure.connection.info.pop(_OPEN, None)
    if span is not None:
        span.set_attribute("error.type", type(failure.original_exception).__qualname__)
        span.set_status(StatusCode.ERROR)
        span.end()
