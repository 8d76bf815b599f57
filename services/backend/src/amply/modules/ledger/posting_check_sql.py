"""SQL that recomputes the postings of log entries from their transfers, to compare them with the stored ones.

`moved` and `side` are word for word those of the sequencer (`posting_sql.py`); only where the entries come from differs. They find
postings that were changed or lost, and not a mistake in the rule itself: `amply-verify reconcile` has code of its own.
"""

from typing import Final

# The leaves from :start to :stop, exclusive. A pending line reserves; the line that resolves it releases all of it.
SIDES: Final = """
    moved AS (
        SELECT
            leaf.idx, transfer.line, transfer.debit, transfer.credit, transfer.currency,
            CASE WHEN transfer.phase IS NULL OR transfer.phase = 'post' THEN transfer.amount_minor ELSE 0 END AS posted,
            CASE transfer.phase
                WHEN 'pending' THEN transfer.amount_minor ELSE coalesce(-reserved.amount_minor, 0)
            END AS pending
        FROM leaf
        JOIN transfer ON transfer.entry_id = leaf.entry_id
        LEFT JOIN transfer reserved
            ON (reserved.entry_id, reserved.line) = (transfer.pending_entry_id, transfer.pending_line)
        WHERE leaf.idx >= :start AND leaf.idx < :stop
    ), side (
        reference, currency, idx, line, debits_posted, credits_posted, debits_pending, credits_pending
    ) AS (
        SELECT debit, currency, idx, line, posted, 0, pending, 0 FROM moved
        UNION ALL
        SELECT credit, currency, idx, line, 0, posted, 0, pending FROM moved
    )
"""
"""Two common table expressions; `side` has a row for each side of each transfer, with what it adds to its account."""
