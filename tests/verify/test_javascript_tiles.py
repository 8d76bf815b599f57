"""The pages' verifier proves whole bundles from a few tiles: held to the format package, and to what must be refused."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ledger_format.errors import TileError
from ledger_format.tiles import (
    TILE_WIDTH,
    Tile,
    bundle_path,
    decode_bundle,
    encode_bundle,
    first_hashes,
    tile_path,
)
from tests.verify.javascript_runner import Ask, b64, kind
from tests.verify.ledger_samples import SampleLog

# Around every edge of the first two levels, and one in the middle of nowhere.
SIZES = (1, 2, 3, 255, 256, 257, 511, 512, 513, 767, 768, 1_000, 65_535, 65_536, 65_537, 66_000)


def leaves_of(size: int) -> list[bytes]:
    return [f"entry {index}".encode() for index in range(size)]


def bundle_call(log: SampleLog, place: int, **changes: Any) -> dict[str, Any]:
    leaves = log.leaves[place * TILE_WIDTH : (place + 1) * TILE_WIDTH]
    return {
        "do": "bundle",
        "bundle": b64(encode_bundle(leaves)),
        "index": str(place),
        "size": str(len(log.leaves)),
        "root": b64(log.checkpoint().root),
        "tiles": published_tiles(log.tiles),
        **changes,
    }


def published_tiles(tiles: Mapping[Tile, bytes]) -> dict[str, str]:
    # Level 0 is left out but for its partial tile: no full one is needed to prove a bundle, and most of them are many.
    return {tile_path(tile): b64(raw) for tile, raw in tiles.items() if tile.level or tile.width < TILE_WIDTH}


@pytest.mark.parametrize("size", SIZES)
def test_every_bundle_of_a_tree_is_proved_from_a_few_tiles(ask: Ask, size: int) -> None:
    log = SampleLog(leaves_of(size))
    last = (size - 1) // TILE_WIDTH
    answers = ask(
        [bundle_call(log, index) for index in sorted({0, last // 3, last // 2, max(last - 1, 0), last})]
    )
    assert [kind(answer) for answer in answers] == ["verified"] * len(answers)
    assert max(len(answer["result"]) for answer in answers) <= 4


def test_the_newest_bundle_needs_no_tile_of_the_lowest_level(ask: Ask) -> None:
    (answer,) = ask([bundle_call(SampleLog(leaves_of(1_000)), 3)])
    assert answer["result"] == ["tile/1/000.p/3"]


LOG = SampleLog(leaves_of(1_000))


def changed(raw: bytes, position: int) -> str:
    return b64(raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :])


def swapped(leaves: Sequence[bytes]) -> str:
    return b64(encode_bundle([leaves[1], leaves[0], *leaves[2:]]))


def test_a_bundle_that_is_not_the_trees_is_refused(ask: Ask) -> None:
    raw = encode_bundle(LOG.leaves[256:512])
    tiles = published_tiles(LOG.tiles)
    edge = Tile(1, 0, 3)
    last = Tile(0, 3, 232)
    calls = {
        "an entry changed": bundle_call(LOG, 1, bundle=changed(raw, 8)),
        "the last entry changed": bundle_call(LOG, 1, bundle=changed(raw, len(raw) - 1)),
        "two swapped": bundle_call(LOG, 1, bundle=swapped(LOG.leaves[256:512])),
        "of another place": bundle_call(LOG, 1, index="2"),
        "beyond the tree": bundle_call(LOG, 1, index="4"),
        "one too few": bundle_call(LOG, 1, bundle=b64(encode_bundle(LOG.leaves[256:511]))),
        "one too few at the edge": bundle_call(LOG, 3, bundle=b64(encode_bundle(LOG.leaves[768:999]))),
        "a tile above changed": bundle_call(
            LOG, 1, tiles={**tiles, tile_path(edge): changed(LOG.tiles[edge], 64)}
        ),
        "a tile beside changed": bundle_call(
            LOG, 1, tiles={**tiles, tile_path(last): changed(LOG.tiles[last], 0)}
        ),
        "of another tree": bundle_call(LOG, 1, root=b64(SampleLog(leaves_of(999)).checkpoint().root)),
    }
    judged = dict(zip(calls, map(kind, ask(list(calls.values()))), strict=True))
    assert judged == dict.fromkeys(calls, "proof")


@pytest.mark.parametrize("tile", [b"", b"\0" * 31, b"\0" * 95, b"\0" * (257 * 32)])
def test_a_tile_of_another_length_is_refused(ask: Ask, tile: bytes) -> None:
    (answer,) = ask([bundle_call(LOG, 1, tiles={"tile/1/000.p/3": b64(tile)})])
    assert kind(answer) == "malformed"


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        (0, "verified"),
        (32, "verified"),
        (253 * 32, "verified"),
        (7, "malformed"),
        (254 * 32, "malformed"),
        (-32, "malformed"),
    ],
)
def test_of_a_tile_that_has_grown_the_first_hashes_are_taken_by_both(
    ask: Ask, more: int, verdict: str
) -> None:
    tile = LOG.tiles[Tile(1, 0, 3)]
    content = tile + bytes(more) if more >= 0 else tile[:more]
    tiles = {**published_tiles(LOG.tiles), "tile/1/000.p/3": b64(content)}
    (answer,) = ask([bundle_call(LOG, 3, tiles=tiles)])
    assert kind(answer) == verdict
    try:
        assert first_hashes(content, 3) == tile
    except TileError:
        assert verdict == "malformed"
    else:
        assert verdict == "verified"


def test_bundles_are_cut_up_as_the_format_package_does_or_refused_as_it_does(ask: Ask) -> None:
    chance = random.Random(20261126)  # noqa: S311 -- the same bundles each time
    whole = encode_bundle([b"a", b"bc", b"d" * 300])
    raws = [whole[:end] for end in range(len(whole) + 1)]
    raws += [whole + tail for tail in (b"\0", b"\0\0", b"\0\1", b"\0\1x")]
    raws += [
        b"\0\1x" * 256,
        b"\0\1x" * 257,
        b"\0\0",
        b"\xff\xff" + b"y" * 65_535,
        b"\xff\xff" + b"y" * 65_534,
    ]
    raws += [chance.randbytes(chance.randrange(40)).replace(b"\x7f", b"\0") for _ in range(500)]
    answers = ask([{"do": "decode_bundle", "bundle": b64(raw)} for raw in raws])
    for raw, answer in zip(raws, answers, strict=True):
        try:
            expected = [b64(leaf) for leaf in decode_bundle(raw)]
        except TileError:
            assert kind(answer) == "malformed", raw
        else:
            assert answer.get("result") == expected, raw


def test_tiles_are_named_as_the_format_package_names_them(ask: Ask) -> None:
    tiles = [Tile(0, index, 256) for index in (0, 7, 999, 1_000, 1_234_067, 999_999, 10**9, 2**54)]
    tiles += [Tile(3, 1_234_067, 5), Tile(7, 0, 127)]
    (answer,) = ask([{"do": "paths", "tiles": [[tile.level, str(tile.index), tile.width] for tile in tiles]}])
    assert answer["result"] == [tile_path(tile) for tile in tiles]
    assert bundle_path(7, 256) == "tile/entries/007"
