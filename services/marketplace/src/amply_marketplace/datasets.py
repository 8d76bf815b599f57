"""A buyer's view of datasets: description, own revisions, files."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """`schema` is Spark's JSON of its columns (https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format)."""

    dataset_id: str
    title: str
    kind: str
    schema: str
    latest: int
    """The newest revision that the buyer was given of it; 0 before the first."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """Released once, whole, and to one buyer. A withdrawn one is served to nobody."""

    number: int
    released_at: datetime
    policy_id: str
    k: int
    rows: int
    certificate: str | None
    """The key of its certificate in the curated bucket."""
    certificate_sha256: str


@dataclass(frozen=True, kw_only=True)
class File:
    """One Parquet file of a revision, under `key` in the curated bucket; certificates name it by the key's last part."""

    key: str
    size_bytes: int
    rows: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Released:
    """One revision of a dataset with its files."""

    dataset: Dataset
    revision: Revision
    files: tuple[File, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)
