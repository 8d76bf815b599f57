"""States, limits and errors of ingestion."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound, NotOffered

UPLOAD_BYTES_MAX: Final = 64 * 1024 * 1024
INLINE_BYTES_MAX: Final = 1_000_000
"""Content in the request itself, whose whole body has a limit of 1 MiB."""
EXPANDED_BYTES_MAX: Final = 512 * 1024 * 1024
EXPANSION_MAX: Final = 200
"""Maximum compression ratio of files larger than `EXPANSION_FREE_BYTES`."""
EXPANSION_FREE_BYTES: Final = 4 * 1024 * 1024
ROWS_MAX: Final = 1_000_000
LINE_BYTES_MAX: Final = 256 * 1024
CELL_BYTES_MAX: Final = 4_096
"""Bytes of a text in UTF-8, as the anonymiser limits it."""
QUARANTINED_MAX: Final = 10_000
"""Refused rows of a file, above which the whole file is refused."""
SHOWN_CHARACTERS_MAX: Final = 1_000
"""Characters of a refused row that are kept."""
JOBS_WAITING_MAX: Final = 20
SOURCES_MAX: Final = 50
DATASETS_MAX: Final = 100
ATTEMPTS_MAX: Final = 5
LINK_LASTS: Final = timedelta(minutes=5)
QUARANTINE_DAYS: Final = 30
QUARANTINE_KEPT: Final = timedelta(days=QUARANTINE_DAYS)
"""The bucket's lifecycle removes the file then."""
KEPT: Final = timedelta(days=90)
"""Lifetime of a job: as long as its accepted rows."""
RETENTION_DAYS: Final = 365
RETENTION_DAYS_MAX: Final = 730
RELEASE_EVERY_DAYS: Final = 30
RELEASE_EVERY_DAYS_MAX: Final = 60
"""Well below the 90 days that accepted rows are kept: one that waits longer would lapse and never be released."""
TITLE_LENGTH_MAX: Final = 100

HANDED_IN: Final = "handed-in/"
QUARANTINE: Final = "quarantine/"
ACCEPTED: Final = "datasets/"
"""Prefixes in the lake's raw bucket: files as uploaded, refused rows, and rows for the anonymiser."""


class DatasetClass(StrEnum):
    """What kind of system a dataset comes from. The lake's tag `amply-class` has the same values."""

    IOT = "iot"
    POS = "pos"
    CRM = "crm"
    WEB = "web"
    ERP = "erp"
    LOGS = "logs"
    CUSTOM = "custom"


class PolicyId(StrEnum):
    """By which rules a dataset is anonymised: k, l, and how much may be left out."""

    DEFAULT = "default-v2"


class FileFormat(StrEnum):
    """What a file is once it is unpacked. `json` is one array of objects, `jsonl` an object a line."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


class Compression(StrEnum):
    """What a file is packed by."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


_PLAIN: Final[Mapping[FileFormat, str]] = {
    FileFormat.JSONL: "application/x-ndjson",
    FileFormat.CSV: "text/csv",
    FileFormat.PARQUET: "application/vnd.apache.parquet",
    FileFormat.JSON: "application/json",
}
_PACKED: Final[Mapping[Compression, str]] = {
    Compression.GZIP: "application/gzip",
    Compression.ZSTD: "application/zstd",
}


def media_type_of(file_format: FileFormat, compression: Compression) -> str:
    """The media type that the upload form requires."""
    return _PACKED.get(compression) or _PLAIN[file_format]


class RowReason(StrEnum):
    """Why a row is in quarantine."""

    NOT_JSON = "not_json"
    NOT_CSV = "not_csv"
    NOT_AN_OBJECT = "not_an_object"
    NAME_TWICE = "name_twice"
    NOT_UTF8 = "not_utf8"
    NULL_CHARACTER = "null_character"
    LINE_TOO_LONG = "line_too_long"
    NESTED = "nested"
    CELLS_DIFFER = "cells_differ"
    UNKNOWN_COLUMN = "unknown_column"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    NOT_ONE_OF_THEM = "not_one_of_them"
    CELL_TOO_LONG = "cell_too_long"


class FileReason(StrEnum):
    """Why nothing of a file was accepted."""

    GONE = "gone"
    NOT_WHOLE = "not_whole"
    TOO_LARGE = "too_large"
    PACKED_TOO_DENSELY = "packed_too_densely"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_BAD_ROWS = "too_many_bad_rows"
    COLUMNS_DIFFER = "columns_differ"
    NOT_JSON = "not_json"
    UNREADABLE = "unreadable"
    NO_ROWS = "no_rows"
    NOT_READ = "not_read"


class FileRefused(Exception):
    """The file is refused as a whole; reading it again would not change that."""

    def __init__(self, why: FileReason) -> None:
        super().__init__(why.value)
        self.why = why


class JobState(StrEnum):
    """`awaited` until what was uploaded is submitted, `waiting` until it is read. `lapsed`: nothing was submitted in time."""

    AWAITED = "awaited"
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    LAPSED = "lapsed"


@dataclass(frozen=True, kw_only=True)
class PublishedDataset:
    """A dataset's definition at a version, for the release process.

    Attributes:
        policy: The anonymiser's policy document, as text.
        release_every_days: How often something is to be released.
    """

    dataset_id: str
    owner: str
    title: str
    kind: DatasetClass
    policy: str
    version: int
    release_every_days: int
    is_open: bool
    changed_at: datetime


class IntakeNotOffered(NotOffered):
    """No data is taken in by this environment: the capability is disabled."""

    code: ClassVar[str] = "intake_not_offered"


class IntakeNotYet(Conflict):
    """The organisation is not verified: it hands in nothing yet."""

    code: ClassVar[str] = "intake_not_yet"


class SourceNotAcceptable(InvalidRequest):
    """No source can be called so."""

    code: ClassVar[str] = "source_not_acceptable"


class SourceNotFound(NotFound):
    """The organisation has no such source."""

    code: ClassVar[str] = "source_not_found"


class TooManySources(Conflict):
    """There are as many sources as there may be."""

    code: ClassVar[str] = "too_many_sources"


class DatasetNotAcceptable(InvalidRequest):
    """The anonymiser could make nothing of a dataset like this."""

    code: ClassVar[str] = "dataset_not_acceptable"


class DatasetNotFound(NotFound):
    """The organisation has no such dataset."""

    code: ClassVar[str] = "dataset_not_found"


class DatasetTaken(Conflict):
    """Another dataset of the organisation has this title."""

    code: ClassVar[str] = "dataset_taken"


class DatasetClosed(Conflict):
    """The dataset takes nothing in."""

    code: ClassVar[str] = "dataset_closed"


class ColumnsAreFixed(Conflict):
    """Something was handed in already: names, types and order of a dataset's columns stay as they are."""

    code: ClassVar[str] = "columns_are_fixed"


class TooManyDatasets(Conflict):
    """There are as many datasets as there may be."""

    code: ClassVar[str] = "too_many_datasets"


class TooManyJobs(Conflict):
    """As many files as may wait are on their way."""

    code: ClassVar[str] = "too_many_jobs"


class JobNotFound(NotFound):
    """The organisation has no such job, or it is told of no more."""

    code: ClassVar[str] = "job_not_found"


class NothingUploaded(Conflict):
    """Nothing was uploaded for this job in time."""

    code: ClassVar[str] = "nothing_uploaded"


class ContentNotAcceptable(InvalidRequest):
    """What was handed in is empty, too large, or not in the encoding that it says."""

    code: ClassVar[str] = "content_not_acceptable"


class NoQuarantine(Conflict):
    """The job has no file of refused rows: it is not read yet, all its rows were accepted, or the file has lapsed."""

    code: ClassVar[str] = "no_quarantine"
