"""A tree too large to exist, of which any tile can be read: every leaf is the same but one."""

from collections.abc import Callable, Mapping

from ledger_format.checkpoints import Checkpoint
from ledger_format.literals import HASH_BYTES
from ledger_format.merkle import leaf_hash, node_hash
from ledger_format.receipts import Opening, Receipt
from ledger_format.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, inclusion_proof, tree_root


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


def receipt_in_a_huge_log(
    leaf: bytes,
    openings: Mapping[str, Opening],
    *,
    origin: str,
    size: int,
    sign: Callable[[str], str],
) -> Receipt:
    """A receipt for this entry in a log of `size` entries; `sign` makes the signed note of a checkpoint's text."""
    index = 2 * size // 3
    tree = HugeTree(size, leaf_hash(leaf), index)
    text = Checkpoint(origin, size, tree_root(size, tree.read)).note_text()
    proof = tuple(inclusion_proof(index, size, tree.read))
    return Receipt(leaf=leaf, openings=openings, index=index, proof=proof, checkpoint_note=sign(text))
