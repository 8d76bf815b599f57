"""Types of money that goes back to a donor: refunds, disputes, early fraud warnings. Pure.

A refund:  created ──> pending ──> succeeded ──> failed
              └───────────┴──────> failed │ canceled

`created` is known here only, and reserved in the books. Whether its money has moved is not its status but its balance
transaction: a refund to a bank is `pending` for days after the organisation's balance was debited.

A dispute's status is the processor's word (docs.stripe.com/api/disputes/object). Those that begin with `warning_` are
inquiries: a bank asks, and nothing moves. What moved is in its balance transactions alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from amply.kernel.money import Money


class RefundStatus(StrEnum):
    """Where a refund stands."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class DisputeState(StrEnum):
    """What a gift shows of its disputes. `LOST`: the donor's bank has kept the money."""

    OPEN = "open"
    LOST = "lost"


class RefundReason(StrEnum):
    """Why an operator gives a gift back; the words are public in the log."""

    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    REQUESTED_BY_DONOR = "requested_by_donor"


_LOST: Final = "lost"
_NOTHING_TO_SHOW: Final = frozenset(
    {"won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"}
)


@dataclass(frozen=True, kw_only=True)
class RemoteRefund:
    """A refund's current state at the processor.

    Attributes:
        refund_id: Our id of it, where we asked for it; None when it was made on the processor's own pages.
        moved_at: When the organisation's balance was debited; None while it was not.
        returned_at: When a refund that failed or was canceled was credited again; None for one that holds.
        reason: Why it was made, in our words; None where nobody said.
    """

    remote_id: str
    refund_id: str | None
    amount: Money
    status: RefundStatus
    moved_at: datetime | None
    returned_at: datetime | None
    reason: RefundReason | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the refund failed."""
        return self.status in (RefundStatus.FAILED, RefundStatus.CANCELED)


@dataclass(frozen=True, kw_only=True)
class DisputeMovement:
    """A balance transaction of a dispute.

    Attributes:
        amount: Below zero: withdrawn from the organisation; above: given back.
        fee: Above zero: charged; below: given back.
    """

    remote_id: str
    amount: Money
    fee: Money
    moved_at: datetime


@dataclass(frozen=True, kw_only=True)
class RemoteDispute:
    """A dispute's current state at the processor; `movements` in chronological order."""

    remote_id: str
    amount: Money
    reason: str
    status: str
    evidence_due_at: datetime | None
    opened_at: datetime
    movements: tuple[DisputeMovement, ...]

    @property
    def is_lost(self) -> bool:
        """Whether the organisation lost it."""
        return self.status == _LOST


@dataclass(frozen=True, kw_only=True)
class RemoteWarning:
    """An early fraud warning by a card issuer."""

    remote_id: str
    fraud_type: str
    warned_at: datetime


def dispute_state(statuses: Iterable[str]) -> DisputeState | None:
    """The gift's dispute state for these statuses. An unknown status counts as open."""
    shown = {status for status in statuses if status not in _NOTHING_TO_SHOW}
    if shown - {_LOST}:
        return DisputeState.OPEN
    return DisputeState.LOST if shown else None
