"""Streaming decompression, bounded in size and ratio (zip bombs)."""

from typing import Any, Final

from amply.modules.ingestion.domain import (
    EXPANDED_BYTES_MAX,
    EXPANSION_FREE_BYTES,
    EXPANSION_MAX,
    Compression,
    FileReason,
    FileRefused,
)
from amply.modules.ingestion.records import Pieces

_CODECS: Final = {Compression.GZIP: "gzip", Compression.ZSTD: "zstd"}


class _Source:
    """The compressed file as read by the codec. I/O errors are kept apart from errors in the file."""

    closed = False

    def __init__(self, file: Pieces) -> None:
        self._file = file
        self.failed: Exception | None = None
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        try:
            piece = self._file.read(size)
        except Exception as error:
            self.failed = error
            raise
        self.size += len(piece)
        return piece

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """The file is closed by whoever opened it."""


class DecompressedFile:
    """A file that is decompressed while it is read.

    Raises (from `read`):
        FileRefused: It is damaged or cut off, or grows beyond what it may.
    """

    def __init__(
        self, file: Pieces, compression: Compression, *, bytes_max: int = EXPANDED_BYTES_MAX
    ) -> None:
        self._source = _Source(file)
        self._bytes_max = bytes_max
        self._size = 0
        self._is_packed = compression is not Compression.NONE
        self._stream: Any = self._source if not self._is_packed else _unpacking(self._source, compression)

    def read(self, size: int, /) -> bytes:
        """So many bytes at most; none at the end."""
        try:
            piece: bytes = self._stream.read(size)
        except OSError as error:
            if self._source.failed is not None:
                raise self._source.failed from error
            raise FileRefused(FileReason.NOT_WHOLE) from error
        self._size += len(piece)
        if self._size > self._bytes_max:
            raise FileRefused(FileReason.TOO_LARGE)
        if self._is_packed and self._size > max(EXPANSION_FREE_BYTES, self._source.size * EXPANSION_MAX):
            raise FileRefused(FileReason.PACKED_TOO_DENSELY)
        return piece


def _unpacking(source: _Source, compression: Compression) -> Any:
    import pyarrow as pa  # noqa: PLC0415 -- heavy: only who reads what was handed in pays for it

    return pa.CompressedInputStream(pa.PythonFile(source, mode="r"), _CODECS[compression])
