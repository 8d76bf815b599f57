"""Account statements: opening balance, every posting in log order, closing balance."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules.ledger.balances import Balance, Sums, balance_after, sums_of
from amply.modules.ledger.chart import Side
from amply.modules.ledger.tree import tree_size
from ledger_format.entries import Phase

_CURSOR: Final = re.compile(r"([0-9]{1,18})_([0-9]{1,3})")

_LINES: Final = text("""
    SELECT
        posting.idx, posting.line, leaf.entry_id, entry.kind, entry.event_at, transfer.amount_minor, transfer.phase,
        CASE WHEN transfer.debit = account.reference THEN 'debit' ELSE 'credit' END AS side,
        CASE WHEN transfer.debit = account.reference THEN transfer.credit ELSE transfer.debit END AS other,
        posting.debits_posted, posting.credits_posted, posting.debits_pending, posting.credits_pending
    FROM account
    CROSS JOIN LATERAL (
        SELECT * FROM posting
        WHERE posting.account = account.number
          AND (posting.idx, posting.line) > (:after_index, :after_line)
          AND posting.idx < :until_size
        ORDER BY posting.idx, posting.line
        LIMIT :limit
    ) AS posting
    JOIN leaf ON leaf.idx = posting.idx
    JOIN entry ON entry.id = leaf.entry_id
    JOIN transfer ON (transfer.entry_id, transfer.line) = (leaf.entry_id, posting.line)
    WHERE (account.reference, account.currency) = (:account, :currency)
    ORDER BY posting.idx, posting.line
""")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One posting to the account.

    Attributes:
        index: The entry's place in the log.
        line: The transfer's place in the entry.
        event_at: When it happened outside.
        side: Where this account was booked; `other` is the account on the other side.
        amount_minor: Always positive. With the phase `pending` or `void` nothing has moved.
        after: The account's sums when this line was booked.
    """

    index: int
    line: int
    entry_id: str
    kind: str
    event_at: datetime
    side: Side
    other: str
    amount_minor: int
    phase: Phase | None
    after: Sums


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A page of an account's postings between two log sizes.

    Attributes:
        opening: Before the first entry of the whole period, not of the page.
        closing: After the last one of the whole period.
        next_cursor: For the next page; None on the last.
    """

    opening: Balance
    lines: tuple[Line, ...]
    closing: Balance
    next_cursor: str | None


def statement(
    session: Session,
    *,
    account: str,
    currency: str,
    from_size: int = 0,
    until_size: int | None = None,
    cursor: str | None = None,
    limit: int = PAGE_SIZE_MAX,
) -> Statement:
    """Postings to an account by log entries from index `from_size` (inclusive) to `until_size` (exclusive).

    A page stays the same for ever; `until_size` defaults to all that is sequenced and should be kept for the pages
    that follow.

    Raises:
        CursorNotAcceptable: It is not what an earlier page gave.
    """
    until = tree_size(session) if until_size is None else until_size
    index, line = (from_size, -1) if cursor is None else _read(cursor)
    asked = {
        "account": account,
        "currency": currency,
        "after_index": index,
        "after_line": line,
        "until_size": until,
        "limit": limit + 1,
    }
    rows = session.execute(_LINES, asked).all()
    lines = tuple(_line(row) for row in rows[:limit])
    return Statement(
        opening=balance_after(session, account=account, currency=currency, size=from_size),
        lines=lines,
        closing=balance_after(session, account=account, currency=currency, size=until),
        next_cursor=f"{lines[-1].index}_{lines[-1].line}" if len(rows) > limit else None,
    )


def _read(cursor: str) -> tuple[int, int]:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise CursorNotAcceptable
    return int(found[1]), int(found[2])


def _line(row: Row[Any]) -> Line:
    return Line(
        index=row.idx,
        line=row.line,
        entry_id=row.entry_id,
        kind=row.kind,
        event_at=row.event_at,
        side=row.side,
        other=row.other,
        amount_minor=row.amount_minor,
        phase=row.phase,
        after=sums_of(row),
    )
