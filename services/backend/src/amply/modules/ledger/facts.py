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

_OTHER_SIDES: Final = text("""
    SELECT
        entry_id, CASE WHEN debit = :account THEN credit ELSE debit END AS other,
        sum(CASE WHEN debit = :account THEN amount_minor ELSE -amount_minor END) AS minor_units
    FROM transfer
    WHERE entry_id = ANY(CAST(:entry_ids AS text[]))
      AND :account IN (debit, credit)
      AND currency = :currency
      AND (phase IS NULL OR phase = 'post')
    GROUP BY 1, 2
    ORDER BY 1, 2
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


def other_sides(
    session: Session, *, account: str, entry_ids: Collection[str], currency: str
) -> dict[str, dict[str, int]]:
    """Where what these entries moved on an account came from or went to, of one currency.

    By entry the accounts on the other side, with minor units that are positive where `account` was debited; together they are
    what `moved_by` says. What only reserves moves nothing.
    """
    asked = {"account": account, "entry_ids": sorted(set(entry_ids)), "currency": currency}
    found: dict[str, dict[str, int]] = {}
    for row in session.execute(_OTHER_SIDES, asked):
        found.setdefault(row.entry_id, {})[row.other] = int(row.minor_units)
    return found


def find_payout_step(session: Session, *, kind: str, reference: str) -> str | None:
    """The entry of this step of the payout that is known outside by this reference, whatever its key (`uq_entry_payout`)."""
    found: str | None = session.scalar(_REFERENCED, {"kind": kind, "reference": reference})
    return found


def published_places(session: Session, *, entry_ids: Collection[str]) -> dict[str, int]:
    """Where these entries are in the log: their indexes, without those that no published checkpoint covers."""
    rows = session.execute(_PLACES, {"entry_ids": sorted(set(entry_ids))})
    return {row.entry_id: row.idx for row in rows}
