"""Reports unexpected errors to Sentry, where a DSN is configured."""

from typing import TYPE_CHECKING, Final

import sentry_sdk

from amply.infra.logging import without_secrets
from amply.infra.settings import ServiceSettings
from amply.kernel.errors import AmplyError

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

_TOLD_OF_REQUESTS: Final = ("method", "url")
"""Request fields that are reported. Headers hold clients' addresses, and queries and bodies may name people."""


def report_errors(service: ServiceSettings) -> None:
    """Initialise Sentry. Expected errors (`AmplyError`) and personal data are not sent."""
    dsn = service.sentry_dsn.get_secret_value()
    if dsn:
        sentry_sdk.init(
            dsn=dsn,
            environment=service.environment,
            server_name=service.service,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            ignore_errors=[AmplyError],
            before_send=_told,
        )


def _told(event: "Event", _hint: "Hint") -> "Event":
    if request := event.get("request"):
        event["request"] = {name: request[name] for name in _TOLD_OF_REQUESTS if name in request}
    # Breadcrumbs of outgoing requests: host and path, without query.
    breadcrumbs = event.get("breadcrumbs")
    for crumb in breadcrumbs["values"] if isinstance(breadcrumbs, dict) else ():
        crumb.get("data", {}).pop("http.query", None)
    told: Event = without_secrets(event)
    return told
