"""What became of facts in the books: entries found by their idempotency keys, of which only digests are kept."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_MOVED: Final = text("""
    SELECT
        entry.idempotency_key, entry.id, transfer.currency,
        sum(CASE WHEN transfer.debit = :account THEN transfer.amount_minor ELSE -transfer.amount_minor END) AS minor_units
    FROM entry
    LEFT JOIN transfer
        ON transfer.entry_id = entry.id
        AND :account IN (transfer.debit, transfer.credit)
        AND (transfer.phase IS NULL OR transfer.phase = 'post')
    WHERE entry.idempotency_key = ANY(CAST(:keys AS text[]))
    GROUP BY entry.idempotency_key, entry.id, transfer.currency
""")

_PLACES: Final = text("""
    SELECT entry_id, idx
    FROM leaf
    WHERE entry_id = ANY(CAST(:entry_ids AS text[]))
      AND idx < (SELECT max(size) FROM checkpoint WHERE published_at IS NOT NULL)
""")


_REFERENCED: Final = text("SELECT id FROM entry WHERE kind = :kind AND reference = :reference")


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An entry, and what it moved on one account: minor units by currency, positive where the account was debited."""

    entry_id: str
    minor_units: Mapping[str, int]


def moved_by(session: Session, *, account: str, stored_keys: Collection[str]) -> dict[str, Moved]:
    """The entries that stand for these keys (`stored_key`), with what each moved on the account. What only reserves moves nothing."""
    rows = session.execute(_MOVED, {"account": account, "keys": sorted(set(stored_keys))})
    found: dict[str, Moved] = {}
    for row in rows:
        before = found.get(row.idempotency_key, Moved(entry_id=row.id, minor_units={}))
        more = {} if row.currency is None else {row.currency: int(row.minor_units)}
        found[row.idempotency_key] = Moved(entry_id=row.id, minor_units={**before.minor_units, **more})
    return found


def find_payout_step(session: Session, *, kind: str, reference: str) -> str | None:
    """The entry of this step of the payout that is known outside by this reference, whatever its key (`uq_entry_payout`)."""
    found: str | None = session.scalar(_REFERENCED, {"kind": kind, "reference": reference})
    return found


def published_places(session: Session, *, entry_ids: Collection[str]) -> dict[str, int]:
    """Where these entries are in the log: their indexes, without those that no published checkpoint covers."""
    rows = session.execute(_PLACES, {"entry_ids": sorted(set(entry_ids))})
    return {row.entry_id: row.idx for row in rows}
