"""Reverses a settlement as a whole: a reversing entry for each of its entries. The month can then be settled again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import NotFound
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger import Kind
from amply.modules.marketplace.domain import checked_reason
from amply.modules.marketplace.models import SettlementRow, ShareRow

_BACK: Final = "reversed"
_REVERSED: Final = text("SELECT id, reason FROM entry WHERE reverses = :original AND kind = :kind LIMIT 1")
"""What the books have of a reversal under whatever key: a restored database has it from the log, and its row says nothing of it."""


class SettlementNotFound(NotFound):
    """No settlement has this id."""

    code = "data_settlement_not_found"


@dataclass(frozen=True)
class _Taking:
    """Parameters that all entries of one reversal share."""

    secrets: ledger.CommitmentSecrets
    settlement_id: str
    currency: str
    reason: str
    now: datetime


def reverse_settlement(
    database: Database,
    secrets: ledger.CommitmentSecrets,
    *,
    settlement_id: str,
    reason: str,
    now: datetime,
) -> bool:
    """Reverse a settlement; return whether this call did. Owners' revenue lines follow.

    What the books have of it from before a restoration is found, and not booked again.

    Raises:
        SettlementNotFound: There is none.
        ContractNotAcceptable: The reason is not a code.
        EntryContradicts: The books have it reversed for another reason.
    """
    checked_reason(reason)
    with database.transaction() as session:
        row = session.scalar(select(SettlementRow).where(SettlementRow.id == settlement_id).with_for_update())
        if row is None:
            raise SettlementNotFound(
                f"There is no settlement {settlement_id}; `data settlements` shows those of a month."
            )
        if row.reversed_at is not None:
            return False
        taking = _Taking(secrets, settlement_id, row.currency, reason, now)
        shares = _take_shares_back(session, taking)
        entry_id = None
        if row.entry_id is not None:
            lines = ledger.postings.data_settled(
                fee=Money(minor_units=row.fee_minor, currency=row.currency),
                shares=Money(minor_units=shares, currency=row.currency),
            )
            entry_id = _take_back(
                session, taking, Kind.DATA_REVERSED, ledger.PLATFORM, row.entry_id, lines, name=_BACK
            )
        row.reversed_at, row.reversal_reason, row.reversal_entry_id = now, reason, entry_id
        row.told_at, row.next_attempt_at, row.attempts = None, now, 0
        return True


def _take_shares_back(session: Session, taking: _Taking) -> int:
    """Return what all shares come to."""
    shares = session.scalars(
        select(ShareRow)
        .where(ShareRow.settlement_id == taking.settlement_id)
        .order_by(ShareRow.dataset_id, ShareRow.credited)
    ).all()
    for share in shares:
        if share.entry_id is None:
            continue
        amount = Money(minor_units=share.amount_minor, currency=taking.currency)
        entry_id = _take_back(
            session,
            taking,
            Kind.DATA_SHARE_REVERSED,
            share.credited,
            share.entry_id,
            ledger.postings.data_share_credited(organization_id=share.credited, amount=amount),
            name=f"{_BACK}/{share.dataset_id}/{share.credited}",
        )
        session.execute(
            update(ShareRow)
            .where(
                ShareRow.settlement_id == share.settlement_id,
                ShareRow.dataset_id == share.dataset_id,
                ShareRow.credited == share.credited,
            )
            .values(reversal_entry_id=entry_id)
            .execution_options(synchronize_session=False)
        )
    return sum(share.amount_minor for share in shares)


def _take_back(
    session: Session,
    taking: _Taking,
    kind: Kind,
    owner: str,
    original: str,
    lines: ledger.postings.Lines,
    *,
    name: str,
) -> str:
    key = f"data/{taking.settlement_id}/{name}"
    known = session.execute(_REVERSED, {"original": original, "kind": kind}).one_or_none()
    if known is not None:
        if known.reason != taking.reason:
            raise ledger.EntryContradicts(idempotency_key=key, entry_id=known.id)
        return str(known.id)
    entry = ledger.NewEntry(
        kind=kind,
        organization_id=owner,
        idempotency_key=key,
        transfers=ledger.postings.reverse(lines),
        event_at=taking.now,
        reference=None,
        reverses=original,
        reason=taking.reason,
    )
    return ledger.post(session, entry=entry, now=taking.now, secrets=taking.secrets).id
