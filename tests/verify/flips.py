"""Single bit flips in a file."""

from collections.abc import Sequence
from typing import Final

import pytest

ALL_BY_NIGHT: Final = pytest.mark.parametrize(
    "bits", [pytest.param(1, id="one-of-each-byte"), pytest.param(8, id="all", marks=pytest.mark.nightly)]
)
"""By day one bit of each byte, of neighbours another one each: whatever is not covered at all is found by it."""


def positions(raw: bytes, *, bits: int, begin: int = 0) -> Sequence[int]:
    """So many bits of each byte from `begin` on."""
    return [8 * at + (at + turn) % 8 for at in range(begin, len(raw)) for turn in range(bits)]
