"""Worker task that delivers events to organisations' webhook endpoints."""

from collections.abc import Callable
from typing import Any

import structlog

from amply.adapters.webhook_sender import HttpSender
from amply.entrypoints import task_names
from amply.infra.database import Database
from amply.infra.settings import ServiceSettings
from amply.kernel.clock import Clock
from amply.modules import mail, webhook_endpoints

_log = structlog.get_logger()


def webhook_tasks(
    parts: webhook_endpoints.DeliveryDependencies, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Delivering events to them."""

    def deliver(**_: Any) -> None:
        attempts = webhook_endpoints.deliver(parts, clock=clock)
        if attempts:
            _log.info("webhooks_attempted", count=attempts)

    return ((task_names.DELIVER_WEBHOOKS, deliver),)


def webhook_dependencies(database: Database, mailer: mail.Mailer) -> webhook_endpoints.DeliveryDependencies:
    """What deliveries need, from this process's settings. On a laptop an endpoint may be on this machine."""
    sender = HttpSender(allows_loopback=ServiceSettings().environment == "local")
    return webhook_endpoints.DeliveryDependencies(database=database, sender=sender, mailer=mailer)
