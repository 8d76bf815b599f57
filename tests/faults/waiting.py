"""Waiting for something that other processes make true."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

SECONDS_MAX: Final = 90.0
_LOOK_SECONDS: Final = 0.05

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen | None], *, otherwise: str, seconds: float = SECONDS_MAX) -> Seen:
    """Look again and again until there is something to see (neither None nor False), and return it."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen is not None and seen is not False:
            return seen
        assert time.monotonic() < deadline, f"after {seconds:.0f} s: {otherwise}"
        time.sleep(_LOOK_SECONDS)
