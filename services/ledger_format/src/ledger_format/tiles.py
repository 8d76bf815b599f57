"""The tree as static files, after c2sp.org/tlog-tiles: hash tiles of height 8 and entry bundles.

A tile holds up to 256 consecutive hashes of one level; level `l` counts complete subtrees of 256^l leaves. The tile
at the right edge of a level is partial: its width is how many hashes it has. Readers below are asked for tiles by the
width they have in a tree of the size at hand; since tiles only grow at their end, a reader that keeps a wider one
returns its first `width` hashes.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from ledger_format.errors import ProofError, TileError
from ledger_format.literals import EMPTY_ROOT, HASH_BYTES, check_hash, check_integer
from ledger_format.merkle import begin_leaf, node_hash, root_of

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
MAX_ENTRY_BYTES: Final = 65_535  # what the bundle's 16-bit length prefix can say
MAX_BUNDLE_BYTES: Final = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
MAX_LEVEL: Final = 7  # 256^8 > 2^63: no tree has hashes above this level


@dataclasses.dataclass(frozen=True, slots=True)
class Tile:
    """A hash tile: its level, its index within the level, and how many hashes it holds (1 to 256)."""

    level: int
    index: int
    width: int


@dataclasses.dataclass(frozen=True, slots=True)
class Bundle:
    """An entry bundle: its index, and how many entries it holds (1 to 256)."""

    index: int
    width: int


TileReader = Callable[[Tile], bytes]


def tile_path(tile: Tile) -> str:
    """Name a hash tile's file below the log's prefix: `tile/0/x001/x234/067`, `tile/1/000.p/5`."""
    if not 0 <= tile.level <= MAX_LEVEL:
        raise TileError(f"a tile's level is 0 to {MAX_LEVEL}")
    return f"tile/{tile.level}/{_place(tile.index, tile.width)}"


def bundle_path(index: int, width: int) -> str:
    """Name an entry bundle's file below the log's prefix: `tile/entries/000.p/5`."""
    return f"tile/entries/{_place(index, width)}"


def changed_tiles(old_size: int, new_size: int) -> list[Tile]:
    """List the hash tiles that a tree of `new_size` leaves has and one of `old_size` has not, or has narrower."""
    _check_growth(old_size, new_size)
    tiles = []
    for level in range(MAX_LEVEL + 1):
        old_count, new_count = old_size >> TILE_HEIGHT * level, new_size >> TILE_HEIGHT * level
        tiles += [Tile(level, index, width) for index, width in _changed(old_count, new_count)]
    return tiles


def changed_bundles(old_size: int, new_size: int) -> list[Bundle]:
    """List the entry bundles that a tree of `new_size` leaves has and one of `old_size` has not, or has narrower."""
    _check_growth(old_size, new_size)
    return [Bundle(index, width) for index, width in _changed(old_size, new_size)]


def grow(old_size: int, leaf_hashes: Sequence[bytes], read_tile: TileReader) -> dict[Tile, bytes]:
    """Append leaf hashes to a tree of `old_size` leaves; return every tile that is new or has grown.

    Reads at most one partial tile per level, the one at the old right edge. Tiles that were passed through on the
    way (the same tile at a smaller width) are not returned.
    """
    check_integer(old_size, what="the tree size", error=TileError)
    for value in leaf_hashes:
        check_hash(value, what="every leaf hash", error=TileError)
    grown: dict[Tile, bytes] = {}
    level, fresh = 0, list(leaf_hashes)
    while fresh:
        index, width = divmod(old_size >> TILE_HEIGHT * level, TILE_WIDTH)
        edge = _read(read_tile, Tile(level, index, width)) if width else b""
        hashes = edge + b"".join(fresh)
        fresh = []
        for offset in range(0, len(hashes), TILE_WIDTH * HASH_BYTES):
            tile = hashes[offset : offset + TILE_WIDTH * HASH_BYTES]
            grown[Tile(level, index, len(tile) // HASH_BYTES)] = tile
            if len(tile) == TILE_WIDTH * HASH_BYTES:
                fresh.append(root_of(split_hashes(tile)))
            index += 1
        level += 1
    return grown


def tree_root(size: int, read_tile: TileReader) -> bytes:
    """Compute the root of the tree of `size` leaves; reads only the tiles at its right edge."""
    return _Tree(size, read_tile).range_root(0, size)


def inclusion_proof(index: int, size: int, read_tile: TileReader) -> list[bytes]:
    """Compute PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf's sibling to the root's child."""
    tree = _Tree(size, read_tile)
    check_integer(index, what="the index", error=ProofError)
    if index >= size:
        raise ProofError(f"index {index} lies outside a tree of {size} entries")
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + _left_half(end - start)
        if index < middle:
            proof.append(tree.range_root(middle, end))
            end = middle
        else:
            proof.append(tree.range_root(start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(old_size: int, new_size: int, read_tile: TileReader) -> list[bytes]:
    """Compute PROOF(old_size, D[new_size]) of RFC 6962 §2.1.2. The old tree must not be empty."""
    tree = _Tree(new_size, read_tile)
    check_integer(old_size, what="the old tree size", error=ProofError, minimum=1)
    if old_size > new_size:
        raise ProofError(f"a tree of {new_size} entries cannot extend one of {old_size}")
    proof, start, end = [], 0, new_size
    while old_size != end:
        middle = start + _left_half(end - start)
        if old_size <= middle:
            proof.append(tree.range_root(middle, end))
            end = middle
        else:
            proof.append(tree.range_root(start, middle))
            start = middle
    if start:  # a complete old tree (start 0) is known to the verifier and left out
        proof.append(tree.range_root(start, end))
    return proof[::-1]


def encode_bundle(raws: Sequence[bytes]) -> bytes:
    """Join 1 to 256 entries, each behind its length as two big-endian bytes."""
    if not 1 <= len(raws) <= TILE_WIDTH:
        raise TileError(f"a bundle holds 1 to {TILE_WIDTH} entries, not {len(raws)}")
    if not all(1 <= len(raw) <= MAX_ENTRY_BYTES for raw in raws):
        raise TileError(f"an entry has 1 to {MAX_ENTRY_BYTES} bytes")
    return b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws)


def decode_bundle(raw: bytes) -> list[bytes]:
    """Split a bundle into its entries' bytes. Whether they are entries is for the tree and the entry format to say.

    Raises:
        TileError: A length reaches past the end, an entry is empty, there are none, or more than 256.
    """
    entries, at, end = [], 0, len(raw)
    for _ in range(TILE_WIDTH):
        if at >= end - 2:
            break
        start = at + 2
        at = start + (raw[at] << 8 | raw[at + 1])
        if at == start:
            raise TileError("the bundle holds an empty entry")
        entries.append(raw[start:at])
    # Python slices past the end without a word: without this check a cut bundle would decode.
    if not entries or at != end:
        raise TileError(f"the bundle is empty, cut short, or holds more than {TILE_WIDTH} entries")
    return entries


def bundle_hashes(raw: bytes) -> list[bytes]:
    """Hash a bundle's entries as leaves: as `decode_bundle` and `leaf_hashes` do, without cutting the entries out.

    Raises:
        TileError: As `decode_bundle`.
    """
    return hashed_entries(raw)[0]


def hashed_entries(raw: bytes) -> tuple[list[bytes], list[int]]:
    """Hash a bundle's entries as `bundle_hashes` does, and say before which of its bytes each ends.

    Raises:
        TileError: As `decode_bundle`.
    """
    hashes, ends, at, end = [], [], 0, len(raw)
    entries, begin, last = memoryview(raw), begin_leaf, end - 2
    for _ in range(TILE_WIDTH):
        if at >= last:
            break
        start = at + 2
        at = start + (raw[at] << 8 | raw[at + 1])
        if at == start:
            raise TileError("the bundle holds an empty entry")
        leaf = begin()
        leaf.update(entries[start:at])
        hashes.append(leaf.digest())
        ends.append(at)
    if not hashes or at != end:
        raise TileError(f"the bundle is empty, cut short, or holds more than {TILE_WIDTH} entries")
    return hashes, ends


def split_hashes(tile: bytes) -> list[bytes]:
    """Split a tile's bytes into its 32-byte hashes."""
    if not tile or len(tile) % HASH_BYTES or len(tile) > TILE_WIDTH * HASH_BYTES:
        raise TileError(f"a tile has 1 to {TILE_WIDTH} hashes of {HASH_BYTES} bytes, not {len(tile)} bytes")
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def first_hashes(tile: bytes, width: int) -> bytes:
    """Take the bytes of a tile's first hashes out of a file, which may hold more of them: a tile only grows at its end.

    Raises:
        TileError: The file is no tile, or has fewer hashes.
    """
    split_hashes(tile)
    if len(tile) < width * HASH_BYTES:
        raise TileError(f"a tile of {width} hashes has {width * HASH_BYTES} bytes, not {len(tile)}")
    return tile[: width * HASH_BYTES]


class _Tree:
    """A tree of one size, read through its tiles; each tile is read once."""

    def __init__(self, size: int, read_tile: TileReader) -> None:
        check_integer(size, what="the tree size", error=TileError)
        self._size = size
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def range_root(self, start: int, end: int) -> bytes:
        """Hash the leaves from `start` to `end`, where `start` is a multiple of every complete subtree within."""
        roots = []
        while start < end:
            height = (end - start).bit_length() - 1
            roots.append(self._subtree_root(height, start >> height))
            start += 1 << height
        if not roots:
            return EMPTY_ROOT
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root

    def _subtree_root(self, height: int, position: int) -> bytes:
        """Hash the complete subtree of 2^height leaves that is the `position`-th of its kind."""
        level, rise = divmod(height, TILE_HEIGHT)
        index, offset = divmod(position << rise, TILE_WIDTH)
        return root_of(self._hashes(level, index)[offset : offset + (1 << rise)])

    def _hashes(self, level: int, index: int) -> list[bytes]:
        if (level, index) not in self._tiles:
            width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * level) - index * TILE_WIDTH)
            self._tiles[level, index] = split_hashes(_read(self._read_tile, Tile(level, index, width)))
        return self._tiles[level, index]


def _read(read_tile: TileReader, tile: Tile) -> bytes:
    content = read_tile(tile)
    if len(content) != tile.width * HASH_BYTES:
        raise TileError(f"{tile_path(tile)} must have {tile.width * HASH_BYTES} bytes, not {len(content)}")
    return content


def _left_half(count: int) -> int:
    """Find the largest power of two below `count` (RFC 6962's k)."""
    return 1 << (count - 1).bit_length() - 1


def _changed(old_count: int, new_count: int) -> list[tuple[int, int]]:
    if new_count == old_count:
        return []
    first, last = old_count // TILE_WIDTH, (new_count - 1) // TILE_WIDTH
    return [(index, min(TILE_WIDTH, new_count - index * TILE_WIDTH)) for index in range(first, last + 1)]


def _check_growth(old_size: int, new_size: int) -> None:
    check_integer(old_size, what="the old tree size", error=TileError)
    check_integer(new_size, what="the new tree size", error=TileError)
    if old_size > new_size:
        raise TileError(f"a tree cannot shrink from {old_size} to {new_size} entries")


def _place(index: int, width: int) -> str:
    check_integer(index, what="a tile's index", error=TileError)
    if not 1 <= width <= TILE_WIDTH:
        raise TileError(f"a tile's width is 1 to {TILE_WIDTH}, not {width}")
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03d}")
    path = "/".join(parts)
    return path if width == TILE_WIDTH else f"{path}.p/{width}"
