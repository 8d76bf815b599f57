"""Distributed tracing: spans of requests and tasks, and context propagation between processes.

Nothing is recorded until `export.exporting` is open; until then each function here costs a look at a context variable.
A context travels as W3C `traceparent` (https://www.w3.org/TR/trace-context/) in rows and in the headers of messages,
and never in a request to or from somebody else. What a span may say is decided in `contents`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from amply.kernel.errors import AmplyError

TRACEPARENT: Final = "traceparent"
OUR_OWN: Final = "amply."
"""Prefix of our own span attributes."""

_WIRE: Final = TraceContextTextMapPropagator()


@dataclass
class _Installed:
    """Our tracer provider, not OpenTelemetry's global one, so that libraries create no spans on their own."""

    provider: TracerProvider
    tracer: Tracer
    statement_seconds_min: float


_NOTHING: Final = trace.NoOpTracerProvider()
_installed: Final = _Installed(
    provider=_NOTHING, tracer=_NOTHING.get_tracer(__name__), statement_seconds_min=0.0
)


def install(provider: TracerProvider | None, *, statement_seconds_min: float = 0.0) -> None:
    """Use this provider for spans from now on; None: none. For the minimum see `statements`."""
    _installed.provider = provider or _NOTHING
    _installed.tracer = _installed.provider.get_tracer(__name__)
    _installed.statement_seconds_min = statement_seconds_min


def provider() -> TracerProvider | None:
    """The tracer provider; None while tracing is off."""
    return None if _installed.provider is _NOTHING else _installed.provider


def tracer() -> Tracer:
    """The tracer, a no-op one while tracing is off."""
    return _installed.tracer


def statement_seconds_min() -> float:
    """Minimum duration of a transaction's slowest statement to become a span; 0: every statement does."""
    return _installed.statement_seconds_min


def step(name: str, *, kind: SpanKind = SpanKind.INTERNAL) -> AbstractContextManager[None]:
    """A child span of the current span, if one is recorded."""
    return _span(name, kind=kind) if trace.get_current_span().is_recording() else nullcontext()


def call(name: str) -> AbstractContextManager[None]:
    """A span of an external call, in the adapter's words: `Stripe: create payment intent`."""
    return step(name, kind=SpanKind.CLIENT)


def continued(name: str, *, traceparent: str | None, kind: SpanKind) -> AbstractContextManager[None]:
    """A span that continues the trace of a `traceparent`; without one nothing is recorded."""
    if traceparent is None:
        return nullcontext()
    return _span(name, kind=kind, parent=_WIRE.extract({TRACEPARENT: traceparent}, context=Context()))


def traceparent() -> str | None:
    """The current trace context; None when nothing is recorded."""
    if not trace.get_current_span().is_recording():
        return None
    carrier: dict[str, str] = {}
    _WIRE.inject(carrier)
    return carrier[TRACEPARENT]


def annotate(**ids: str) -> None:
    """Set attributes of the current span. Ids only, and each name must be allowed in `contents`."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes({f"{OUR_OWN}{name}": value for name, value in ids.items()})


def link(traceparent: str | None) -> None:
    """Link the current span to a span of another trace."""
    span = trace.get_current_span()
    if traceparent is not None and span.is_recording():
        other = trace.get_current_span(_WIRE.extract({TRACEPARENT: traceparent}, context=Context()))
        span.add_link(other.get_span_context())


def trace_id() -> str | None:
    """The current trace id, in 32 hexadecimal digits."""
    span = trace.get_current_span()
    return trace.format_trace_id(span.get_span_context().trace_id) if span.is_recording() else None


@contextmanager
def _span(name: str, *, kind: SpanKind, parent: Context | None = None) -> Iterator[None]:
    with tracer().start_as_current_span(
        name, context=parent, kind=kind, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except Exception as error:
            # The type only, since messages may be personal. Errors for callers are responses, not failures.
            span.set_attribute("error.type", type(error).__qualname__)
            if not isinstance(error, AmplyError):
                span.set_status(StatusCode.ERROR)
            raise
