"""Stripe's list of events: thirty days of them, whether or not they were delivered (docs.stripe.com/api/events/list)."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from amply.adapters.stripe.payouts import on, translated
from amply.adapters.stripe.processor import client_for
from amply.adapters.stripe.signatures import listed_event
from amply.infra.settings import StripeSettings
from amply.modules.webhooks import EventPage

_PAGE: Final = 100


class StripeEventSource:
    """Stripe as the webhooks module's `EventSource`. Built once per process; safe to share between threads."""

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
