"""The tree above the bundles: every published tile of every level, and at the end the root."""

from collections.abc import Sequence
from typing import Final

from amply_verify.auditing.damage import wrong_tile
from amply_verify.log_source import LogSource
from ledger_format.checkpoints import Checkpoint
from ledger_format.errors import ProofError
from ledger_format.literals import HASH_BYTES
from ledger_format.merkle import root_of
from ledger_format.tiles import MAX_LEVEL, TILE_HEIGHT, TILE_WIDTH, Tile, tree_root

_FIRST: Final = 1


class UpperLevels:
    """Grows levels 1 and above from the roots of full bundles, and holds the log's tiles against them."""

    def __init__(self, place: LogSource, checkpoint: Checkpoint) -> None:
        self._place = place
        self._checkpoint = checkpoint
        self._rows: list[list[bytes]] = [[] for _ in range(MAX_LEVEL + 1)]
        self._counts = [0] * (MAX_LEVEL + 1)

    def push(self, roots: Sequence[bytes]) -> None:
        """Add the roots of the next full bundles.

        Raises:
            CheckFailure: A tile of the log says something else, or cannot be read.
        """
        for root in roots:
            self._push(_FIRST, root)

    def skip(self, bundles: int) -> None:
        """Take the roots of the first `bundles` full bundles from the log's own tiles; the root will tell.

        Raises:
            CheckFailure: A tile cannot be read.
        """
        for index in range(-(-bundles // TILE_WIDTH)):
            width = min(TILE_WIDTH, (self._checkpoint.size >> TILE_HEIGHT) - index * TILE_WIDTH)
            tile = self._place.tile(Tile(_FIRST, index, width))
            taken = tile[: min(TILE_WIDTH, bundles - index * TILE_WIDTH) * HASH_BYTES]
            self.push([taken[at : at + HASH_BYTES] for at in range(0, len(taken), HASH_BYTES)])

    def finish(self, last_tile: bytes) -> None:
        """Check the partial tiles and the root; `last_tile` is the partial tile of level 0, or empty.

        Raises:
            CheckFailure: A tile of the log says something else, or cannot be read.
            ProofError: The tree does not give the signed root.
        """
        edge = {(0, self._checkpoint.size // TILE_WIDTH): last_tile}
        for level in range(_FIRST, MAX_LEVEL + 1):
            row, index = self._rows[level], self._counts[level] // TILE_WIDTH
            if row:
                self._compare(level, index, row)
                edge[level, index] = b"".join(row)
        root = tree_root(self._checkpoint.size, lambda tile: edge[tile.level, tile.index])
        if root != self._checkpoint.root:
            raise ProofError("the entries of the log do not give the root it has signed")

    def _push(self, level: int, value: bytes) -> None:
        row = self._rows[level]
        row.append(value)
        self._counts[level] += 1
        if len(row) == TILE_WIDTH:
            self._compare(level, self._counts[level] // TILE_WIDTH - 1, row)
            self._rows[level] = []
            if level < MAX_LEVEL:
                self._push(level + 1, root_of(row))

    def _compare(self, level: int, index: int, row: Sequence[bytes]) -> None:
        tile = Tile(level, index, len(row))
        if self._place.tile(tile) != b"".join(row):
            raise wrong_tile(tile)
