"""Direct uploads to a private bucket: a short-lived presigned form, and inspection of what was uploaded (ADR 0119).

The form's conditions hold type and size at the upload; what then lies there is looked at again by its first bytes. Only the
version that was looked at is ever read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

UPLOAD_WITHIN: Final = timedelta(minutes=10)
TAKEN_UP_WITHIN: Final = timedelta(minutes=30)
"""After a form expires: an upload begun in time may end later, and is reported at once."""
FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""After a form expires: uploads not reported by then are deleted, and never accepted."""
LOOKED_AT_BYTES: Final = 16
NAME_BYTES: Final = 24
"""Random bytes in an upload's name, which make it unguessable."""

_SIGNATURES: Final[Mapping[str, tuple[tuple[int, bytes], ...]]] = {
    "application/pdf": ((0, b"%PDF-"),),
    "image/jpeg": ((0, b"\xff\xd8\xff"),),
    "image/png": ((0, b"\x89PNG\r\n\x1a\n"),),
    "image/webp": ((0, b"RIFF"), (8, b"WEBP")),
}
"""File signatures by media type: offset and bytes (PDF 32000-1 §7.5.2, ITU T.81 §B.1.1.3, PNG §5.2, RFC 9649 §2.4)."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A presigned POST: its address and fields. The file is the last field."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StoredUpload:
    """An uploaded object: size, first bytes, and its version where the bucket is versioned."""

    size_bytes: int
    beginning: bytes
    version: str | None

    def is_what_it_says(self, media_type: str, *, bytes_max: int) -> bool:
        """Whether an upload has the signature of its declared type, and an allowed size."""
        begins = all(self.beginning[at:].startswith(sign) for at, sign in _SIGNATURES[media_type])
        return 0 < self.size_bytes <= bytes_max and begins


class UploadStore(Protocol):
    """A private, encrypted store of uploads under unguessable names. May not be called inside a transaction."""

    def offer(self, key: str, *, media_type: str, bytes_max: int, lifetime: timedelta) -> Upload:
        """Create a form for one file of this type, of 1 to `bytes_max` bytes, under this name."""

    def look(self, key: str) -> StoredUpload | None:
        """Inspect an upload; None if there is none."""

    def take_away(self, key: str) -> None:
        """Delete an upload. Idempotent."""
