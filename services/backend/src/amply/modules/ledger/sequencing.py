"""The sequencer: assigns committed entries their index in the log.

Writers never wait for it. It takes only entries of transactions below the snapshot horizon (`pg_snapshot_xmin`): all
of these have ended, so nothing can ever appear before a place that was given away. What is taken is decided by the
absence of a leaf, not by how far an earlier run came.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.modules.ledger.clearance import Clearance
from amply.modules.ledger.leaves import append

BATCH_MAX: Final = 2_000
LAG_SECONDS_MAX: Final = 5.0
"""An entry waiting longer than this above the horizon indicates a long-running transaction."""

_WALK_ROWS: Final = 10_000

_log = structlog.get_logger()

# The absence of a leaf is asked as a scalar: as NOT EXISTS the planner may choose to read the whole log for it.
_WAITING: Final = text("""
    SELECT
        entry.id, entry.xid, entry.kind, entry.organization_id, entry.event_at, entry.reference, entry.reverses,
        entry.supersedes, entry.matches, entry.reason, entry.commitments
    FROM entry
    WHERE entry.xid >= CAST(:scan_from AS xid8)
      AND entry.xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (SELECT true FROM leaf WHERE leaf.entry_id = entry.id) IS NULL
    ORDER BY entry.xid, entry.number
    LIMIT :batch_max
""")

# A row at or above the snapshot's own end cannot come from this cluster's present life: it was restored from a dump,
# which keeps the column while the counter starts again. Its transaction has certainly ended.
_OVERLOOKED: Final = text("""
    WITH walked AS MATERIALIZED (
        SELECT * FROM entry
        WHERE entry.xid > CAST(:walked_to AS xid8)
        ORDER BY entry.xid
        FETCH FIRST :walk_rows ROWS WITH TIES
    )
    SELECT
        walked.id, walked.xid, walked.kind, walked.organization_id, walked.event_at, walked.reference,
        walked.reverses, walked.supersedes, walked.matches, walked.reason, walked.commitments
    FROM walked
    WHERE (walked.xid < CAST(:horizon AS xid8) OR walked.xid >= pg_snapshot_xmax(pg_current_snapshot()))
      AND (SELECT true FROM leaf WHERE leaf.entry_id = walked.id) IS NULL
    ORDER BY walked.xid, walked.number
    LIMIT :batch_max
""")

_WALKED_TO: Final = text("""
    SELECT max(walked.xid) FROM (
        SELECT entry.xid FROM entry
        WHERE entry.xid > CAST(:walked_to AS xid8)
        ORDER BY entry.xid
        FETCH FIRST :walk_rows ROWS WITH TIES
    ) AS walked
""")

_HORIZON: Final = text("""
    SELECT
        pg_snapshot_xmin(snapshot) AS horizon,
        (SELECT min(entry.created_at) FROM entry
         WHERE entry.xid >= pg_snapshot_xmin(snapshot) AND entry.xid < pg_snapshot_xmax(snapshot)) AS held_back_since
    FROM pg_current_snapshot() AS snapshot
""")

_LAST_TAKEN: Final = text("""
    SELECT entry.xid
    FROM (SELECT entry_id FROM leaf ORDER BY idx DESC LIMIT 1) AS last
    JOIN entry ON entry.id = last.entry_id
    WHERE entry.xid < pg_snapshot_xmax(pg_current_snapshot())
""")


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where the next scan begins: an optimisation, not a record of what was sequenced.

    Attributes:
        scan_from: Transaction before which nothing can be waiting; None: not known yet.
        walked_to: Up to which transaction entries were looked at for overlooked ones; None: all were.
    """

    scan_from: int | None = None
    walked_to: int | None = 0


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Result of one transaction: entries sequenced, the oldest waiting entry, and where the next scan begins."""

    taken: int
    held_back_since: datetime | None
    next_start: Start


class Sequencer:
    """A leader's state between batches, dropped with its leadership."""

    def __init__(self, *, origin: str, batch_max: int = BATCH_MAX) -> None:
        self.batch_max: Final = batch_max
        self._origin = origin
        self._start = Start()

    def step(self, database: Database, *, now: datetime, clearance: Clearance | None = None) -> int | None:
        """Sequence one batch in a transaction; return its size. If that equals `batch_max`, more entries wait.

        None when this database has no clearance to go on, where one is needed.
        """
        with database.transaction() as session:
            if clearance is not None and not clearance.is_given(session):
                return None
            batch = sequence_batch(session, origin=self._origin, start=self._start, batch_max=self.batch_max)
        self._start = batch.next_start
        if batch.held_back_since is not None:
            lag = (now - batch.held_back_since).total_seconds()
            if lag > LAG_SECONDS_MAX:
                _log.warning("ledger_horizon_lags", seconds=round(lag, 1))
        return batch.taken


def sequence_batch(session: Session, *, origin: str, start: Start, batch_max: int = BATCH_MAX) -> Batch:
    """Sequence at most one batch in the caller's transaction, ordered by (transaction, posting).

    Starting where an earlier batch ended is safe: below a horizon that was emptied nothing can appear any more. A new
    leader starts where the log ends, and beside its work walks once through all entries, a piece a batch, for any
    that were overlooked.
    """
    # Asked before the rows: a horizon too low only starts the next scan earlier.
    horizon = session.execute(_HORIZON).one()
    scan_from = _where_the_log_ends(session) if start.scan_from is None else start.scan_from
    rows = session.execute(_WAITING, {"scan_from": str(scan_from), "batch_max": batch_max}).all()
    if rows:
        append(session, rows, origin=origin)
    overlooked, walked_to = 0, start.walked_to
    if len(rows) < batch_max and walked_to is not None:
        overlooked, walked_to = _walk(
            session, origin=origin, horizon=int(horizon.horizon), walked_to=walked_to, batch_max=batch_max
        )
    return Batch(
        taken=max(len(rows), overlooked),
        held_back_since=horizon.held_back_since,
        next_start=Start(
            scan_from=int(horizon.horizon if len(rows) < batch_max else rows[-1].xid), walked_to=walked_to
        ),
    )


def _walk(
    session: Session, *, origin: str, horizon: int, walked_to: int, batch_max: int
) -> tuple[int, int | None]:
    """Look at the next piece of all entries; stay there while it has more overlooked ones than a batch.

    Only below the horizon that the batch has just emptied: what is younger is not overlooked, it waits.
    """
    piece = {"walked_to": str(walked_to), "walk_rows": _WALK_ROWS}
    rows = session.execute(_OVERLOOKED, {**piece, "horizon": str(horizon), "batch_max": batch_max}).all()
    if rows:
        append(session, rows, origin=origin)
        _log.warning("ledger_entries_were_overlooked", entries=len(rows))
    if len(rows) == batch_max:
        return len(rows), walked_to
    reached = session.scalar(_WALKED_TO, piece)
    return len(rows), None if reached is None else int(reached)


def _where_the_log_ends(session: Session) -> int:
    """The transaction of the last entry taken: whatever is missing is younger, unless it was overlooked."""
    return int(session.scalar(_LAST_TAKEN) or 0)
