"""Which part of the log one worker takes at a time."""

import dataclasses
from collections.abc import Iterator
from typing import Final

from ledger_format.tiles import TILE_WIDTH

MAX_BUNDLES: Final = 64
"""In one part: 16,384 entries, about 10 MB, so that an audit's memory does not depend on the log's size."""

PARTS_PER_JOB: Final = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """The bundles from `first` to `stop`, exclusive; `number` counts parts from 0; `size` is the whole log's."""

    number: int
    first: int
    stop: int
    size: int

    def width(self, bundle: int) -> int:
        """How many entries the bundle has in the tree at hand (1 to 256)."""
        return min(TILE_WIDTH, self.size - bundle * TILE_WIDTH)

    @property
    def entries(self) -> int:
        """How many entries the part has."""
        return min(self.stop * TILE_WIDTH, self.size) - self.first * TILE_WIDTH


def parts_of(size: int, *, first_bundle: int, jobs: int) -> Iterator[Part]:
    """Cut the log into parts, in order: small enough for memory, and enough of them for every worker."""
    bundles = bundles_of(size)
    length = max(1, min(MAX_BUNDLES, -(-(bundles - first_bundle) // (jobs * PARTS_PER_JOB))))
    for number, first in enumerate(range(first_bundle, bundles, length)):
        yield Part(number, first, min(first + length, bundles), size)


def bundles_of(size: int) -> int:
    """How many bundles a log of `size` entries has."""
    return -(-size // TILE_WIDTH)
