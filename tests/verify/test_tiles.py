"""Tiles, bundles, and the proofs made from them, held against RFC 6962's own recursive definitions."""

import functools
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_format.errors import ProofError, TileError
from ledger_format.merkle import (
    leaf_hash,
    leaf_hashes,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger_format.tiles import (
    TILE_WIDTH,
    Bundle,
    Tile,
    bundle_hashes,
    bundle_path,
    changed_bundles,
    changed_tiles,
    consistency_proof,
    decode_bundle,
    encode_bundle,
    grow,
    inclusion_proof,
    split_hashes,
    tile_path,
    tree_root,
)
from tests.hypothesis_profiles import examples

LARGEST = 600
HASHES = [leaf_hash(str(number).encode()) for number in range(LARGEST)]
BORDER_SIZES = [
    1,
    2,
    3,
    5,
    8,
    127,
    128,
    129,
    254,
    255,
    256,
    257,
    258,
    383,
    384,
    385,
    511,
    512,
    513,
    514,
    599,
    600,
]


@functools.cache
def mth(start: int, end: int) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if end - start == 1:
        return HASHES[start]
    middle = start + split(end - start)
    return node_hash(mth(start, middle), mth(middle, end))


def split(count: int) -> int:
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def path(index: int, start: int, end: int) -> list[bytes]:
    """RFC 6962 §2.1.1, word for word."""
    if end - start == 1:
        return []
    middle = start + split(end - start)
    if index < middle:
        return [*path(index, start, middle), mth(middle, end)]
    return [*path(index, middle, end), mth(start, middle)]


def subproof(old: int, start: int, end: int, *, complete: bool) -> list[bytes]:
    """RFC 6962 §2.1.2, word for word (`old` counts from the beginning of the tree)."""
    if old == end:
        return [] if complete else [mth(start, end)]
    middle = start + split(end - start)
    if old <= middle:
        return [*subproof(old, start, middle, complete=complete), mth(middle, end)]
    return [*subproof(old, middle, end, complete=False), mth(start, middle)]


@functools.cache
def stored(tile: Tile) -> bytes:
    """The tile by its definition in tlog-tiles; only the sizes in these tests exist."""
    span = TILE_WIDTH**tile.level
    first = tile.index * TILE_WIDTH
    return b"".join(mth(place * span, (place + 1) * span) for place in range(first, first + tile.width))


sizes = st.integers(1, LARGEST)


@pytest.mark.parametrize("size", range(1, LARGEST + 1))
def test_the_root_from_tiles_is_the_root_from_leaves(size: int) -> None:
    assert tree_root(size, stored) == mth(0, size) == root_of(HASHES[:size])


@pytest.mark.parametrize("size", BORDER_SIZES)
def test_inclusion_proofs_from_tiles_are_rfc_6962_s_around_tile_borders(size: int) -> None:
    edges = {0, 1, size // 2, size - 2, size - 1, 127, 128, 254, 255, 256, 257, 511, 512}
    for index in sorted(index for index in edges if 0 <= index < size):
        proof = inclusion_proof(index, size, stored)
        assert proof == path(index, 0, size)
        verify_inclusion(leaf=HASHES[index], index=index, size=size, proof=proof, root=mth(0, size))


@given(sizes, st.data())
@settings(max_examples=examples(day=200, night=2_000))
def test_inclusion_proofs_from_tiles_are_rfc_6962_s(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, stored)
    assert proof == path(index, 0, size)
    verify_inclusion(leaf=HASHES[index], index=index, size=size, proof=proof, root=mth(0, size))


@pytest.mark.parametrize("new", BORDER_SIZES)
def test_consistency_proofs_from_tiles_are_rfc_6962_s_around_tile_borders(new: int) -> None:
    for old in (size for size in BORDER_SIZES if size <= new):
        proof = consistency_proof(old, new, stored)
        assert proof == subproof(old, 0, new, complete=True)
        verify_consistency(
            old_size=old, old_root=mth(0, old), new_size=new, new_root=mth(0, new), proof=proof
        )


@given(sizes, sizes)
@settings(max_examples=examples(day=200, night=2_000))
def test_consistency_proofs_from_tiles_are_rfc_6962_s(one: int, other: int) -> None:
    old, new = sorted((one, other))
    proof = consistency_proof(old, new, stored)
    assert proof == subproof(old, 0, new, complete=True)
    verify_consistency(old_size=old, old_root=mth(0, old), new_size=new, new_root=mth(0, new), proof=proof)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=8))
@settings(max_examples=examples(day=100, night=500))
def test_a_tree_grown_in_any_steps_has_the_tiles_of_its_definition(steps: list[int]) -> None:
    kept: dict[Tile, bytes] = {}
    size = 0
    for step in steps:
        new_size = min(size + step, LARGEST)
        grown = grow(size, HASHES[size:new_size], kept.__getitem__)
        assert set(grown) == set(changed_tiles(size, new_size))
        assert all(content == stored(tile) for tile, content in grown.items())
        kept.update(grown)
        size = new_size


def test_growing_reads_only_the_partial_tiles_at_the_right_edge() -> None:
    read: list[Tile] = []

    def reader(tile: Tile) -> bytes:
        read.append(tile)
        return stored(tile)

    grow(513, HASHES[513:514], reader)
    assert read == [Tile(0, 2, 1)]
    read.clear()
    grow(511, HASHES[511:513], reader)
    assert read == [Tile(0, 1, 255), Tile(1, 0, 1)]


def test_a_proof_reads_each_tile_once() -> None:
    read: list[Tile] = []

    def reader(tile: Tile) -> bytes:
        read.append(tile)
        return stored(tile)

    inclusion_proof(300, 600, reader)
    assert sorted(read, key=str) == [Tile(0, 1, 256), Tile(0, 2, 88), Tile(1, 0, 2)]


def test_nothing_to_append_changes_nothing() -> None:
    assert grow(5, [], stored) == {}
    assert changed_tiles(5, 5) == []
    assert changed_bundles(5, 5) == []


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    tiles = changed_tiles(0, 70_000)
    assert [tile for tile in tiles if tile.width < TILE_WIDTH] == [
        Tile(0, 273, 112),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert sum(tile.level == 0 and tile.width == TILE_WIDTH for tile in tiles) == 273
    assert sum(tile.level == 1 and tile.width == TILE_WIDTH for tile in tiles) == 1


def test_a_tree_of_256_has_one_full_tile_and_one_hash_above_it() -> None:
    assert changed_tiles(0, 256) == [Tile(0, 0, 256), Tile(1, 0, 1)]


def test_changed_tiles_at_the_largest_size_stay_within_the_eight_levels() -> None:
    levels = [tile.level for tile in changed_tiles(2**63 - 2, 2**63 - 1)]
    assert levels == [0]
    assert max(tile.level for tile in changed_tiles(2**63 - 2**40, 2**63 - 2**40 + 1)) == 0


def test_changed_bundles_hold_the_new_entries() -> None:
    assert changed_bundles(255, 513) == [Bundle(0, 256), Bundle(1, 256), Bundle(2, 1)]


@pytest.mark.parametrize(
    ("tile", "expected"),
    [
        (Tile(0, 0, 5), "tile/0/000.p/5"),
        (Tile(0, 999, 256), "tile/0/999"),
        (Tile(1, 1_000, 255), "tile/1/x001/000.p/255"),
        (Tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (Tile(7, 12, 1), "tile/7/012.p/1"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, expected: str) -> None:
    assert tile_path(tile) == expected


def test_a_bundle_has_the_path_of_the_specification() -> None:
    assert bundle_path(1_234_067, 17) == "tile/entries/x001/x234/067.p/17"
    assert bundle_path(0, 256) == "tile/entries/000"


@pytest.mark.parametrize(
    "tile", [Tile(8, 0, 1), Tile(-1, 0, 1), Tile(0, -1, 1), Tile(0, 0, 0), Tile(0, 0, 257)]
)
def test_an_impossible_tile_has_no_path(tile: Tile) -> None:
    with pytest.raises(TileError):
        tile_path(tile)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), bytes(64)])
def test_a_tile_of_another_width_than_asked_for_is_refused(wrong: bytes) -> None:
    with pytest.raises(TileError):
        tree_root(1, lambda _: wrong)


def test_what_lies_outside_the_tree_cannot_be_proven() -> None:
    with pytest.raises(ProofError):
        inclusion_proof(5, 5, stored)
    with pytest.raises(ProofError):
        consistency_proof(0, 5, stored)
    with pytest.raises(ProofError):
        consistency_proof(6, 5, stored)
    with pytest.raises(TileError):
        changed_tiles(6, 5)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=TILE_WIDTH))
def test_a_bundle_reads_back_as_what_was_written(raws: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(raws)) == raws
    assert bundle_hashes(encode_bundle(raws)) == leaf_hashes(raws) == [leaf_hash(raw) for raw in raws]


@given(
    st.binary(max_size=60)
    | st.lists(st.binary(max_size=3), max_size=TILE_WIDTH + 2).map(
        lambda raws: b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws)
    )
)
def test_hashing_a_bundle_where_it_lies_refuses_what_cutting_it_refuses(raw: bytes) -> None:
    try:
        entries = decode_bundle(raw)
    except TileError:
        with pytest.raises(TileError):
            bundle_hashes(raw)
    else:
        assert bundle_hashes(raw) == leaf_hashes(entries)


def test_a_bundle_cut_anywhere_within_an_entry_is_refused() -> None:
    bundle = encode_bundle([b"abc", b"defgh"])
    whole = {len(encode_bundle([b"abc"])), len(bundle)}
    for end in range(len(bundle)):
        if end not in whole:
            with pytest.raises(TileError):
                decode_bundle(bundle[:end])


def test_every_single_bit_flip_of_a_bundle_is_refused_or_changes_an_entry() -> None:
    raws = [b"abc", b"defgh"]
    bundle = encode_bundle(raws)
    for position in range(8 * len(bundle)):
        flipped = bytearray(bundle)
        flipped[position // 8] ^= 1 << position % 8
        try:
            assert decode_bundle(bytes(flipped)) != raws
        except TileError:
            continue


def test_bundles_of_no_too_many_empty_or_too_long_entries_are_refused() -> None:
    for raws in ([], [b"x"] * 257, [b""], [bytes(65_536)]):
        with pytest.raises(TileError):
            encode_bundle(raws)
    for raw in (b"", b"\0\0", b"\0\1x" * 257):
        with pytest.raises(TileError):
            decode_bundle(raw)


def test_a_tile_splits_into_its_hashes_and_nothing_else_does() -> None:
    assert split_hashes(b"".join(HASHES[:3])) == HASHES[:3]
    for raw in (b"", bytes(33), bytes(32 * 257)):
        with pytest.raises(TileError):
            split_hashes(raw)


def test_the_naive_definitions_above_agree_with_each_other() -> None:
    for old, new in itertools.combinations([1, 2, 3, 7, 8, 9], 2):
        proof = subproof(old, 0, new, complete=True)
        verify_consistency(
            old_size=old, old_root=mth(0, old), new_size=new, new_root=mth(0, new), proof=proof
        )
