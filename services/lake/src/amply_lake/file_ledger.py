"""A release ledger in a directory, for one machine and for tests."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from amply_lake.errors import LedgerConflict, LedgerError


class FileLedger:
    """Records and files in a directory, each written atomically."""

    def __init__(self, folder: Path) -> None:
        self._records = folder / "records"
        self._files = folder / "files"
        for each in (self._records, self._files):
            each.mkdir(parents=True, exist_ok=True)

    def records(self, first: int = 0) -> Iterator[bytes]:
        """The records from this number on, in order."""
        paths = sorted(self._records.glob("[0-9]*.json"))
        return (path.read_bytes() for path in paths if int(path.stem) >= first)

    def append(self, number: int, record: bytes) -> None:
        """Add a record; a link is made whole or not at all, and never over another."""
        with tempfile.NamedTemporaryFile(dir=self._records, prefix=".new-") as made:
            made.write(record)
            made.flush()
            os.fsync(made.fileno())
            try:
                Path(self._records / f"{number:08}.json").hardlink_to(made.name)
            except FileExistsError as error:
                raise LedgerConflict(
                    "somebody else has released meanwhile; nothing was written, try again"
                ) from error

    def keep(self, name: str, path: Path) -> None:
        """Keep a copy of a file."""
        kept = self._files / name
        if kept.exists():
            return
        with tempfile.NamedTemporaryFile(dir=self._files, prefix=".new-", delete=False) as made:
            with path.open("rb") as source:
                shutil.copyfileobj(source, made)
            made.flush()
            os.fsync(made.fileno())
        Path(made.name).replace(kept)

    def fetch(self, name: str) -> Path:
        """A kept file."""
        path = self._files / name
        if not path.is_file():
            raise LedgerError(
                f"the release ledger lacks the file {name}; restore it from a backup, and try again"
            )
        return path
