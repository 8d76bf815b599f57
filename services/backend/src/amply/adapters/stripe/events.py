"""Stripe's event list: the last thirty days, delivered or not (docs.stripe.com/api/events/list)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from amply.adapters.stripe.payouts import on, translated
from amply.adapters.stripe.processor import client_for
from amply.adapters.stripe.signatures import listed_event
from amply.infra.settings import StripeSettings
from amply.modules.webhooks import EventPage, ProviderEvent

_PAGE: Final = 100


class StripeEventSource:
    """Implements `webhooks.EventSource`. Thread-safe; built once per process."""

    def __init__(self, settings: StripeSettings) -> None:
        self._client = client_for(settings)

    def events_between(
        self, *, account_id: str | None, since: datetime, until: datetime, older_than: str | None
    ) -> EventPage:
        """A listed event does not always say on which account it happened: the one that was asked about."""
        after = {} if older_than is None else {"starting_after": older_than}
        created = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        params: Any = {"created": created, **after, "limit": _PAGE}
        with translated("list events"):
            page = self._client.v1.events.list(params, on(account_id))
        events = [replace(listed_event(event.to_dict()), account_id=account_id) for event in page.data]
        return EventPage(items=events, older_than=events[-1].id if page.has_more and events else None)

    def about(self, event: ProviderEvent) -> Mapping[str, Any]:
        """The SDK's own notification is made again of what was stored, and fetches its object."""
        told: Any = self._client.parse_event_notification_without_verification(
            json.dumps(
                {
                    "id": event.id,
                    "object": "v2.core.event",
                    "type": f"v1.{event.type}",
                    "created": event.occurred_at.isoformat(),
                    "livemode": event.livemode,
                    "context": event.account_id,
                    "related_object": {
                        "id": event.object["id"],
                        "type": event.object["object"],
                        "url": event.fetch,
                    },
                }
            )
        )
        with translated("fetch what an event is about"):
            found: Mapping[str, Any] = told.fetch_related_object().to_dict()
            return found
