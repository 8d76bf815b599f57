"""Configures span export for this process, if tracing is enabled."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from amply.adapters import xray
from amply.infra.settings import ServiceSettings, TraceSettings
from amply.infra.tracing.export import ANSWER_SECONDS_MAX, exporting

COLLECTORS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own variables, for a collector beside a developer's processes; task definitions never set them."""

STATEMENT_SECONDS_MIN: Final = 0.005
"""In the cloud a statement takes about a millisecond there and back."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _TracingChoices:
    exporter: OTLPSpanExporter
    share_of_reads: float
    statement_seconds_min: float


@contextmanager
def traced(service: ServiceSettings, settings: TraceSettings) -> Iterator[None]:
    """Record spans during the block. Failures of tracing never reach the block."""
    try:
        chosen = _chosen(settings)
    except Exception:  # noqa: BLE001 -- no gift fails because nobody could watch it
        _log.warning("not_traced", exc_info=True)
        chosen = None
    if chosen is None:
        yield
        return
    with exporting(
        chosen.exporter,
        service=service.service,
        environment=service.environment,
        share_of_reads=chosen.share_of_reads,
        statement_seconds_min=chosen.statement_seconds_min,
    ):
        yield


def _chosen(settings: TraceSettings) -> _TracingChoices | None:
    """X-Ray where a deployment says so; else a developer's collector, which is shown everything; else nothing."""
    if settings.traces_url:
        return _TracingChoices(
            exporter=xray.exporter(settings.traces_url),
            share_of_reads=settings.traced_reads,
            statement_seconds_min=STATEMENT_SECONDS_MIN,
        )
    if any(os.environ.get(name) for name in COLLECTORS):
        return _TracingChoices(
            exporter=OTLPSpanExporter(timeout=ANSWER_SECONDS_MAX),
            share_of_reads=1.0,
            statement_seconds_min=0.0,
        )
    return None
