"""Builds the log from rows: an entry's leaf bytes, its index, the Merkle tree, and the balances."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast

from psycopg import Connection
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from amply.kernel.errors import invariant
from amply.modules.ledger.posting_sql import fold
from amply.modules.ledger.tree import tile_reader, tree_size
from ledger_format.entries import Entry, Transfer, encode, to_minute
from ledger_format.merkle import leaf_hash
from ledger_format.tiles import grow

_TRANSFERS: Final = text("""
    SELECT
        entry_id, debit, credit, currency, amount_minor, phase, pending_entry_id || '#' || pending_line AS pending
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


class _Leaf(NamedTuple):
    """A row of `leaf`, in column order."""

    idx: int
    entry_id: str
    org: str
    org_seq: int
    org_prev: bytes | None
    raw: bytes


class ChainEnd(NamedTuple):
    """The end of an organisation's hash chain."""

    org_seq: int
    org_prev: bytes | None


_BEGINNING: Final = ChainEnd(0, None)


def append(session: Session, rows: Sequence[Row[Any]], *, origin: str) -> None:
    """Give rows of `entry` the next places in the log, in this order, in the caller's transaction."""
    entry_ids = [row.id for row in rows]
    transfers = transfers_of(session, entry_ids)
    ends = _chain_ends(session, {row.organization_id for row in rows})
    leaves: list[_Leaf] = []
    hashes: list[bytes] = []
    for idx, row in enumerate(rows, start=tree_size(session)):
        org = row.organization_id
        end = ends.get(org, _BEGINNING)
        raw = encode(entry_of(row, transfers[row.id], origin=origin, end=end))
        leaves.append(_Leaf(idx, row.id, org, end.org_seq, end.org_prev, raw))
        hashes.append(leaf_hash(raw))
        ends[org] = ChainEnd(end.org_seq + 1, hashes[-1])
    _write(session, leaves)
    _grow(session, size=leaves[0].idx, hashes=hashes)
    fold(session, entry_ids, first_index=leaves[0].idx)


def entry_of(row: Row[Any], transfers: Sequence[Transfer], *, origin: str, end: ChainEnd) -> Entry:
    """What a row of `entry` and its transfers say, in the words of the log."""
    return Entry(
        log=origin,
        id=row.id,
        kind=row.kind,
        ts=to_minute(row.event_at),
        org=row.organization_id,
        org_seq=end.org_seq,
        org_prev=end.org_prev,
        transfers=tuple(transfers),
        ref=row.reference,
        reverses=row.reverses,
        supersedes=row.supersedes,
        matches=row.matches,
        reason=row.reason,
        commitments={field: bytes.fromhex(digest) for field, digest in row.commitments.items()},
    )


def transfers_of(session: Session, entry_ids: list[str]) -> dict[str, list[Transfer]]:
    """The transfers of each of these entries, in their order."""
    found: dict[str, list[Transfer]] = {entry_id: [] for entry_id in entry_ids}
    for entry_id, *transfer in session.execute(_TRANSFERS, {"entry_ids": entry_ids}):
        found[entry_id].append(Transfer(*transfer))
    return found


def _chain_ends(session: Session, orgs: set[str]) -> dict[str, ChainEnd]:
    rows = session.execute(_CHAIN_ENDS, {"orgs": sorted(orgs)})
    return {org: ChainEnd(org_seq + 1, bytes(leaf_hash)) for org, org_seq, leaf_hash in rows}


def _write(session: Session, leaves: Sequence[_Leaf]) -> None:
    # COPY, in the same transaction: a fraction of what arrays of bytes cost to send. The database computes the hashes.
    with _driver_connection(session).cursor().copy(_APPEND) as copy:
        for leaf in leaves:
            copy.write_row(leaf)


def _grow(session: Session, *, size: int, hashes: Sequence[bytes]) -> None:
    tiles = grow(size, hashes, tile_reader(session))
    columns = {
        "levels": [tile.level for tile in tiles],
        "indexes": [tile.index for tile in tiles],
        "hashes": list(tiles.values()),
    }
    session.execute(_GROW, columns)


def _driver_connection(session: Session) -> Connection[tuple[Any, ...]]:
    connection = session.connection().connection.driver_connection
    invariant(isinstance(connection, Connection), "we speak to PostgreSQL through psycopg")
    return cast("Connection[tuple[Any, ...]]", connection)
