"""The sequencer: gives committed entries their place in the log.

Writers never wait for it. It takes only entries of transactions below the snapshot horizon (`pg_snapshot_xmin`): all
of these have ended, so nothing can ever appear before a place that was given away. What is taken is decided by the
absence of a leaf, not by how far an earlier run came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import structlog
from psycopg import Connection
from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import invariant
from amply.modules.ledger.tree import tile_reader, tree_size
from ledger_format.entries import Entry, Transfer, encode, to_minute
from ledger_format.merkle import leaf_hash
from ledger_format.tiles import Tile, grow

BATCH_MAX: Final = 2_000
LAG_SECONDS_MAX: Final = 5.0
"""An entry committed longer ago than this and still above the horizon means a transaction somewhere stays open."""

_log = structlog.get_logger()

# A row at or above the snapshot's own end cannot come from this cluster's present life: it was restored from a dump,
# which keeps the column and starts the counter again. Its transaction has certainly ended.
_WAITING: Final = text("""
    SELECT
        entry.id, entry.xid, entry.kind, entry.organization_id, entry.event_at, entry.reference, entry.reverses,
        entry.commitments
    FROM entry, pg_current_snapshot() AS snapshot
    WHERE entry.xid >= CAST(:scan_from AS xid8)
      AND (entry.xid < pg_snapshot_xmin(snapshot) OR entry.xid >= pg_snapshot_xmax(snapshot))
      AND NOT EXISTS (SELECT FROM leaf WHERE leaf.entry_id = entry.id)
    ORDER BY entry.xid, entry.id
    LIMIT :batch_max
""")

_HORIZON: Final = text("""
    SELECT
        pg_snapshot_xmin(snapshot) AS horizon,
        (SELECT min(entry.created_at) FROM entry
         WHERE entry.xid >= pg_snapshot_xmin(snapshot) AND entry.xid < pg_snapshot_xmax(snapshot)) AS held_back_since
    FROM pg_current_snapshot() AS snapshot
""")

_TRANSFERS: Final = text("""
    SELECT entry_id, debit, credit, currency, amount_minor
    FROM transfer
    WHERE entry_id = ANY(CAST(:entry_ids AS text[]))
    ORDER BY entry_id, line
""")

_CHAIN_ENDS: Final = text("""
    SELECT wanted.org, last.org_seq, last.leaf_hash
    FROM unnest(CAST(:orgs AS text[])) AS wanted (org)
    CROSS JOIN LATERAL (
        SELECT org_seq, leaf_hash FROM leaf WHERE leaf.org = wanted.org ORDER BY org_seq DESC LIMIT 1
    ) AS last
""")

_APPEND: Final = "COPY leaf (idx, entry_id, org, org_seq, org_prev, bytes) FROM STDIN"

_GROW: Final = text("""
    INSERT INTO tile (level, index, hashes)
    SELECT * FROM unnest(CAST(:levels AS smallint[]), CAST(:indexes AS bigint[]), CAST(:hashes AS bytea[]))
    ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes
""")

_FOLD: Final = text("""
    INSERT INTO balance (account, currency, debits_posted, credits_posted)
    SELECT side.account, side.currency, sum(side.debited), sum(side.credited)
    FROM (
        SELECT debit, currency, amount_minor, 0 FROM transfer WHERE entry_id = ANY(CAST(:entry_ids AS text[]))
        UNION ALL
        SELECT credit, currency, 0, amount_minor FROM transfer WHERE entry_id = ANY(CAST(:entry_ids AS text[]))
    ) AS side (account, currency, debited, credited)
    GROUP BY side.account, side.currency
    ON CONFLICT (account, currency) DO UPDATE SET
        debits_posted = balance.debits_posted + excluded.debits_posted,
        credits_posted = balance.credits_posted + excluded.credits_posted
""")


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """One row of the log, ready to be written."""

    idx: int
    entry_id: str
    org: str
    org_seq: int
    org_prev: bytes | None
    raw: bytes
    leaf_hash: bytes


@dataclass(frozen=True, kw_only=True)
class _Batch:
    taken: int
    scan_from: int
    held_back_since: datetime | None


class Sequencer:
    """What the leader keeps between two batches: where its next scan may start, to spare reading the whole past.

    It is no record of what was sequenced. It is forgotten with the leadership, and the next leader looks at all entries
    once. It is safe within one, because below a horizon that has been emptied nothing can appear any more.
    """

    def __init__(self, *, origin: str, batch_max: int = BATCH_MAX) -> None:
        self._origin = origin
        self._batch_max = batch_max
        self._scan_from = 0

    def step(self, database: Database, *, now: datetime) -> int:
        """Sequence at most one batch in one transaction; return how many entries it held."""
        with database.transaction() as session:
            batch = _take(session, origin=self._origin, scan_from=self._scan_from, batch_max=self._batch_max)
        self._scan_from = batch.scan_from
        if batch.held_back_since is not None:
            lag = (now - batch.held_back_since).total_seconds()
            if lag > LAG_SECONDS_MAX:
                _log.warning("ledger_horizon_lags", seconds=round(lag, 1))
        return batch.taken

    @property
    def batch_max(self) -> int:
        """The most entries one step takes; a step that took as many has left some."""
        return self._batch_max


def sequence_batch(session: Session, *, origin: str, now: datetime) -> int:  # noqa: ARG001 -- every write path is given the time; this one has no use for it yet
    """Sequence at most one batch in the caller's transaction, looking at all entries; return how many it held."""
    return _take(session, origin=origin, scan_from=0, batch_max=BATCH_MAX).taken


def _take(session: Session, *, origin: str, scan_from: int, batch_max: int) -> _Batch:
    # Asked first: a horizon older than the one the rows are read under only starts the next scan earlier.
    horizon_row = session.execute(_HORIZON).one()
    horizon = int(horizon_row.horizon)
    rows = session.execute(_WAITING, {"scan_from": str(scan_from), "batch_max": batch_max}).mappings().all()
    if rows:
        _append(session, _leaves(session, rows, origin=origin))
    emptied = len(rows) < batch_max
    return _Batch(
        taken=len(rows),
        scan_from=horizon if emptied else min(horizon, int(rows[-1]["xid"])),
        held_back_since=horizon_row.held_back_since,
    )


def _leaves(session: Session, rows: Sequence[RowMapping], *, origin: str) -> list[Leaf]:
    transfers = _transfers(session, [row["id"] for row in rows])
    ends = _chain_ends(session, {row["organization_id"] for row in rows})
    leaves: list[Leaf] = []
    for idx, row in enumerate(rows, start=tree_size(session)):
        org = row["organization_id"]
        org_seq, org_prev = ends.get(org, (0, None))
        raw = encode(_entry(row, transfers[row["id"]], origin=origin, org_seq=org_seq, org_prev=org_prev))
        hashed = leaf_hash(raw)
        leaves.append(
            Leaf(
                idx=idx,
                entry_id=row["id"],
                org=org,
                org_seq=org_seq,
                org_prev=org_prev,
                raw=raw,
                leaf_hash=hashed,
            )
        )
        ends[org] = (org_seq + 1, hashed)
    return leaves


def _entry(
    row: RowMapping,
    transfers: Sequence[Transfer],
    *,
    origin: str,
    org_seq: int,
    org_prev: bytes | None,
) -> Entry:
    return Entry(
        log=origin,
        id=row["id"],
        kind=row["kind"],
        ts=to_minute(row["event_at"]),
        org=row["organization_id"],
        org_seq=org_seq,
        org_prev=org_prev,
        transfers=tuple(transfers),
        ref=row["reference"],
        reverses=row["reverses"],
        commitments={field: bytes.fromhex(digest) for field, digest in row["commitments"].items()},
    )


def _transfers(session: Session, entry_ids: Sequence[str]) -> dict[str, list[Transfer]]:
    found: dict[str, list[Transfer]] = {entry_id: [] for entry_id in entry_ids}
    for row in session.execute(_TRANSFERS, {"entry_ids": list(entry_ids)}):
        found[row.entry_id].append(
            Transfer(debit=row.debit, credit=row.credit, currency=row.currency, amount_minor=row.amount_minor)
        )
    return found


def _chain_ends(session: Session, orgs: set[str]) -> dict[str, tuple[int, bytes | None]]:
    """For each organisation that has entries in the log: the sequence number and previous hash its next one gets."""
    rows = session.execute(_CHAIN_ENDS, {"orgs": sorted(orgs)})
    return {row.org: (row.org_seq + 1, bytes(row.leaf_hash)) for row in rows}


def _append(session: Session, leaves: Sequence[Leaf]) -> None:
    # COPY in the same transaction: a tenth of what arrays of bytes cost to send. The database computes the hashes.
    with _driver_connection(session).cursor().copy(_APPEND) as copy:
        for leaf in leaves:
            copy.write_row((leaf.idx, leaf.entry_id, leaf.org, leaf.org_seq, leaf.org_prev, leaf.raw))
    hashes = [leaf.leaf_hash for leaf in leaves]
    session.execute(_GROW, _tile_columns(grow(leaves[0].idx, hashes, tile_reader(session))))
    session.execute(_FOLD, {"entry_ids": [leaf.entry_id for leaf in leaves]})


def _driver_connection(session: Session) -> Connection[tuple[Any, ...]]:
    """The psycopg connection of the session's transaction."""
    connection = session.connection().connection.driver_connection
    invariant(isinstance(connection, Connection), "we speak to PostgreSQL through psycopg")
    return cast("Connection[tuple[Any, ...]]", connection)


def _tile_columns(tiles: dict[Tile, bytes]) -> dict[str, list[Any]]:
    return {
        "levels": [tile.level for tile in tiles],
        "indexes": [tile.index for tile in tiles],
        "hashes": list(tiles.values()),
    }
