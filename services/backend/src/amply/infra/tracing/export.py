"""Span exporter: a bounded queue, a thread of its own, and a count of dropped spans.

The work never waits for any of it. Where there is no room a span is dropped; a receiver that is away or slow costs the
spans of its time, one line of the log a minute, and at the end of the process a few seconds.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from amply.infra import tracing
from amply.infra.tracing.contents import allowed
from amply.infra.tracing.sampling import sampler

ANSWER_SECONDS_MAX: Final = 5
"""Timeout of a batch, all retries included."""
SPANS_LOST: Final = "spans_lost"
"""Event name of the log line about lost spans."""

_QUEUED_MAX: Final = 4096
"""Spans queued while the receiver is unavailable: about ten seconds of a busy process, below 10 MB."""
_BATCH_MAX: Final = 512
"""The endpoint takes 10,000 and 5 MB; a span has some 400 bytes."""
_EVERY_SECONDS: Final = 2.0
_STOP_SECONDS_MAX: Final = 5.0
"""Time for the final flush. A container has 60 s to stop."""
_BETWEEN_LINES_SECONDS: Final = 60.0

_log = structlog.get_logger()


@contextmanager
def exporting(
    exporter: SpanExporter,
    *,
    service: str,
    environment: str,
    share_of_reads: float,
    statement_seconds_min: float,
) -> Iterator[None]:
    """Record and export spans during the block; at its end, flush for a few seconds at most."""
    propagate.set_global_textmap(NothingFromStrangers())
    provider = TracerProvider(
        sampler=sampler(share_of_reads=share_of_reads),
        resource=Resource(
            {
                "service.namespace": "amply",
                "service.name": f"amply-{service}",
                "deployment.environment.name": environment,
            }
        ),
        shutdown_on_exit=False,
    )
    with _last_words() as words:
        provider.add_span_processor(Outgoing(exporter, words=words))
        tracing.install(provider, statement_seconds_min=statement_seconds_min)
        try:
            yield
        finally:
            tracing.install(None)
            provider.shutdown()


class NothingFromStrangers(TextMapPropagator):
    """A propagator that neither reads context from requests nor writes it into them.

    The framework asks it for the context of each request: anyone could choose the trace, and that it is recorded.
    """

    def extract(
        self,
        carrier: CarrierT,  # noqa: ARG002 -- the interface's; ignoring it is the point
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,  # noqa: ARG002 -- as above
    ) -> Context:
        return context or Context()

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Does nothing."""

    @property
    def fields(self) -> set[str]:
        return set()


class LastWords(logging.Handler):
    """A logging handler that keeps OpenTelemetry's latest message only, since it repeats it for each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.said = record.getMessage()


@contextmanager
def _last_words() -> Iterator[LastWords]:
    logger, words = logging.getLogger("opentelemetry"), LastWords()
    logger.addHandler(words)
    logger.propagate = False
    try:
        yield words
    finally:
        logger.propagate = True
        logger.removeHandler(words)


class _SpanCapacity:
    """Counts queued and dropped spans against the limit. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept = 0
        self._lost = 0
        self._lost_before = 0
        self._spoke_at = -_BETWEEN_LINES_SECONDS

    def take(self) -> bool:
        """Reserve room for a span; False, and counted as lost, when the queue is full."""
        with self._lock:
            if self._kept >= _QUEUED_MAX:
                self._lost += 1
                return False
            self._kept += 1
            return True

    def leave(self, count: int, *, lost: bool) -> None:
        with self._lock:
            self._kept -= count
            self._lost += count if lost else 0

    def news(self, *, at: float) -> tuple[int, int] | None:
        """Spans lost since the last report, and in total; None if there are none, or it was reported just now."""
        with self._lock:
            if self._lost == self._lost_before or at - self._spoke_at < _BETWEEN_LINES_SECONDS:
                return None
            since, self._lost_before, self._spoke_at = self._lost - self._lost_before, self._lost, at
            return since, self._lost


class _Accounting(SpanExporter):
    """Exporter that removes disallowed attributes, counts losses, and gives up quickly at shutdown."""

    def __init__(self, exporter: SpanExporter, *, room: _SpanCapacity, words: LastWords) -> None:
        self._exporter = exporter
        self._room = room
        self._words = words
        self._until = float("inf")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Runs in the exporter's own thread."""
        result = SpanExportResult.FAILURE
        try:
            if time.monotonic() < self._until:
                result = self._exporter.export([allowed(span) for span in spans])
        finally:
            self._room.leave(len(spans), lost=result is not SpanExportResult.SUCCESS)
            self._tell()
        return result

    def hurry(self) -> None:
        self._until = time.monotonic() + _STOP_SECONDS_MAX

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def _tell(self) -> None:
        if news := self._room.news(at=time.monotonic()):
            since, altogether = news
            _log.warning(SPANS_LOST, count=since, altogether=altogether, reason=self._words.said)


class Outgoing(SpanProcessor):
    """Span processor that queues each recorded span without blocking."""

    def __init__(self, exporter: SpanExporter, *, words: LastWords) -> None:
        self._room = _SpanCapacity()
        self._accounting = _Accounting(exporter, room=self._room, words=words)
        self._batches = BatchSpanProcessor(
            self._accounting,
            max_queue_size=_QUEUED_MAX,
            schedule_delay_millis=_EVERY_SECONDS * 1000,
            max_export_batch_size=_BATCH_MAX,
        )

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Does nothing."""

    def on_end(self, span: ReadableSpan) -> None:
        if self._room.take():
            self._batches.on_end(span)

    def shutdown(self) -> None:
        self._accounting.hurry()
        self._batches.shutdown()  # type: ignore[no-untyped-call] # the SDK annotates nothing here

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._batches.force_flush(timeout_millis)
