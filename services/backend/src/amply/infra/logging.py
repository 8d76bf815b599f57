"""Structured logging: one JSON object a line, UTC, with the id of the request or task."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from amply.infra import tracing

# What must never reach a log: keys, secrets, links in letters, e-mail addresses, and the rows PostgreSQL quotes in its errors' DETAIL.
_SECRET: Final = re.compile(
    r"""(?:sk|rk|whsec)_[A-Za-z0-9_]{6,}
    | \w+_secret_\w+
    | v[0-9]\.[0-9]{1,12}\.(?:[0-9a-f]{64}|[a-z]+_[0-9a-z]{26})\.[\w-]+
    | [^\s"'<>(),;:=]+(?:@|%40)[^\s"'<>(),;:=]+
    | (?<=DETAIL:).*?(?=\n\[SQL|\n\(Background|\n\n|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)


def configure(*, service: str) -> None:
    """Send all log lines, ours and libraries', to standard output as redacted JSON."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("botocore", "boto3", "urllib3", "stripe", "kombu", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def request_id() -> str | None:
    """The current request's id, or None."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def add_trace_id(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the current trace's id to a log line."""
    if (trace_id := tracing.trace_id()) is not None:
        line["trace_id"] = trace_id
    return line


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact secrets and personal data in all strings of a log line."""
    for key, value in line.items():
        line[key] = without_secrets(value)
    return line


def without_secrets(value: Any) -> Any:
    """The value with secrets and personal data redacted in every string."""
    match value:
        case str():
            return _SECRET.sub("[redacted]", value)
        case dict():
            return {key: without_secrets(inner) for key, inner in value.items()}
        case list() | tuple():
            return [without_secrets(inner) for inner in value]
        case _:
            return value
