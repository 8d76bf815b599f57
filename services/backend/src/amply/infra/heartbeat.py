"""Heartbeat of processes that serve no HTTP: a file touched on each turn of the main loop."""

import time
from pathlib import Path
from typing import Final

ALIVE_SECONDS_MAX: Final = 60
"""A main loop silent for a minute is stuck; the container is replaced."""


def beat(path: str) -> None:
    """Touch the heartbeat file. Does nothing if the path is empty."""
    if path:
        Path(path).touch()


def is_alive(path: str) -> bool:
    """Whether the last heartbeat is recent."""
    try:
        return time.time() - Path(path).stat().st_mtime < ALIVE_SECONDS_MAX
    except FileNotFoundError:
        return False
