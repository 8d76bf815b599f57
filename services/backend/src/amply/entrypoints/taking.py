"""Taking Stripe's events from their queue, again and again, beside the worker's tasks."""

import threading
from datetime import timedelta
from typing import Final

import structlog

from amply.kernel.clock import Clock
from amply.modules import webhooks

AGAIN_AFTER: Final = timedelta(seconds=5)

_log = structlog.get_logger()


def take_forever(parts: webhooks.Taking, *, clock: Clock, stopping: threading.Event) -> None:
    """Take until told to stop. Whatever fails is logged and tried again in five seconds: what was not stored comes again."""
    while not stopping.is_set():
        try:
            stored = webhooks.take(parts, now=clock())
        except Exception:  # noqa: BLE001 -- the queue or the database is away; both come back
            _log.warning("stripe_events_not_taken", exc_info=True)
            stopping.wait(AGAIN_AFTER.total_seconds())
        else:
            if stored:
                _log.info("stripe_events_taken", count=stored)
