"""Webhooks. Today the way in: provider events, verified, stored once, handled later. Import from here only."""

from amply.modules.webhooks.domain import (
    EventMalformed,
    EventRejected,
    Outcome,
    ProviderEvent,
    SignatureNotValid,
    WrongLivemode,
)
from amply.modules.webhooks.ports import EventVerifier
from amply.modules.webhooks.router import router
from amply.modules.webhooks.service import (
    FACT_RECEIVED,
    EventTraces,
    claim,
    count_exhausted,
    due_again,
    forget,
    ingest,
    lock_events_about,
    lock_unhandled,
    mark_handled,
    put_off,
)

__all__ = [
    "FACT_RECEIVED",
    "EventMalformed",
    "EventRejected",
    "EventTraces",
    "EventVerifier",
    "Outcome",
    "ProviderEvent",
    "SignatureNotValid",
    "WrongLivemode",
    "claim",
    "count_exhausted",
    "due_again",
    "forget",
    "ingest",
    "lock_events_about",
    "lock_unhandled",
    "mark_handled",
    "put_off",
    "router",
]
