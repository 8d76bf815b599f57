"""Matches the processor's balance transactions to ledger entries, by identifiers alone. Pure.

A transaction is one amount and up to two fees, and the books have an entry for each: a row a part. Entries are found by
their idempotency keys, which are made of the processor's names (`stripe:pi_…:donation.succeeded`) and kept as digests,
so that this works for erased donors too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.payouts.domain import Transaction, digest_of


class Part(StrEnum):
    """Of a transaction."""

    AMOUNT = "amount"
    FEE = "fee"
    APPLICATION_FEE = "application_fee"


class State(StrEnum):
    """Of a movement. `OPEN`: in the queue; `OUTSIDE`: nothing of ours; `EXPLAINED`: an operator said why it is not booked."""

    OPEN = "open"
    MATCHED = "matched"
    OUTSIDE = "outside"
    EXPLAINED = "explained"


class Reason(StrEnum):
    """Why a movement has no entry."""

    NOT_BOOKED = "not_booked"
    AMOUNT_DIFFERS = "amount_differs"
    CATEGORY_UNKNOWN = "category_unknown"
    CURRENCY_EXCHANGED = "currency_exchanged"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One part (amount, fee or application fee) of a balance transaction, and the entry that should book it.

    Attributes:
        kind: None where no kind of entry is meant for it.
        fact: The idempotency key of that entry.
        exchanges: Of an exchange: the key of the entry whose money was exchanged, in the currency that the donor sees.
    """

    transaction: Transaction
    part: Part
    amount: Money
    kind: ledger.Kind | None
    fact: str | None
    exchanges: str | None = None

    @property
    def transaction_digest(self) -> str:
        return digest_of(self.transaction.id)

    @property
    def booked_as(self) -> str | None:
        """What the ledger keeps of the key."""
        return None if self.fact is None else ledger.stored_key(self.fact)

    @property
    def exchanges_as(self) -> str | None:
        """The same of the key of the entry whose money was exchanged."""
        return None if self.exchanges is None else ledger.stored_key(self.exchanges)

    @property
    def occurred_at(self) -> datetime:
        return self.transaction.occurred_at


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The result of matching a movement."""

    state: State
    reason: str | None = None
    entry_id: str | None = None


_KINDS: Final[Mapping[str, ledger.Kind]] = {
    "charge": ledger.Kind.DONATION_SUCCEEDED,
    "refund": ledger.Kind.DONATION_REFUNDED,
    "refund_failure": ledger.Kind.REFUND_FAILED,
    "dispute": ledger.Kind.DISPUTE_OPENED,
    "dispute_reversal": ledger.Kind.DISPUTE_WON,
    "payout": ledger.Kind.PAYOUT_CREATED,
    "payout_reversal": ledger.Kind.PAYOUT_FAILED,
    "fee": ledger.Kind.PROCESSOR_FEE,
    "platform_earning": ledger.Kind.APPLICATION_FEE_CREATED,
}
"""Entry kinds by reporting category (docs.stripe.com/reports/reporting-categories)."""

_WITH_FEES: Final = frozenset({"charge", "refund", "payout", "payout_reversal"})
"""Categories whose fee is the processor's for moving money; an instant payout has one."""

_OF_DISPUTES: Final = frozenset({"dispute", "dispute_reversal"})
"""Categories whose fee is that of a dispute. Its sign says whether it was charged or given back."""


_EXCHANGED: Final = frozenset({"charge", "refund", "refund_failure", "dispute", "dispute_reversal"})
"""Categories whose entry may be in the donor's currency, and whose transaction is in the account's
(docs.stripe.com/currencies/disputes-refunds). Where both are the same, the transaction's source says so."""

_FEES_OF_DISPUTES: Final = frozenset({ledger.Kind.DISPUTE_FEE, ledger.Kind.DISPUTE_FEE_REFUNDED})


def movements(transaction: Transaction) -> Iterator[Movement]:
    """The non-zero components of a balance transaction. They add up to its net."""
    parts = (
        (Part.AMOUNT, transaction.gross.minor_units),
        (Part.FEE, -transaction.fee.minor_units),
        (Part.APPLICATION_FEE, -transaction.application_fee.minor_units),
    )
    for part, minor_units in parts:
        if minor_units != 0:
            amount = Money(minor_units=minor_units, currency=transaction.gross.currency)
            yield _movement(transaction, part, amount)


def _movement(transaction: Transaction, part: Part, amount: Money) -> Movement:
    kind = _kind(transaction, part)
    fact = None if kind is None else _fact(transaction, part, kind)
    if part is not Part.AMOUNT or not _is_exchange(transaction):
        return Movement(transaction=transaction, part=part, amount=amount, kind=kind, fact=fact)
    exchange = ledger.Kind.CURRENCY_EXCHANGED
    return Movement(
        transaction=transaction,
        part=part,
        amount=amount,
        kind=exchange,
        fact=f"stripe:{transaction.id}:{exchange}",
        exchanges=fact,
    )


def _is_exchange(transaction: Transaction) -> bool:
    source = transaction.source_amount
    return (
        transaction.is_exchanged
        and transaction.category in _EXCHANGED
        and source is not None
        and source.currency != transaction.gross.currency
    )


def is_fee(movement: Movement) -> bool:
    """Whether reconciliation may book it by itself: any fee charged or returned by the processor.

    A dispute's comes with the dispute's own events; after an exchange they do not tell it, for it is in another currency.
    """
    if movement.kind in _FEES_OF_DISPUTES:
        return movement.transaction.is_exchanged
    return movement.kind is ledger.Kind.PROCESSOR_FEE


def is_application_fee(movement: Movement) -> bool:
    """Whether it is a contribution to the platform, in the gift's own currency."""
    return (
        movement.part is Part.APPLICATION_FEE
        and movement.kind is ledger.Kind.APPLICATION_FEE_CREATED
        and not movement.transaction.is_exchanged
    )


def decide(movement: Movement, *, moved: "ledger.AccountMovement | None", is_ours: bool) -> Decision:
    """Compare a movement with the entry of the same key, if there is one.

    An entry decides before anything else. Without one: what belongs to no payment of ours is the organisation's own
    affair (its account takes other money too), and all else waits.
    """
    if moved is not None and moved.minor_units.get(movement.amount.currency) == movement.amount.minor_units:
        return Decision(state=State.MATCHED, entry_id=moved.entry_id)
    if not is_ours:
        return Decision(state=State.OUTSIDE, reason=Reason.NOT_OURS)
    if movement.transaction.is_exchanged:
        return Decision(state=State.OPEN, reason=Reason.CURRENCY_EXCHANGED)
    if moved is not None:
        return Decision(state=State.OPEN, reason=Reason.AMOUNT_DIFFERS)
    if movement.fact is None:
        return Decision(state=State.OPEN, reason=Reason.CATEGORY_UNKNOWN)
    return Decision(state=State.OPEN, reason=Reason.NOT_BOOKED)


def _kind(transaction: Transaction, part: Part) -> ledger.Kind | None:
    match part:
        case Part.AMOUNT:
            return _KINDS.get(transaction.category)
        case Part.FEE:
            return _fee_kind(transaction)
        case Part.APPLICATION_FEE:
            is_taken = transaction.application_fee.minor_units > 0
            return ledger.Kind.APPLICATION_FEE_CREATED if is_taken else ledger.Kind.APPLICATION_FEE_REFUNDED


def _fee_kind(transaction: Transaction) -> ledger.Kind | None:
    if transaction.category in _OF_DISPUTES:
        charged = transaction.fee.minor_units > 0
        return ledger.Kind.DISPUTE_FEE if charged else ledger.Kind.DISPUTE_FEE_REFUNDED
    return ledger.Kind.PROCESSOR_FEE if transaction.category in _WITH_FEES else None


def _fact(transaction: Transaction, part: Part, kind: ledger.Kind) -> str | None:
    """The key under which modules/donations and this one book it; None where the name it needs is missing.

    An application's fee has the application's name for it: the platform's own transaction is about the same.
    """
    source = transaction.source_id
    if part is Part.APPLICATION_FEE and transaction.application_fee_id is not None:
        return f"stripe:{transaction.application_fee_id}:{kind}"
    match transaction.category:
        case "charge":
            named = transaction.intent_id
        case "refund" | "refund_failure":
            named = source and f"refund:{source}"
        case "dispute" | "dispute_reversal":
            named = source and f"dispute:{source}:{transaction.id}"
        case "fee":
            named = transaction.id
        case "payout" | "payout_reversal" if part is Part.FEE:
            named = transaction.id
        case _:
            named = source
    return f"stripe:{named}:{kind}" if named else None
