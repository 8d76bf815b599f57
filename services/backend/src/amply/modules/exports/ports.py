"""Port of exports: the store of files."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol


class ExportStore(Protocol):
    """Where files are kept. Called outside transactions."""

    def write(self, path: str, pieces: Iterable[bytes], *, media_type: str) -> None:
        """Store a file, a piece at a time; it is there once all of it is, in place of a former one. Nothing is left of half a one."""

    def link(self, path: str, *, filename: str, media_type: str, lasts: timedelta) -> str:
        """An address that fetches this one file for so long, and saves it under that name."""
