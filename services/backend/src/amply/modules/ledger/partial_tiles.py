"""Deletes partial tiles and bundles that full ones have replaced (c2sp.org/tlog-tiles, "Partial Tiles").

Each checkpoint leaves the files of its right edge behind, and those of the newest one must stay: who reads it needs
them. Once a tile is full in the public tree, it begins with all that its partial versions hold, and readers of an older
checkpoint take the full one. The store is told which those are and forgets them a day or two later.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from amply.infra.database import Database
from amply.modules.ledger.ports import PublicLog
from ledger_format.tiles import MAX_LEVEL, TILE_HEIGHT, TILE_WIDTH, Tile, bundle_path, tile_path

LET_GO_MAX: Final = 100
"""Tiles deleted in one turn; the next turn continues."""

_STANDING: Final = text("""
    SELECT
        (SELECT coalesce(max(size), 0) FROM checkpoint WHERE published_at IS NOT NULL) AS published_size,
        (SELECT array_agg(hashes ORDER BY level) FROM partial_sweep) AS swept
""")

# A level has floor(size / 256^level) hashes: how many it had when checkpoints were made. What was uploaded for a
# checkpoint that never became public is among them: its row is written after its files.
_COUNTS: Final = text("""
    SELECT DISTINCT size >> :shift AS hashes
    FROM checkpoint
    WHERE size >= CAST(:swept + 1 AS bigint) << :shift AND size < CAST(:full AS bigint) << :shift
    ORDER BY hashes
    LIMIT :most
""")

_MOVE_ON: Final = text("UPDATE partial_sweep SET hashes = :swept WHERE level = :level AND hashes < :swept")


def let_go_of_partials(database: Database, *, public_log: PublicLog) -> int:
    """Tell the public log about partial files that full ones replace, at most LET_GO_MAX tiles; return how many.

    Repeats change nothing. No transaction is open while the public log is called.
    """
    with database.transaction() as session:
        standing = session.execute(_STANDING).one()
    left = LET_GO_MAX
    for level in range(MAX_LEVEL + 1):
        full = (standing.published_size >> TILE_HEIGHT * level) // TILE_WIDTH * TILE_WIDTH
        if standing.swept[level] < full and left:
            left -= _sweep(database, level, swept=standing.swept[level], full=full, most=left, log=public_log)
    return LET_GO_MAX - left


def _sweep(database: Database, level: int, *, swept: int, full: int, most: int, log: PublicLog) -> int:
    """Let go of what a level had between `swept` and `full` hashes, `most` of it, and remember how far it came."""
    asked = {"shift": TILE_HEIGHT * level, "swept": swept, "full": full, "most": most}
    with database.transaction() as session:
        counts: Sequence[int] = session.scalars(_COUNTS, asked).all()
    partial = [divmod(count, TILE_WIDTH) for count in counts if count % TILE_WIDTH]
    for index, width in partial:
        log.let_go(tile_path(Tile(level, index, width)))
        if level == 0:
            log.let_go(bundle_path(index, width))
    with database.transaction() as session:
        session.execute(_MOVE_ON, {"level": level, "swept": counts[-1] if len(counts) == most else full})
    return len(counts)
