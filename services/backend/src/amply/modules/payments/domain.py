"""A payment's states and transitions. Pure.

created ──> pending ──> processing ──> succeeded
   │           │             │
   └───────────┴─────────────┴──────> failed │ canceled

`succeeded` is final here: money that goes back is a refund, a fact of its own. A card that was declined may be
followed by one that works, so `failed` still leads to `succeeded`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import AmplyError, Conflict, Unavailable
from amply.kernel.money import Money


class PaymentStatus(StrEnum):
    """Where a payment stands. `created`: known here only; `pending`: known to the processor, waiting for the donor."""

    CREATED = "created"
    PENDING = "pending"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class AccountStatus(StrEnum):
    """Whether an organisation's processor account may take card payments: the processor's words, and two more.

    `DISCONNECTED`: the organisation has shut us out. `CLOSED`: there is no such account any more.
    """

    PENDING = "pending"
    ACTIVE = "active"
    RESTRICTED = "restricted"
    REJECTED = "rejected"
    UNSUPPORTED = "unsupported"
    DISCONNECTED = "disconnected"
    CLOSED = "closed"


LEFT: Final = (AccountStatus.DISCONNECTED, AccountStatus.CLOSED)
"""Accounts that are gone, and that only the organisation can restore."""


_NEXT: Final = {
    PaymentStatus.CREATED: frozenset(PaymentStatus) - {PaymentStatus.CREATED},
    PaymentStatus.PENDING: frozenset(
        {PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELED}
    ),
    PaymentStatus.PROCESSING: frozenset(
        {PaymentStatus.SUCCEEDED, PaymentStatus.FAILED, PaymentStatus.CANCELED}
    ),
    PaymentStatus.FAILED: frozenset(
        {PaymentStatus.PROCESSING, PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED}
    ),
    PaymentStatus.CANCELED: frozenset[PaymentStatus](),
    PaymentStatus.SUCCEEDED: frozenset[PaymentStatus](),
}

_OF_EVENT: Final = {
    "payment_intent.succeeded": PaymentStatus.SUCCEEDED,
    "payment_intent.canceled": PaymentStatus.CANCELED,
}
"""Final statuses by event type, which hold however late the event arrives."""


class OrganizationNotReady(Conflict):
    """The organisation cannot take payments yet: its processor account is missing or not active."""

    code = "organization_not_ready"


class ProcessorRefused(AmplyError):
    """The processor will not take this payment as asked. Repeating the request cannot help."""

    status: ClassVar[int] = 502
    code: ClassVar[str] = "processor_refused"
    title: ClassVar[str] = "The payment processor refused"


class AccountUnreachable(ProcessorRefused):
    """The processor denies access to the account: it is closed, or disconnected from the platform."""


class ProcessorUnavailable(Unavailable):
    """The processor did not answer. Nothing is lost: repeat the request with the same Idempotency-Key."""

    code = "processor_unavailable"


@dataclass(frozen=True, kw_only=True)
class Account:
    """An organisation's account at the processor. `reason`: the processor's reason why it is not active."""

    id: str
    status: AccountStatus
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class OnboardingLink:
    """A single-use link to the processor's onboarding, valid for minutes. Never stored."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A customer at the processor. `keeps_method`: save the payment method for later charges."""

    id: str
    keeps_method: bool


@dataclass(frozen=True, kw_only=True)
class Intent:
    """A PaymentIntent. `client_secret` lets the donor's browser confirm it."""

    remote_id: str
    client_secret: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """State of a payment that may be retried.

    Attributes:
        status: `PENDING` also while the donor is asked something.
        name: The processor's id of the newest attempt to move the money; None before the first.
    """

    status: PaymentStatus
    name: str | None


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """Amounts that a succeeded payment moved, from its balance transaction.

    Attributes:
        gross: What the donor paid.
        fee: What the processor kept; None while it is not known yet.
    """

    gross: Money
    fee: Money | None


@dataclass(frozen=True, kw_only=True)
class RemoteDecline:
    """One declined attempt.

    Attributes:
        remote_id: The processor's name for the attempt.
        card: The processor's fingerprint of the card, the same whenever it is used; None for other methods.
    """

    remote_id: str
    card: str | None
    declined_at: datetime


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A payment of one gift to one organisation's account.

    `traceparent` leads to the trace of the request that intended it; None when that one was not recorded.
    `returns_known` counts how often news that may be overtaken (money that went back, attempts to pay) changed something.
    `customer` is None for gifts that nothing is kept for.
    """

    id: str
    donation_id: str
    organization_id: str
    account_id: str
    amount: Money
    status: PaymentStatus
    remote_id: str | None
    created_at: datetime
    traceparent: str | None
    returns_known: int = 0
    customer: Customer | None = None


class AnswerOutdated(Exception):
    """Newer information was applied while the processor was asked: ask again."""


def may_become(current: PaymentStatus, following: PaymentStatus) -> bool:
    """Whether the state table has this transition. Repeated and late events have none, and change nothing."""
    return following in _NEXT[current]


def status_of_event(event_type: str) -> PaymentStatus:
    """The status announced by an event about a payment's end."""
    return _OF_EVENT[event_type]
