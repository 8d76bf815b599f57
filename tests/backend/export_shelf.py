"""In-memory store of exports."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from amply.infra.database import forbid_transaction


class FakeExports:
    """Keeps whole files; `dies_after` ends the process once so many pieces came, with nothing kept.

    `first` is done before any of a file came, `meanwhile` once all of a file came, and before it is kept. `pieces`: how many the newest one came in.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.dies_after: int | None = None
        self.first: Callable[[], None] = lambda: None
        self.meanwhile: Callable[[], None] = lambda: None
        self.pieces = 0

    def write(self, path: str, pieces: Iterable[bytes], *, media_type: str) -> None:
        forbid_transaction("write an export")
        self.first()
        held = b""
        for number, piece in enumerate(pieces, start=1):
            self.pieces = number
            held += piece
            if self.dies_after is not None and number >= self.dies_after:
                raise KeyboardInterrupt(media_type)
        self.meanwhile()
        self.files[path] = held

    def link(self, path: str, *, filename: str, media_type: str, lasts: timedelta) -> str:
        forbid_transaction("link to an export")
        return (
            f"https://exports.example/{path}?as={filename}&for={int(lasts.total_seconds())}&{media_type[:4]}"
        )
