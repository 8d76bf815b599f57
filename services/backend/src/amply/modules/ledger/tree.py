"""The Merkle tree as hash tiles in the database, readable at any earlier size."""

from functools import cache
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.kernel.errors import invariant
from ledger_format.tiles import Tile, TileReader

HASH_BYTES: Final = 32

_SIZE: Final = text("SELECT coalesce(max(idx) + 1, 0) FROM leaf")

_HASHES: Final = text("""
    SELECT substr(hashes, 1, :octets) FROM tile WHERE level = :level AND index = :index
""")


def tree_size(session: Session) -> int:
    """The number of sequenced leaves."""
    return int(session.scalars(_SIZE).one())


def tile_reader(session: Session) -> TileReader:
    """A reader of tiles from the database. Tiles that have grown are cut to the requested width."""

    @cache
    def read(tile: Tile) -> bytes:
        octets = tile.width * HASH_BYTES
        hashes = session.scalars(
            _HASHES, {"level": tile.level, "index": tile.index, "octets": octets}
        ).one_or_none()
        invariant(hashes is not None and len(hashes) == octets, f"{tile} is stored whole")
        return bytes(hashes or b"")

    return read
