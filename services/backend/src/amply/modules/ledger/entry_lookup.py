"""Finds ledger entries by their idempotency keys, of which only digests are stored."""

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

_SIDES: Final = text("""
    SELECT
        transfer.entry_id, transfer.currency, substr(side.account, length(:owner) + 2) AS code,
        sum(side.minor_units) AS minor_units
    FROM transfer
    CROSS JOIN LATERAL (
        VALUES (transfer.debit, transfer.amount_minor), (transfer.credit, -transfer.amount_minor)
    ) AS side (account, minor_units)
    WHERE transfer.entry_id = ANY(CAST(:entry_ids AS text[]))
      AND starts_with(side.account, :owner || '/')
      AND (transfer.phase IS NULL OR transfer.phase = 'post')
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
""")

_ON_ACCOUNT: Final = text("""
    SELECT DISTINCT leaf.entry_id, leaf.idx
    FROM account
    JOIN posting ON posting.account = account.number
    JOIN leaf ON leaf.idx = posting.idx
    WHERE account.reference = :account
      AND posting.idx < :size
""")

_INDEXES: Final = text("SELECT entry_id, idx FROM leaf WHERE entry_id = ANY(CAST(:entry_ids AS text[]))")

_PLACES: Final = text("""
    SELECT entry_id, idx
    FROM leaf
    WHERE entry_id = ANY(CAST(:entry_ids AS text[]))
      AND idx < (SELECT max(size) FROM checkpoint WHERE published_at IS NOT NULL)
""")


_REFERENCED: Final = text("SELECT id FROM entry WHERE kind = :kind AND reference = :reference")


@dataclass(frozen=True, kw_only=True)
class AccountMovement:
    """An entry's effect on one account: minor units by currency, positive for debits."""

    entry_id: str
    minor_units: Mapping[str, int]


def moved_by(session: Session, *, account: str, stored_keys: Collection[str]) -> dict[str, AccountMovement]:
    """The entries that stand for these keys (`stored_key`), with what each moved on the account. What only reserves moves nothing."""
    rows = session.execute(_MOVED, {"account": account, "keys": sorted(set(stored_keys))})
    found: dict[str, AccountMovement] = {}
    for row in rows:
        before = found.get(row.idempotency_key, AccountMovement(entry_id=row.id, minor_units={}))
        more = {} if row.currency is None else {row.currency: int(row.minor_units)}
        found[row.idempotency_key] = AccountMovement(
            entry_id=row.id, minor_units={**before.minor_units, **more}
        )
    return found


def sides_of(
    session: Session, *, owner: str, entry_ids: Collection[str]
) -> dict[str, dict[str, dict[str, int]]]:
    """What these entries moved in an owner's books: by entry and currency the codes of accounts, a debit positive.

    In each currency that comes to nothing: no transfer is between two owners. What only reserves moves nothing.
    """
    found: dict[str, dict[str, dict[str, int]]] = {}
    for row in session.execute(_SIDES, {"owner": owner, "entry_ids": sorted(set(entry_ids))}):
        found.setdefault(row.entry_id, {}).setdefault(row.currency, {})[row.code] = int(row.minor_units)
    return found


def entries_on(session: Session, *, account: str, size: int) -> dict[str, int]:
    """The entries among the log's first `size` that are about an account in any currency, with their places."""
    return {row.entry_id: row.idx for row in session.execute(_ON_ACCOUNT, {"account": account, "size": size})}


def log_indexes(session: Session, *, entry_ids: Collection[str]) -> dict[str, int]:
    """Where these entries are in the log: their indexes, without those that wait for theirs."""
    rows = session.execute(_INDEXES, {"entry_ids": sorted(set(entry_ids))})
    return {row.entry_id: row.idx for row in rows}


def find_payout_step(session: Session, *, kind: str, reference: str) -> str | None:
    """The entry of this step of the payout that is known outside by this reference, whatever its key (`uq_entry_payout`)."""
    found: str | None = session.scalar(_REFERENCED, {"kind": kind, "reference": reference})
    return found


def published_log_indexes(session: Session, *, entry_ids: Collection[str]) -> dict[str, int]:
    """Where these entries are in the log: their indexes, without those that no published checkpoint covers."""
    rows = session.execute(_PLACES, {"entry_ids": sorted(set(entry_ids))})
    return {row.entry_id: row.idx for row in rows}
