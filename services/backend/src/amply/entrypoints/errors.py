"""Errors nobody anticipated go to Sentry, where a DSN is configured."""

import sentry_sdk

from amply.infra.logging import without_secrets
from amply.infra.settings import ServiceSettings
from amply.kernel.errors import AmplyError


def report_errors(service: ServiceSettings) -> None:
    """Start reporting; anticipated errors and personal data stay home."""
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
            before_send=lambda event, _hint: without_secrets(event),
        )
