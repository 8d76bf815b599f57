"""Temporary directories for test servers, in memory where there is enough."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 -- the kernel's file system in memory; the folder made in it is our own
_ENOUGH_BYTES: Final = 2 << 30


@contextmanager
def room(purpose: str) -> Iterator[Path]:
    """A folder that others may enter (PostgreSQL, started by root, runs as another user) and that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"amply-{purpose}-", dir=_in_memory()) as made:
        Path(made).chmod(0o755)
        yield Path(made)


def _in_memory() -> Path | None:
    """None, the usual folder, where there is no such memory or too little of it, as in many containers."""
    is_usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK)
    return _MEMORY if is_usable and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES else None
