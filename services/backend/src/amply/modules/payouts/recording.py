"""Records the processor's balance transactions and matches them with the ledger, in one transaction."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel import ids
from amply.kernel.errors import invariant
from amply.kernel.money import Money
from amply.modules import ledger, payments
from amply.modules.payouts.domain import MovementNotOpen, ReasonNotAcceptable, Transaction
from amply.modules.payouts.matching import (
    Decision,
    Movement,
    Reason,
    State,
    decide,
    is_application_fee,
    is_fee,
    movements,
)
from amply.modules.payouts.models import MovementRow

CHECKED_MAX: Final = 1_000
"""Open movements retried in one run."""

_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

_OF_PAYMENTS: Final = frozenset({"charge", "refund", "refund_failure", "dispute", "dispute_reversal"})
"""Categories of transactions that belong to a payment: ours, or one that an organisation took elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The owner whose balance transactions are recorded, and the transaction."""

    session: Session
    owner: str
    account_id: str | None
    secrets: ledger.CommitmentSecrets
    now: datetime

    def record(self, transactions: Sequence[Transaction], *, payout_id: str | None = None) -> None:
        """Record each balance transaction once, with its entry or the reason why there is none.

        What no event tells of is booked here: exchanges first, then fees and what the platform was given.
        """
        found = [movement for transaction in transactions for movement in movements(transaction)]
        if not found:
            return
        self._book_exchanges(found)
        moved = self._moved(found)
        for movement in found:
            if movement.booked_as not in moved and self._is_fee_to_book(movement, moved):
                self._book_fee(movement)
        moved = self._moved(found)
        # In one order whoever writes them, so that two who write the same ones do not wait for each other in a circle.
        found.sort(key=lambda movement: (movement.transaction_digest, movement.part))
        written = insert(MovementRow).values(
            [self._values(movement, moved, payout_id=payout_id) for movement in found]
        )
        self.session.execute(
            written.on_conflict_do_update(
                index_elements=["transaction_digest", "part"],
                set_={
                    "payout_id": func.coalesce(MovementRow.payout_id, written.excluded.payout_id),
                    "exchanges": func.coalesce(MovementRow.exchanges, written.excluded.exchanges),
                },
            )
        )

    def _book_exchanges(self, found: Sequence[Movement]) -> None:
        """The entry of a gift or a refund is in the donor's currency: once it is there, the exchange follows it."""
        exchanges = [movement for movement in found if movement.exchanges is not None]
        if not exchanges:
            return
        moved = self._moved(exchanges)
        underlying = ledger.moved_by(
            self.session,
            account=ledger.account(self.owner, "processor_balance"),
            stored_keys={ledger.stored_key(movement.exchanges or "") for movement in exchanges},
        )
        for movement in exchanges:
            of_what = underlying.get(ledger.stored_key(movement.exchanges or ""))
            if movement.booked_as not in moved and of_what is not None and _is_of(movement, of_what):
                self._book(movement, ledger.Kind.CURRENCY_EXCHANGED, _exchange_lines(self.owner, movement))

    def _moved(self, found: Sequence[Movement]) -> Mapping[str, ledger.AccountMovement]:
        keys = {movement.booked_as for movement in found if movement.booked_as is not None}
        return ledger.moved_by(
            self.session, account=ledger.account(self.owner, "processor_balance"), stored_keys=keys
        )

    def _values(
        self, movement: Movement, moved: Mapping[str, ledger.AccountMovement], *, payout_id: str | None
    ) -> dict[str, object]:
        entry = moved.get(movement.booked_as or "")
        decision = decide(movement, moved=entry, is_ours=entry is not None or self._is_ours(movement))
        return {
            "id": ids.new_random_id("mov"),
            "owner": self.owner,
            "transaction_digest": movement.transaction_digest,
            "part": movement.part,
            "payout_id": payout_id,
            "category": movement.transaction.category,
            "kind": movement.kind,
            "booked_as": movement.booked_as,
            "exchanges": movement.exchanges_as,
            "minor_units": movement.amount.minor_units,
            "currency": movement.amount.currency,
            "occurred_at": movement.occurred_at,
            "state": decision.state,
            "reason": decision.reason,
            "entry_id": decision.entry_id,
            "seen_at": self.now,
            "checked_at": self.now,
        }

    def _is_ours(self, movement: Movement) -> bool:
        """What belongs to no payment at all, such as a payout or a fee of the account, is the books' affair."""
        transaction = movement.transaction
        if transaction.category not in _OF_PAYMENTS:
            return True
        return transaction.intent_id is not None and (
            payments.find_for_event(
                self.session,
                remote_id=transaction.intent_id,
                payment_id=transaction.payment_id,
                account_id=self.account_id or "",
            )
            is not None
        )

    def _is_fee_to_book(self, movement: Movement, moved: Mapping[str, ledger.AccountMovement]) -> bool:
        """The fee of a gift waits for the gift: the books tell of both in that order."""
        if not is_fee(movement) and not is_application_fee(movement):
            return False
        if movement.transaction.category == "fee":
            return True
        amount = next(movements(movement.transaction))
        return amount.booked_as in moved

    def _book_fee(self, movement: Movement) -> None:
        size = Money(minor_units=abs(movement.amount.minor_units), currency=movement.amount.currency)
        if is_application_fee(movement):
            lines = ledger.postings.application_fee(organization_id=self.owner, amount=size)
            self._book(movement, ledger.Kind.APPLICATION_FEE_CREATED, lines)
            return
        kind = movement.kind or ledger.Kind.PROCESSOR_FEE
        of_gift = kind is ledger.Kind.PROCESSOR_FEE
        charged = ledger.processor_fee if of_gift else ledger.postings.dispute_fee
        lines = charged(organization_id=self.owner, amount=size)
        is_taken = movement.amount.minor_units < 0
        self._book(movement, kind, lines if is_taken else ledger.postings.reverse(lines))

    def _book(self, movement: Movement, kind: ledger.Kind, lines: tuple[ledger.NewTransfer, ...]) -> None:
        """Nothing is kept to open its commitment: it may be about somebody who was erased, and nobody asks for it."""
        named = movement.transaction
        reference = (
            f"stripe:payment_intent:{named.intent_id}"
            if named.category == "charge"
            else f"stripe:balance_transaction:{named.id}"
        )
        entry = ledger.NewEntry(
            kind=kind,
            organization_id=self.owner,
            idempotency_key=movement.fact or "",
            transfers=lines,
            event_at=movement.occurred_at,
            reference=None,
            personal={"reference": reference},
        )
        ledger.post(self.session, entry=entry, now=self.now, secrets=self.secrets, keeps_openings=False)


def _is_of(movement: Movement, exchanged: ledger.AccountMovement) -> bool:
    """Whether an entry moved, in the donor's currency, just what this exchange is of."""
    source = movement.transaction.source_amount
    if source is None:
        return False
    sign = 1 if movement.amount.minor_units > 0 else -1
    return exchanged.minor_units.get(source.currency) == sign * source.minor_units


def _exchange_lines(owner: str, movement: Movement) -> tuple[ledger.NewTransfer, ...]:
    """What came in was sold for the account's currency; what went out was bought with it."""
    source = movement.transaction.source_amount
    invariant(source is not None, "an exchange knows what it exchanged")
    here = Money(minor_units=abs(movement.amount.minor_units), currency=movement.amount.currency)
    there = source or here
    if movement.amount.minor_units > 0:
        return ledger.postings.currency_exchanged(owner=owner, sold=there, bought=here)
    return ledger.postings.currency_exchanged(owner=owner, sold=here, bought=there)


def match_open(session: Session, *, now: datetime, owner: str | None = None) -> int:
    """Retry matching open movements, least recently tried first; returns how many were matched.

    With an owner: of all of theirs.
    """
    waiting = select(MovementRow).where(MovementRow.state == State.OPEN)
    if owner is None:
        chosen = waiting.order_by(MovementRow.checked_at, MovementRow.id).limit(CHECKED_MAX)
        rows = session.scalars(chosen.with_for_update(skip_locked=True)).all()
    else:
        chosen = waiting.where(MovementRow.owner == owner).order_by(MovementRow.id)
        rows = session.scalars(chosen.with_for_update()).all()
    found = sum(
        _match(session, of_whom, [row for row in rows if row.owner == of_whom], now=now)
        for of_whom in sorted({row.owner for row in rows})
    )
    session.flush()
    return found


def _match(session: Session, owner: str, rows: Sequence[MovementRow], *, now: datetime) -> int:
    moved = ledger.moved_by(
        session,
        account=ledger.account(owner, "processor_balance"),
        stored_keys={row.booked_as for row in rows if row.booked_as is not None},
    )
    for row in rows:
        decision = _decide_again(row, moved.get(row.booked_as or ""))
        row.state, row.reason, row.entry_id = decision.state, decision.reason, decision.entry_id
        row.checked_at = now
    return sum(row.state == State.MATCHED for row in rows)


def _decide_again(row: MovementRow, moved: ledger.AccountMovement | None) -> Decision:
    if moved is None:
        return Decision(state=State.OPEN, reason=row.reason)
    if moved.minor_units.get(row.currency) == row.minor_units:
        return Decision(state=State.MATCHED, entry_id=moved.entry_id)
    exchanged = row.reason == Reason.CURRENCY_EXCHANGED
    return Decision(state=State.OPEN, reason=row.reason if exchanged else Reason.AMOUNT_DIFFERS)


def explain(session: Session, *, movement_id: str, reason: str, now: datetime) -> None:
    """Record an operator's explanation of a movement, which then counts as outside.

    Raises:
        ReasonNotAcceptable: The reason is no code.
        MovementNotOpen: It is not in the queue.
    """
    if _REASON.fullmatch(reason) is None:
        raise ReasonNotAcceptable
    explained = session.execute(
        update(MovementRow)
        .where(MovementRow.id == movement_id, MovementRow.state == State.OPEN)
        .values(state=State.EXPLAINED, reason=reason, checked_at=now)
        .returning(MovementRow.id)
        .execution_options(synchronize_session=False)
    )
    if explained.one_or_none() is None:
        raise MovementNotOpen(movement_id)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums of an owner's movements in one currency, in minor units."""

    open: int
    outside: int


def sums_of(session: Session, *, owner: str) -> dict[str, Sums]:
    """Unmatched and explained sums, by currency."""
    amount = MovementRow.minor_units
    rows = session.execute(
        select(
            MovementRow.currency,
            func.coalesce(func.sum(case((MovementRow.state == State.OPEN, amount))), 0).label("open"),
            func.coalesce(
                func.sum(case((MovementRow.state.in_((State.OUTSIDE, State.EXPLAINED)), amount))), 0
            ).label("outside"),
        )
        .where(MovementRow.owner == owner)
        .group_by(MovementRow.currency)
    )
    return {row.currency: Sums(open=int(row.open), outside=int(row.outside)) for row in rows}
