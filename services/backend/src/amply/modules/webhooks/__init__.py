"""Incoming provider events: verified, stored once, handled later. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.webhooks.domain import (
    ACCOUNT_OUT_OF_REACH,
    ACCOUNT_TYPES,
    ATTEMPT_TYPES,
    AWAITED_TYPES,
    DISPUTE_TYPES,
    FRAUD_WARNING_TYPES,
    GIFT_TYPES,
    HANDLED_TYPES,
    PAYOUT_TYPES,
    REFUND_TYPES,
    SETUP_TYPES,
    SHUT_OUT_TYPES,
    EventMalformed,
    EventNotStored,
    EventRejected,
    EventTypeNotHandled,
    Outcome,
    ProviderEvent,
    SignatureNotValid,
    WrongLivemode,
)
from amply.modules.webhooks.event_queue import EventQueueDependencies, take
from amply.modules.webhooks.missed_events import (
    MissedEventDependencies,
    WalkResult,
    find_missed,
    find_missed_of,
)
from amply.modules.webhooks.ports import (
    EventPage,
    EventQueue,
    EventReceived,
    EventSource,
    EventVerifier,
    KeepsEvent,
)
from amply.modules.webhooks.replaying import (
    REPLAYED_MAX,
    Replayed,
    StoredEvent,
    UnhandledGroup,
    count_awaited,
    count_failing,
    replay,
    replay_one,
    summary,
    unhandled,
)
from amply.modules.webhooks.service import (
    TOPIC_RECEIVED,
    EventTraces,
    claim,
    complete,
    count_exhausted,
    due_again,
    forget,
    forget_object,
    ingest,
    lock_events_about,
    lock_unhandled,
    mark_handled,
    note_failure,
    put_off,
    type_of,
)

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "ACCOUNT_OUT_OF_REACH",
    "ACCOUNT_TYPES",
    "ATTEMPT_TYPES",
    "AWAITED_TYPES",
    "DISPUTE_TYPES",
    "FRAUD_WARNING_TYPES",
    "GIFT_TYPES",
    "HANDLED_TYPES",
    "PAYOUT_TYPES",
    "REFUND_TYPES",
    "REPLAYED_MAX",
    "SETUP_TYPES",
    "SHUT_OUT_TYPES",
    "TOPIC_RECEIVED",
    "EventMalformed",
    "EventNotStored",
    "EventPage",
    "EventQueue",
    "EventQueueDependencies",
    "EventReceived",
    "EventRejected",
    "EventSource",
    "EventTraces",
    "EventTypeNotHandled",
    "EventVerifier",
    "KeepsEvent",
    "MissedEventDependencies",
    "Outcome",
    "ProviderEvent",
    "Replayed",
    "SignatureNotValid",
    "StoredEvent",
    "UnhandledGroup",
    "WalkResult",
    "WrongLivemode",
    "claim",
    "complete",
    "count_awaited",
    "count_exhausted",
    "count_failing",
    "due_again",
    "find_missed",
    "find_missed_of",
    "forget",
    "forget_object",
    "ingest",
    "lock_events_about",
    "lock_unhandled",
    "mark_handled",
    "note_failure",
    "put_off",
    "replay",
    "replay_one",
    "routers",
    "summary",
    "take",
    "type_of",
    "unhandled",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.webhooks import router  # noqa: PLC0415 -- see above

    return (router.router,)
