"""Records a payout and books it, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.kernel.money import Money
from amply.modules import ledger, public_events
from amply.modules.payouts.domain import Payout, PayoutStatus, may_follow, steps
from amply.modules.payouts.models import PayoutRow

_ENTRY_OF = {
    ledger.Kind.PAYOUT_CREATED: "created_entry_id",
    ledger.Kind.PAYOUT_PAID: "paid_entry_id",
    ledger.Kind.PAYOUT_RETURNED: "returned_entry_id",
    ledger.Kind.PAYOUT_FAILED: "failed_entry_id",
}
"""The column of each step's entry."""

_TAKES_BACK = {
    ledger.Kind.PAYOUT_RETURNED: ledger.Kind.PAYOUT_PAID,
    ledger.Kind.PAYOUT_FAILED: ledger.Kind.PAYOUT_CREATED,
}


_TOLD = {
    ledger.Kind.PAYOUT_PAID: public_events.EventType.PAYOUT_PAID,
    ledger.Kind.PAYOUT_FAILED: public_events.EventType.PAYOUT_FAILED,
}
"""What integrators are told of."""


@dataclass(frozen=True, kw_only=True)
class PayoutInHand:
    """A payout to book, its owner, and the transaction.

    `happened_at` is when the processor says that it came to this state.
    """

    session: Session
    payout: Payout
    owner: str
    account_id: str | None
    secrets: ledger.CommitmentSecrets
    happened_at: datetime
    now: datetime

    def follow(self) -> bool:
        """Store a payout's state and book missing steps; returns whether anything was booked.

        An answer that is older than what is known changes nothing.
        """
        row = self._locked()
        if not may_follow(PayoutStatus(row.status), self.payout.status):
            return False
        self._write_down(row)
        missing = steps(self.payout.status, [kind for kind in _ENTRY_OF if self._entry(row, kind)])
        for kind in missing if self.payout.amount.minor_units != 0 else ():
            setattr(row, _ENTRY_OF[kind], self._book(row, kind))
        self._record(row, missing)
        return bool(missing)

    def _record(self, row: PayoutRow, booked: Sequence[ledger.Kind]) -> None:
        """Tell integrators of an organisation's payout that has arrived, or came back."""
        if self.owner == ledger.PLATFORM:
            return
        for kind, event_type in _TOLD.items():
            if kind in booked and kind == booked[-1]:
                public_events.record(
                    self.session,
                    type=event_type,
                    organization_id=self.owner,
                    subject_id=row.id,
                    data=public_events.PayoutChanged(
                        payout_id=row.id,
                        amount=public_events.EventAmount.of(self.payout.amount),
                        arrives_on=row.arrives_on,
                    ),
                    occurred_at=self.happened_at,
                    now=self.now,
                )

    def _locked(self) -> PayoutRow:
        """The payout's row, made if it is new, and locked: two who were told at the same time follow each other."""
        payout = self.payout
        self.session.execute(
            insert(PayoutRow)
            .values(
                id=payout.id,
                owner=self.owner,
                account_id=self.account_id,
                minor_units=payout.amount.minor_units,
                currency=payout.amount.currency,
                status=payout.status,
                is_automatic=payout.is_automatic,
                created_at=payout.created_at,
                arrives_on=payout.arrives_on,
                asked_at=self.now,
            )
            .on_conflict_do_nothing()
        )
        return self.session.scalars(
            select(PayoutRow).where(PayoutRow.id == payout.id).with_for_update()
        ).one()

    def _write_down(self, row: PayoutRow) -> None:
        row.status = self.payout.status
        row.arrives_on = self.payout.arrives_on
        row.bank_reference = self.payout.bank_reference or row.bank_reference
        row.failure_code = self.payout.failure_code
        row.asked_at = self.now

    def _entry(self, row: PayoutRow, kind: ledger.Kind) -> str | None:
        entry_id: str | None = getattr(row, _ENTRY_OF[kind])
        return entry_id

    def _book(self, row: PayoutRow, kind: ledger.Kind) -> str:
        """A payout is nobody's gift: its name is public (docs/ledger-format.md §2.4), and commits to nothing.

        By its name it is also found where the log has it and this table does not, as after a restore.
        """
        reference = f"stripe:payout:{self.payout.id}"
        standing = ledger.find_payout_step(self.session, kind=kind, reference=reference)
        if standing is not None:
            return standing
        taken_back = _TAKES_BACK.get(kind)
        is_first = kind is ledger.Kind.PAYOUT_CREATED
        entry = ledger.NewEntry(
            kind=kind,
            organization_id=self.owner,
            idempotency_key=f"stripe:{self.payout.id}:{kind}",
            transfers=_lines(kind, owner=self.owner, amount=self.payout.amount),
            event_at=self.payout.created_at if is_first else self.happened_at,
            reference=reference,
            reverses=None if taken_back is None else self._entry(row, taken_back),
        )
        return ledger.post(self.session, entry=entry, now=self.now, secrets=self.secrets).id


def _lines(kind: ledger.Kind, *, owner: str, amount: Money) -> tuple[ledger.NewTransfer, ...]:
    """A payout below zero brings money from the bank into the balance, by the same accounts."""
    size = Money(minor_units=abs(amount.minor_units), currency=amount.currency)
    backwards = amount.minor_units < 0
    if kind in (ledger.Kind.PAYOUT_CREATED, ledger.Kind.PAYOUT_FAILED):
        lines = ledger.postings.payout_created(owner=owner, amount=size)
    else:
        lines = ledger.postings.payout_paid(owner=owner, amount=size)
    return ledger.postings.reverse(lines) if backwards != (kind in _TAKES_BACK) else lines
