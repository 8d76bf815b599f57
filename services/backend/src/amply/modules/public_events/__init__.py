"""Public events about an organisation's money, for integrators' webhooks and the event bus.

A module records one in the transaction that makes it true. `modules/webhook_endpoints` delivers it to organisations' endpoints.
Import from here only.
"""

from amply.modules.public_events.domain import EventType, PublicEvent
from amply.modules.public_events.models import PublicEventRow
from amply.modules.public_events.payloads import (
    PAYLOADS,
    EventAmount,
    GiftDispute,
    GiftDisputed,
    GiftMethod,
    GiftRefunded,
    GiftReversed,
    GiftSucceeded,
    Payload,
    PayoutChanged,
    PlanChanged,
    PlanReason,
)
from amply.modules.public_events.ports import EVENTS_AT_ONCE, EventBus
from amply.modules.public_events.publishing import count_unpublished, publish
from amply.modules.public_events.service import (
    KEPT,
    TOPIC_RECORDED,
    event_of,
    forget_about,
    forget_old,
    record,
)

__all__ = [
    "EVENTS_AT_ONCE",
    "KEPT",
    "PAYLOADS",
    "TOPIC_RECORDED",
    "EventAmount",
    "EventBus",
    "EventType",
    "GiftDispute",
    "GiftDisputed",
    "GiftMethod",
    "GiftRefunded",
    "GiftReversed",
    "GiftSucceeded",
    "Payload",
    "PayoutChanged",
    "PlanChanged",
    "PlanReason",
    "PublicEvent",
    "PublicEventRow",
    "count_unpublished",
    "event_of",
    "forget_about",
    "forget_old",
    "publish",
    "record",
]
