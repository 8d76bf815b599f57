"""Where this process's spans go, if anywhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from amply.adapters import xray
from amply.infra.settings import ServiceSettings, TraceSettings
from amply.infra.tracing.export import ANSWER_SECONDS_MAX, exporting

COLLECTORS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own variables, for a collector beside a developer's processes; task definitions never set them."""

_log = structlog.get_logger()


@contextmanager
def traced(service: ServiceSettings, settings: TraceSettings) -> Iterator[None]:
    """Record what the block does. Whatever is wrong with that, the block runs."""
    try:
        chosen = _chosen(settings)
    except Exception:  # noqa: BLE001 -- no gift fails because nobody could watch it
        _log.warning("not_traced", exc_info=True)
        chosen = None
    if chosen is None:
        yield
        return
    exporter, share_of_reads = chosen
    with exporting(
        exporter, service=service.service, environment=service.environment, share_of_reads=share_of_reads
    ):
        yield


def _chosen(settings: TraceSettings) -> tuple[OTLPSpanExporter, float] | None:
    """X-Ray where a deployment says so; else a developer's collector, which is shown everything; else nothing."""
    if settings.traces_url:
        return xray.exporter(settings.traces_url), settings.traced_reads
    if any(os.environ.get(name) for name in COLLECTORS):
        return OTLPSpanExporter(timeout=ANSWER_SECONDS_MAX), 1.0
    return None
