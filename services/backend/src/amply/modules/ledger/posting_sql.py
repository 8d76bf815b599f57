"""SQL that writes the postings of sequenced entries: one for each side of each transfer, with the balance after it.

In batches, by the sequencer: an account that everybody books on costs its writers nothing.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

# One statement. A pending line reserves; the line that resolves it releases all that was reserved, whatever it posts.
_FOLD: Final = text("""
    WITH moved AS (
        SELECT
            CAST(:first_index AS bigint) + given.number - 1 AS idx,
            transfer.line, transfer.debit, transfer.credit, transfer.currency,
            CASE WHEN transfer.phase IS NULL OR transfer.phase = 'post' THEN transfer.amount_minor ELSE 0 END AS posted,
            CASE transfer.phase
                WHEN 'pending' THEN transfer.amount_minor ELSE coalesce(-reserved.amount_minor, 0)
            END AS pending
        FROM unnest(CAST(:entry_ids AS text[])) WITH ORDINALITY AS given (entry_id, number)
        JOIN transfer ON transfer.entry_id = given.entry_id
        LEFT JOIN transfer reserved
            ON (reserved.entry_id, reserved.line) = (transfer.pending_entry_id, transfer.pending_line)
    ), side (
        reference, currency, idx, line, debits_posted, credits_posted, debits_pending, credits_pending
    ) AS (
        SELECT debit, currency, idx, line, posted, 0, pending, 0 FROM moved
        UNION ALL
        SELECT credit, currency, idx, line, 0, posted, 0, pending FROM moved
    ), running AS (
        SELECT
            account.number, account.reference, account.currency, side.idx, side.line,
            coalesce(balance.debits_posted, 0) + sum(side.debits_posted) OVER so_far AS debits_posted,
            coalesce(balance.credits_posted, 0) + sum(side.credits_posted) OVER so_far AS credits_posted,
            coalesce(balance.debits_pending, 0) + sum(side.debits_pending) OVER so_far AS debits_pending,
            coalesce(balance.credits_pending, 0) + sum(side.credits_pending) OVER so_far AS credits_pending
        FROM side
        JOIN account ON (account.reference, account.currency) = (side.reference, side.currency)
        LEFT JOIN balance ON (balance.account, balance.currency) = (side.reference, side.currency)
        WINDOW so_far AS (PARTITION BY account.number ORDER BY side.idx, side.line ROWS UNBOUNDED PRECEDING)
    ), written AS (
        INSERT INTO posting
            (account, idx, line, debits_posted, credits_posted, debits_pending, credits_pending)
        SELECT number, idx, line, debits_posted, credits_posted, debits_pending, credits_pending FROM running
    )
    INSERT INTO balance (account, currency, debits_posted, credits_posted, debits_pending, credits_pending)
    SELECT DISTINCT ON (reference, currency)
        reference, currency, debits_posted, credits_posted, debits_pending, credits_pending
    FROM running
    ORDER BY reference, currency, idx DESC, line DESC
    ON CONFLICT (account, currency) DO UPDATE SET
        debits_posted = excluded.debits_posted,
        credits_posted = excluded.credits_posted,
        debits_pending = excluded.debits_pending,
        credits_pending = excluded.credits_pending
""")


def fold(session: Session, entry_ids: Sequence[str], *, first_index: int) -> None:
    """Write the postings of these entries, whose indexes begin at `first_index`."""
    session.execute(_FOLD, {"entry_ids": list(entry_ids), "first_index": first_index})
