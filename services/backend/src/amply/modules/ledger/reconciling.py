"""Continuously compares database rows with the log, in small steps that block nobody.

From the first entry on: its rows must spell its leaf, its leaf must be what the tree is made of, and its transfers what
its accounts' balances are made of; each piece rests on the one before. That the tree is the one in public is the
publisher's comparison, before each signature. `amply-verify reconcile` does all of it at once, with code of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules.ledger.leaves import ChainEnd, entry_of, transfers_of
from amply.modules.ledger.posting_check_sql import SIDES
from amply.modules.ledger.tree import tile_reader, tree_size
from ledger_format.entries import Transfer, decode, encode
from ledger_format.errors import FormatError
from ledger_format.merkle import leaf_hash
from ledger_format.tiles import grow, tile_path

PIECE_ENTRIES_MAX: Final = 1_000
"""Entries compared in one transaction."""

PIECES_MAX: Final = 20
"""Transactions in one run; the next run continues."""

_AGAIN_AFTER: Final = timedelta(hours=1)
"""Interval between complete passes; in between, only new entries are compared."""

_STATE: Final = text("SELECT checked_to, began_at, completed_at FROM reconciliation")

_MOVE_ON: Final = text("""
    UPDATE reconciliation
    SET checked_to = :checked_to, began_at = :began_at, completed_at = :completed_at, difference = :difference
    WHERE checked_to = :seen_to AND began_at = :seen_began_at
""")

_LEAVES: Final = text("""
    SELECT
        leaf.idx, leaf.entry_id, leaf.org, leaf.org_seq, leaf.org_prev, leaf.bytes,
        entry.id, entry.kind, entry.organization_id, entry.event_at, entry.reference, entry.reverses, entry.supersedes,
        entry.matches, entry.reason, entry.commitments
    FROM leaf
    LEFT JOIN entry ON entry.id = leaf.entry_id
    WHERE leaf.idx >= :start AND leaf.idx < :stop
    ORDER BY leaf.idx
""")

# As the sequencer folds, on top of each account's last posting before the piece.
_MISFOLDED: Final = text(f"""
    WITH {SIDES}, touched AS (
        SELECT account.number, account.reference, account.currency, before.*
        FROM (SELECT DISTINCT reference, currency FROM side) AS named
        JOIN account USING (reference, currency)
        LEFT JOIN LATERAL (
            SELECT debits_posted, credits_posted, debits_pending, credits_pending FROM posting
            WHERE posting.account = account.number AND posting.idx < :start
            ORDER BY posting.idx DESC, posting.line DESC LIMIT 1
        ) AS before ON true
    ), folded AS (
        SELECT
            touched.number, side.idx, side.line,
            coalesce(touched.debits_posted, 0) + sum(side.debits_posted) OVER so_far AS debits_posted,
            coalesce(touched.credits_posted, 0) + sum(side.credits_posted) OVER so_far AS credits_posted,
            coalesce(touched.debits_pending, 0) + sum(side.debits_pending) OVER so_far AS debits_pending,
            coalesce(touched.credits_pending, 0) + sum(side.credits_pending) OVER so_far AS credits_pending
        FROM side
        JOIN touched USING (reference, currency)
        WINDOW so_far AS (PARTITION BY touched.number ORDER BY side.idx, side.line ROWS UNBOUNDED PRECEDING)
    ), kept AS (
        SELECT posting.*
        FROM touched
        JOIN posting ON posting.account = touched.number AND posting.idx >= :start AND posting.idx < :stop
    )
    SELECT account.reference, account.currency, coalesce(folded.idx, kept.idx) AS idx
    FROM folded
    FULL JOIN kept ON (kept.account, kept.idx, kept.line) = (folded.number, folded.idx, folded.line)
    JOIN account ON account.number = coalesce(folded.number, kept.account)
    WHERE (folded.debits_posted, folded.credits_posted, folded.debits_pending, folded.credits_pending)
        IS DISTINCT FROM (kept.debits_posted, kept.credits_posted, kept.debits_pending, kept.credits_pending)
    ORDER BY 3, 1, 2
    LIMIT 1
""")  # noqa: S608 -- put together from our own words

# Both sides in one snapshot: the sequencer writes them in one transaction.
_UNSETTLED: Final = text("""
    SELECT account.reference, account.currency
    FROM account
    LEFT JOIN balance ON (balance.account, balance.currency) = (account.reference, account.currency)
    LEFT JOIN LATERAL (
        SELECT debits_posted, credits_posted, debits_pending, credits_pending FROM posting
        WHERE posting.account = account.number ORDER BY posting.idx DESC, posting.line DESC LIMIT 1
    ) AS last ON true
    WHERE (balance.debits_posted, balance.credits_posted, balance.debits_pending, balance.credits_pending)
        IS DISTINCT FROM (last.debits_posted, last.credits_posted, last.debits_pending, last.credits_pending)
    ORDER BY 1, 2
    LIMIT 1
""")

_UNBALANCED: Final = text("""
    SELECT currency FROM balance
    GROUP BY currency
    HAVING (sum(debits_posted), sum(debits_pending)) <> (sum(credits_posted), sum(credits_pending))
    ORDER BY currency
    LIMIT 1
""")

_COMPLETED: Final = text("SELECT coalesce(completed_at, began_at) FROM reconciliation")


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """Progress of a run: entries compared, next index, and the difference there if any.

    While something is wrong, each run looks at the same place again.
    """

    entries: int
    checked_to: int
    difference: str | None


@dataclass(frozen=True, kw_only=True)
class _State:
    checked_to: int
    began_at: datetime
    completed_at: datetime | None


def reconcile_on(database: Database, *, now: datetime) -> Reconciled:
    """Compare the next entries; a new pass begins an hour after the last one began. Concurrent runs only repeat work."""
    entries, checked_to, difference = 0, 0, None
    for _ in range(PIECES_MAX):
        with database.transaction() as session:
            state = _State(**session.execute(_STATE).mappings().one())
            stop = min(tree_size(session), state.checked_to + PIECE_ENTRIES_MAX)
            difference = _look(session, start=state.checked_to, stop=stop)
        entries += stop - state.checked_to
        following = _following(state, stop=stop, difference=difference, now=now)
        checked_to = following.checked_to
        with database.transaction() as session:
            _move_on(session, state, following, difference=difference)
        if difference is not None or stop == state.checked_to:
            break
    return Reconciled(entries=entries, checked_to=checked_to, difference=difference)


def reconciliation_age(session: Session, *, now: datetime) -> timedelta:
    """Time since the last complete pass, or since the first one began."""
    completed_at: datetime = session.scalars(_COMPLETED).one()
    return max(now - completed_at, timedelta())


def _look(session: Session, *, start: int, stop: int) -> str | None:
    """What is wrong with the entries of a piece; at the log's end, with the accounts."""
    if start == stop:
        return _of_accounts(session)
    rows = session.execute(_LEAVES, {"start": start, "stop": stop}).all()
    if [row.idx for row in rows] != list(range(start, stop)):
        return f"leaves are missing between {start} and {stop}"
    transfers = transfers_of(session, [row.entry_id for row in rows])
    for row in rows:
        if not _spells(row, transfers[row.entry_id]):
            return f"the rows of {row.entry_id} do not spell leaf {row.idx}"
    return _of_tree(session, rows, start=start) or _of_postings(session, start=start, stop=stop)


def _spells(row: Row[Any], transfers: Sequence[Transfer]) -> bool:
    if row.id is None or row.org != row.organization_id:
        return False
    raw = bytes(row.bytes)
    end = ChainEnd(row.org_seq, None if row.org_prev is None else bytes(row.org_prev))
    try:
        return encode(entry_of(row, transfers, origin=decode(raw).log, end=end)) == raw
    except FormatError:
        return False


def _of_tree(session: Session, rows: Sequence[Row[Any]], *, start: int) -> str | None:
    read = tile_reader(session)
    grown = grow(start, [leaf_hash(bytes(row.bytes)) for row in rows], read)
    wrong = next((tile for tile, hashes in grown.items() if read(tile) != hashes), None)
    return None if wrong is None else f"{tile_path(wrong)} is not made of the leaves below it"


def _of_postings(session: Session, *, start: int, stop: int) -> str | None:
    wrong = session.execute(_MISFOLDED, {"start": start, "stop": stop}).one_or_none()
    if wrong is None:
        return None
    return (
        f"the postings of {wrong.reference} {wrong.currency} are not its transfers from entry {wrong.idx} on"
    )


def _of_accounts(session: Session) -> str | None:
    unsettled = session.execute(_UNSETTLED).one_or_none()
    if unsettled is not None:
        return f"the balance of {unsettled.reference} {unsettled.currency} is not what its last posting says"
    currency = session.scalar(_UNBALANCED)
    return None if currency is None else f"debits and credits in {currency} differ"


def _following(state: _State, *, stop: int, difference: str | None, now: datetime) -> _State:
    """Where the next look begins."""
    if difference is not None:
        return state
    if stop > state.checked_to:
        return _State(checked_to=stop, began_at=state.began_at, completed_at=state.completed_at)
    if now - state.began_at < _AGAIN_AFTER:
        return _State(checked_to=stop, began_at=state.began_at, completed_at=now)
    return _State(checked_to=0, began_at=now, completed_at=now)


def _move_on(session: Session, seen: _State, following: _State, *, difference: str | None) -> None:
    session.execute(
        _MOVE_ON,
        {
            "checked_to": following.checked_to,
            "began_at": following.began_at,
            "completed_at": following.completed_at,
            "difference": difference,
            "seen_to": seen.checked_to,
            "seen_began_at": seen.began_at,
        },
    )
