"""Polls for conditions that other processes make true."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

SECONDS_MAX: Final = 90.0
_LOOK_SECONDS: Final = 0.05

Seen = TypeVar("Seen")


def within(seconds: float, look: Callable[[], Seen | None]) -> Seen | None:
    """Look again and again until there is something to see (neither None nor False), but not for longer."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if (seen is not None and seen is not False) or time.monotonic() > deadline:
            return seen
        time.sleep(_LOOK_SECONDS)


def until(look: Callable[[], Seen | None], *, otherwise: str, seconds: float = SECONDS_MAX) -> Seen:
    """Wait until there is something to see, and return it."""
    seen = within(seconds, look)
    assert seen is not None, f"after {seconds:.0f} s: {otherwise}"
    assert seen is not False, f"after {seconds:.0f} s: {otherwise}"
    return seen
