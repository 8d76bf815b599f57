"""Port of the audit log: an archive with seven years of retention."""

from collections.abc import Sequence
from typing import Protocol


class ArchiveDiffers(Exception):
    """The archive holds a different file under this name: two databases share an archive, or one was changed."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} in the archive is another file than this database makes")
        self.path = path


class AuditArchive(Protocol):
    """Append-only store of files by name."""

    def keep(self, path: str, body: bytes) -> None:
        """Store a file; succeeds if the same bytes exist already.

        Raises:
            ArchiveDiffers: It is there with other bytes.
        """
        ...

    def read(self, path: str) -> bytes | None:
        """The file of this name, or None."""
        ...

    def names(self) -> Sequence[str]:
        """The names of all files of the audit log, in order."""
        ...
