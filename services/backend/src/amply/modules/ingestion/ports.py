"""Ports of ingestion: raw bucket, Parquet reader, dataset table. Never called inside a transaction."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Protocol

from amply.infra.uploads import UploadStore
from amply.modules.ingestion.domain import PublishedDataset
from amply.modules.ingestion.records import Pieces


class Intake(UploadStore, Protocol):
    """The lake's raw bucket for the API: upload forms, and links to refused rows."""

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        """Hand in for whoever sent it along with their request. Again, it is there once more."""

    def link(self, path: str, *, filename: str, media_type: str, lasts: timedelta) -> str:
        """A presigned download URL with this lifetime and file name."""


class RawBucket(Protocol):
    """The lake's raw bucket for the worker."""

    def open(self, key: str, *, version: str | None) -> AbstractContextManager[Pieces]:
        """What was handed in, in the version that was looked at.

        Raises:
            Refused: It is gone.
        """

    def write(self, path: str, pieces: Iterable[bytes], *, media_type: str) -> None:
        """Stream a file into the bucket, atomically: it replaces a former one only when complete."""

    def has(self, path: str) -> bool:
        """Whether the file exists."""

    def take_away(self, key: str) -> None:
        """Delete a file. Idempotent."""


class ParquetOpener(Protocol):
    """Reads untrusted Parquet files outside this process."""

    def open(self, file: Pieces, columns: Sequence[str]) -> AbstractContextManager[Pieces]:
        """The rows of a file as lines of JSON, in order. `columns`: those that it may have.

        Raises:
            Refused: It is no Parquet, has other columns or columns within columns, or is larger inside than it may be; here,
                or from `read`.
        """


class DatasetTable(Protocol):
    """The dataset table of the release process."""

    def put(self, dataset: PublishedDataset) -> None:
        """Keep this, unless this version or a later one is there already; what others wrote beside it stays."""
