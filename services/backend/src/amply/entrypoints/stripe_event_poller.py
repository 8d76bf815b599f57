"""Thread in the worker that polls the SQS queue of Stripe's EventBridge events."""

import threading
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from amply.adapters.eventbridge import StripeEventQueue
from amply.infra.database import connect
from amply.infra.settings import DatabaseSettings, StripeQueueSettings
from amply.kernel.clock import Clock, system_clock
from amply.modules import donations, webhooks

AGAIN_AFTER: Final = timedelta(seconds=5)

_log = structlog.get_logger()


def poll_forever(parts: webhooks.EventQueueDependencies, *, clock: Clock, stopping: threading.Event) -> None:
    """Poll until shutdown. Failures are logged and retried after five seconds."""
    while not stopping.is_set():
        try:
            stored = webhooks.take(parts, now=clock())
        except Exception:  # noqa: BLE001 -- the queue or the database is away; both come back
            _log.warning("stripe_events_not_taken", exc_info=True)
            stopping.wait(AGAIN_AFTER.total_seconds())
        else:
            if stored:
                _log.info("stripe_events_taken", count=stored)


def poll_in_background(settings: StripeQueueSettings, database: DatabaseSettings, *, livemode: bool) -> None:
    """Poll Stripe's event queue, if there is one, in a background thread.

    A thread beside the tasks: it waits for the queue, and what it is killed in the middle of comes again.
    """
    if settings.events_url:
        parts = webhooks.EventQueueDependencies(
            database=connect(database, application="worker", pool_size=1),
            queue=StripeEventQueue(settings),
            livemode=livemode,
            keeps=donations.keeps_event,
        )
        taking = partial(poll_forever, parts, clock=system_clock, stopping=threading.Event())
        threading.Thread(target=taking, name="stripe-events", daemon=True).start()
