"""Payouts and balance transactions, and when each step of a payout is booked. Pure.

pending ──> in_transit ──> paid ──> failed      (the bank sent it back)
   │            └────────────────────> failed
   └─────────────────────────────────> canceled

`failed` and `canceled` are the end: what the processor sends again is another payout
(docs.stripe.com/api/payouts/object#payout_object-status).
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from amply.kernel.errors import AmplyError, InvalidRequest, NotFound
from amply.kernel.money import Money
from amply.modules import ledger

RECONCILED_EVENT: Final = "payout.reconciliation_completed"

ITEMS_MAX: Final = 50_000
"""Balance transactions of one payout. A larger one's event becomes exhausted, and waits for a person."""


class PayoutStatus(StrEnum):
    """Where a payout stands at the processor."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


_RANK: Final = {
    PayoutStatus.PENDING: 0,
    PayoutStatus.IN_TRANSIT: 1,
    PayoutStatus.PAID: 2,
    PayoutStatus.FAILED: 3,
    PayoutStatus.CANCELED: 3,
}


class PayoutNotFound(NotFound):
    """No payout of this id is known here."""

    code = "payout_not_found"

    def __init__(self, payout_id: str) -> None:
        super().__init__(
            f"No payout {payout_id} is known here; `admin payouts reconcile {payout_id} --organization org_…` asks the "
            "processor for it."
        )
        self.payout_id = payout_id


class PayoutNotReconciled(NotFound):
    """What a payout consists of is not known."""

    code = "payout_not_reconciled"

    def __init__(self, payout_id: str) -> None:
        super().__init__(
            f"What {payout_id} consists of is not known yet: the processor tells it of automatic payouts, hours after "
            f"they were made. `admin payouts reconcile {payout_id}` asks now."
        )
        self.payout_id = payout_id


class MovementNotOpen(InvalidRequest):
    """A movement is not in the queue."""

    code = "movement_not_open"

    def __init__(self, movement_id: str) -> None:
        super().__init__(f"{movement_id} is not open; `admin payouts unmatched` lists those that are.")
        self.movement_id = movement_id


class ReasonNotAcceptable(InvalidRequest):
    """A reason is no code."""

    code = "reason_not_acceptable"

    def __init__(self) -> None:
        super().__init__(
            "Give the reason as a code of small letters, digits and underscores, such as paid_before_joining."
        )


class PayoutTooLong(AmplyError):
    """A payout consists of more than is read at once."""

    code = "payout_too_long"

    def __init__(self, payout_id: str) -> None:
        super().__init__(
            f"{payout_id} has more than {ITEMS_MAX} items; raise ITEMS_MAX in modules/payouts/domain.py."
        )
        self.payout_id = payout_id


@dataclass(frozen=True, kw_only=True)
class Payout:
    """A payout as the processor describes it.

    Attributes:
        amount: What reaches the bank; below zero where the processor takes from it what a balance lacks.
        is_automatic: Made by the processor's schedule; only then does it tell what the payout consists of.
        is_itemised: Its items can be listed now.
        bank_reference: The trace id by which the bank knows it; None until the bank has said so.
    """

    id: str
    amount: Money
    status: PayoutStatus
    is_automatic: bool
    is_itemised: bool
    created_at: datetime
    arrives_on: date
    bank_reference: str | None
    failure_code: str | None


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One balance transaction: what moved an account's balance (docs.stripe.com/api/balance_transactions/object).

    Attributes:
        category: The processor's `reporting_category`.
        gross: Positive: in.
        fee: What the processor kept of it, without an application's; negative: it gave some back.
        application_fee: What an application kept of it.
        source_id: The charge, refund, dispute or payout it is about; None for some fees.
        intent_id: The PaymentIntent behind that source, if any.
        payment_id: Our payment's id, where the source carries it.
        is_exchanged: It was converted from another currency.
        source_amount: What its charge or refund is over, in that one's own currency; above zero.
        application_fee_id: The application's name for its fee, where it took one.
    """

    id: str
    category: str
    gross: Money
    fee: Money
    application_fee: Money
    source_id: str | None
    intent_id: str | None
    payment_id: str | None
    is_exchanged: bool
    occurred_at: datetime
    source_amount: Money | None = None
    application_fee_id: str | None = None

    @property
    def net(self) -> int:
        """Its effect on the balance, in minor units."""
        return self.gross.minor_units - self.fee.minor_units - self.application_fee.minor_units


def digest_of(transaction_id: str) -> str:
    """Digest of a balance transaction's id, which would lead to a donor at the processor."""
    return (
        f"sha256:{hashlib.sha256(b'amply/transaction/v1' + bytes(1) + transaction_id.encode()).hexdigest()}"
    )


def may_follow(current: PayoutStatus, told: PayoutStatus) -> bool:
    """Whether a reported state is not older than the stored one: answers may arrive out of order."""
    return told == current or _RANK[told] > _RANK[current]


def steps(status: PayoutStatus, booked: Collection[ledger.Kind]) -> Sequence[ledger.Kind]:
    """Steps still to be booked in this state, in order.

    One that failed before anybody heard that it was paid was never paid in the books.
    """
    created, paid = ledger.Kind.PAYOUT_CREATED, ledger.Kind.PAYOUT_PAID
    ended = status in (PayoutStatus.FAILED, PayoutStatus.CANCELED)
    wanted = [created]
    if ended:
        wanted += [ledger.Kind.PAYOUT_RETURNED] if paid in booked else []
        wanted += [ledger.Kind.PAYOUT_FAILED]
    elif status is PayoutStatus.PAID:
        wanted += [paid]
    return [kind for kind in wanted if kind not in booked]
