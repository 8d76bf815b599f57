"""Provider events, and the reasons to refuse one.

EventRejected
├── SignatureNotValid   not signed by the provider, too old, or from the future (400)
├── EventMalformed      signed, but not an event (400)
└── WrongLivemode       a test event in production, or the other way round (400)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from amply.kernel.errors import AmplyError, Conflict, NotFound

GIFT_TYPES: Final = frozenset({"payment_intent.succeeded", "payment_intent.canceled", "charge.updated"})
ATTEMPT_TYPES: Final = frozenset({"payment_intent.processing", "payment_intent.payment_failed"})
SETUP_TYPES: Final = frozenset({"setup_intent.setup_failed"})
REFUND_TYPES: Final = frozenset(
    {
        "charge.refunded",
        "charge.refund.updated",
        "refund.created",
        "refund.updated",
        "refund.failed",
    }
)
DISPUTE_TYPES: Final = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    }
)
PAYOUT_TYPES: Final = frozenset(
    {
        "payout.canceled",
        "payout.created",
        "payout.failed",
        "payout.paid",
        "payout.reconciliation_completed",
        "payout.updated",
    }
)
FRAUD_WARNING_TYPES: Final = frozenset({"radar.early_fraud_warning.created"})
SHUT_OUT_TYPES: Final = frozenset({"account.application.deauthorized", "v2.core.account.closed"})
ACCOUNT_TYPES: Final = SHUT_OUT_TYPES | frozenset(
    {
        "account.application.authorized",
        "account.updated",
        "capability.updated",
        "v2.core.account.updated",
        "v2.core.account[configuration.merchant].capability_status_updated",
        "v2.core.account[configuration.merchant].updated",
        "v2.core.account[requirements].updated",
    }
)
"""Event types by subject. Thin events of v1 objects have the types of their snapshots."""

HANDLED_TYPES: Final = (
    GIFT_TYPES
    | ATTEMPT_TYPES
    | SETUP_TYPES
    | REFUND_TYPES
    | DISPUTE_TYPES
    | PAYOUT_TYPES
    | FRAUD_WARNING_TYPES
    | ACCOUNT_TYPES
)
"""Event types with handlers. Others are stored as `Outcome.UNSUPPORTED`."""

AWAITED_TYPES: Final = frozenset(
    {
        "application_fee.refund.updated",
        "application_fee.refunded",
    }
)
"""Those among the others that moved money: the books have a kind for each, and nobody posts it yet (docs/books.md)."""

ACCOUNT_OUT_OF_REACH: Final = "account_out_of_reach"
"""Reason of events that wait because their account is inaccessible."""

ATTEMPTS_MAX: Final = 10
RETRY_DELAY_MAX: Final = timedelta(hours=1)


class EventRejected(AmplyError):
    """The delivery is refused; the provider will try again and show it on its dashboard."""

    status = 400
    code = "event_rejected"
    title = "The event was refused"


class SignatureNotValid(EventRejected):
    """The signature does not match, or its time is too far from ours."""

    code = "signature_not_valid"


class EventMalformed(EventRejected):
    """The signature is right, the body is not an event."""

    code = "event_malformed"


class WrongLivemode(EventRejected):
    """A test event reached production, or a live event reached a test environment."""

    code = "wrong_livemode"


class EventTypeNotHandled(Conflict):
    """Events of this type are stored, and nothing here can apply them yet."""

    code = "event_type_not_handled"

    def __init__(self, event_type: str) -> None:
        super().__init__(
            f"Nobody handles {event_type} yet: its events stay stored; replay them with the release that does."
        )
        self.event_type = event_type


class EventNotStored(NotFound):
    """No stored event has this id."""

    code = "event_not_stored"

    def __init__(self, event_id: str) -> None:
        super().__init__(f"No event {event_id} is stored; look its id up on the processor's dashboard.")
        self.event_id = event_id


class Outcome(StrEnum):
    """What handling an event came to. `UNSUPPORTED`: nobody handles its type; it is kept to be replayed once one does."""

    APPLIED = "applied"
    NO_CHANGE = "no_change"
    NOT_OURS = "not_ours"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, kw_only=True)
class ProviderEvent:
    """A verified event.

    Attributes:
        id: The provider's event id.
        account_id: The connected account it happened on, if any.
        occurred_at: When the provider says it happened.
        object: `data.object` as sent: a snapshot, possibly stale. Of a thin event, id and kind of what it is about.
        fetch: Of a thin event about an object of v1, the path where the processor has that object; None: it is here.
    """

    id: str
    type: str
    account_id: str | None
    livemode: bool
    occurred_at: datetime
    object: Mapping[str, Any]
    fetch: str | None = None
