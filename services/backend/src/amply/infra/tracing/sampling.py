"""Head sampling: decided at the root span, and followed in every child."""

from collections.abc import Sequence
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Requests(Sampler):
    """Samples traces that begin with a request, and none that begin with a polling loop.

    Requests that change something are always recorded: a gift and the event that books it are two requests, and a
    story of which one half was left out is no story. Of those that only read it is `share_of_reads`, 0 to 1.
    """

    def __init__(self, *, share_of_reads: float) -> None:
        self._reads = TraceIdRatioBased(share_of_reads)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        sampler = self._sampler(kind, attributes)
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return f"Requests({self._reads.get_description()})"

    def _sampler(self, kind: SpanKind | None, attributes: Attributes) -> Sampler:
        if kind is not SpanKind.SERVER:
            return ALWAYS_OFF
        return self._reads if (attributes or {}).get("http.request.method") in _READING else ALWAYS_ON


def sampler(*, share_of_reads: float) -> Sampler:
    """A parent-based sampler, whose root decisions are by `Requests`."""
    return ParentBased(root=Requests(share_of_reads=share_of_reads))
