"""Threads that deliver events until the endpoint acknowledges them."""

import json
import logging
import ssl
from collections.abc import Iterable

import httpx2

from stripe_sandbox.clock import Clock
from stripe_sandbox.due import DueLoop
from stripe_sandbox.errors import Json
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store
from stripe_sandbox.webhooks import deliveries, thin
from stripe_sandbox.webhooks.deliveries import Delivery, Outcome
from stripe_sandbox.webhooks.event_bus import EventBus
from stripe_sandbox.webhooks.signing import signature_header

_log = logging.getLogger(__name__)
# Several at once, as Stripe sends: one slow answer does not hold the others up, and order is not promised.
_THREADS = 4


class Sender:
    """Sends due deliveries. `wake` after anything was committed that may be due."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, *, signs_at: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        # The receiver compares with its own clock, which nobody puts forward.
        self._signs_at = signs_at
        self._paused = False
        self._client = httpx2.Client(
            timeout=settings.delivery_timeout.total_seconds(),
            trust_env=False,
            # The endpoint is on this machine and speaks plain HTTP: loading the world's certificates would only cost.
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )
        self._bus = EventBus(settings.event_bus, settings.event_bus_url) if settings.event_bus else None
        self._loop = DueLoop(
            "webhook-sender", self._work, threads=_THREADS if settings.has_destination else 0
        )
        # Begins with whatever an earlier process still owed.
        self.start = self._loop.start
        self.wake = self._loop.wake

    def stop(self) -> None:
        """Finish the attempts under way and stop; what is owed stays owed."""
        self._loop.stop()
        self._client.close()

    def pause(self, *, paused: bool) -> None:
        """Hold deliveries back, so that a test can send them in an order of its own.

        Once this returns, none is begun: in the store's lock, because a thread asks there before it takes one.
        """
        with self._store.transaction():
            self._paused = paused
        self._loop.wake()

    def send_now(self, events: Iterable[Json]) -> list[Outcome]:
        """Send these events once each, in this order, whatever is owed; nothing is recorded."""
        return [self._post(event) for event in events]

    def _work(self) -> float | None:
        now = self._clock().timestamp()
        with self._store.transaction() as connection:
            if self._paused:
                return None
            delivery = deliveries.claim(connection, now)
            due = deliveries.next_due(connection)
        if delivery is None:
            return None if due is None else due - now
        self._attempt(delivery)
        return 0

    def _attempt(self, delivery: Delivery) -> None:
        outcome = self._post(json.loads(delivery.body))
        now = self._clock().timestamp()
        with self._store.transaction() as connection:
            deliveries.record(
                connection, delivery, outcome, now=now, retry_delays=self._settings.retry_delays
            )
        if not outcome.accepted:
            _log.warning("webhook %s not accepted: %s", delivery.event_id, outcome.error or outcome.status)

    def _post(self, event: Json) -> Outcome:
        if self._bus is not None:
            return self._bus.put(self._sent(event))
        payload = json.dumps(self._sent(event), indent=2).encode()
        # Signed anew for every attempt: a retry must not fall outside the receiver's tolerance.
        timestamp = int(self._signs_at().timestamp())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature_header(payload, self._settings.webhook_secret, timestamp=timestamp),
        }
        try:
            response = self._client.post(self._settings.webhook_url or "", content=payload, headers=headers)
        except httpx2.HTTPError as error:
            return Outcome(None, f"{type(error).__name__}: {error}")
        return Outcome(response.status_code)

    def _sent(self, event: Json) -> Json:
        """An event of v2 alone is thin in any case, as if a second destination had the same address and secret."""
        if event["object"] == thin.KIND:
            return thin.pushed(event)
        return thin.notification(event) if self._settings.webhook_payload == "thin" else event
