"""Port of exports: the store of files."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol


class ExportStore(Protocol):
    """Where files are kept. Called outside transactions."""

    def write(self, path: str, pieces: Iterable[bytes], *, media_type: str) -> None:
        """Stream a file into the store, atomically: it replaces a former one only when complete."""

    def link(self, path: str, *, filename: str, media_type: str, lasts: timedelta) -> str:
        """A presigned download URL with this lifetime and file name."""
