"""A tree too large to exist, of which any tile can be read: every leaf is the same but one."""

from ledger_format.literals import HASH_BYTES
from ledger_format.merkle import leaf_hash, node_hash
from ledger_format.tiles import TILE_HEIGHT, TILE_WIDTH, Tile


class HugeTree:
    """A tree of `size` leaves; the one at `index` has the hash `leaf`. `tiles_read` counts what was asked for."""

    def __init__(self, size: int, leaf: bytes, index: int) -> None:
        self.tiles_read = 0
        same = [leaf_hash(b"any other entry")]
        own = [leaf]
        for height in range(size.bit_length()):
            left, right = (same[-1], own[-1]) if index >> height & 1 else (own[-1], same[-1])
            own.append(node_hash(left, right))
            same.append(node_hash(same[-1], same[-1]))
        self._same, self._own, self._index = same, own, index

    def read(self, tile: Tile) -> bytes:
        """Read a tile's hashes."""
        self.tiles_read += 1
        height = TILE_HEIGHT * tile.level
        hashes = bytearray(self._same[height] * tile.width)
        place = (self._index >> height) - tile.index * TILE_WIDTH
        if 0 <= place < tile.width:
            hashes[HASH_BYTES * place : HASH_BYTES * (place + 1)] = self._own[height]
        return bytes(hashes)
