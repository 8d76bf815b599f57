"""Buffers for files that are produced and uploaded in parts, so that none has to fit into memory."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer  # it is there for type checkers alone


def drain(written: io.StringIO) -> bytes:
    """What was written so far, taken out."""
    piece = written.getvalue().encode()
    written.seek(0)
    written.truncate()
    return piece


class DrainableBuffer(io.RawIOBase):
    """A write-only file object whose written bytes can be taken out in between."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._given = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer") -> int:
        piece = bytes(data)
        self._held += piece
        return len(piece)

    def tell(self) -> int:
        return self._given + len(self._held)

    def drain(self) -> bytes:
        written = bytes(self._held)
        self._given += len(written)
        self._held.clear()
        return written
