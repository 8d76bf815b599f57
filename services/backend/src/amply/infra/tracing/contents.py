"""Allowlist of span attributes. Everything else is removed before export, whichever library wrote it."""

from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import AttributeValue

from amply.infra.logging import without_secrets
from amply.infra.tracing import OUR_OWN

ALLOWED: Final = frozenset(
    {
        "http.request.method",
        # The route and never the path: `/v1/donations/{donation_id}`.
        "http.route",
        "http.response.status_code",
        "error.type",
        "db.system.name",
        "db.operation.name",
        "db.collection.name",
        *(
            f"{OUR_OWN}{name}"
            for name in ("donation_id", "payment_id", "plan_id", "event_id", "other_statements")
        ),
    }
)
"""No address, header, query, body, statement, error message, or name of a person."""


def allowed(span: ReadableSpan) -> ReadableSpan:
    """A copy of the span with allowed attributes only, without events and status text."""
    return ReadableSpan(
        name=without_secrets(span.name),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={
            name: _clean(value) for name, value in (span.attributes or {}).items() if name in ALLOWED
        },
        links=[Link(other.context) for other in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _clean(value: AttributeValue) -> AttributeValue:
    return without_secrets(value) if isinstance(value, str) else value
