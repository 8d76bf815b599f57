"""Kinds, formats and states of export files."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from amply.kernel.errors import Conflict, InvalidRequest, NotFound, NotOffered

KEPT: Final = timedelta(days=7)
"""Lifetime of a file since its request; the bucket's lifecycle rule deletes it."""

LINK_LASTS: Final = timedelta(minutes=5)
ATTEMPTS_MAX: Final = 5


class ExportKind(StrEnum):
    """Of what: gifts as the organisation sees them, its published ledger, its payouts."""

    GIFTS = "gifts"
    LEDGER = "ledger"
    PAYOUTS = "payouts"


class ExportFormat(StrEnum):
    """`accounting` is of payouts alone: the journals of all that are reconciled, for Xero."""

    CSV = "csv"
    PARQUET = "parquet"
    ACCOUNTING = "accounting"

    @property
    def suffix(self) -> str:
        """The file name's suffix."""
        return "parquet" if self is ExportFormat.PARQUET else "csv"

    @property
    def media_type(self) -> str:
        """The media type."""
        return "application/vnd.apache.parquet" if self is ExportFormat.PARQUET else "text/csv; charset=utf-8"


class ExportState(StrEnum):
    """Waiting until the worker has made it; failed where it could not, where whoever asked may not any more,
    and where a donor in it was forgotten since.
    """

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """A request for an export: from `since` (inclusive) to `before` (exclusive), UTC; None: unbounded.

    Raises:
        ExportNotAcceptable: There is no such file, or the period ends before it begins.
    """

    kind: ExportKind
    format: ExportFormat
    since: datetime | None = None
    before: datetime | None = None

    def __post_init__(self) -> None:
        if self.format is ExportFormat.ACCOUNTING and self.kind is not ExportKind.PAYOUTS:
            raise ExportNotAcceptable("Journals are made of payouts: ask for kind 'payouts'.", param="format")
        if self.since is not None and self.before is not None and self.before <= self.since:
            raise ExportNotAcceptable("Let the period end after it begins.", param="before")


@dataclass(frozen=True, kw_only=True)
class Export:
    """An export file. `names_donors`: it identifies donors."""

    id: str
    organization_id: str
    wanted: ExportRequest
    names_donors: bool
    state: ExportState
    rows: int | None
    bytes: int | None
    sha256: str | None
    created_at: datetime
    ready_at: datetime | None
    expires_at: datetime

    @property
    def filename(self) -> str:
        """The download's file name."""
        return f"{self.wanted.kind}-{self.id}.{self.wanted.format.suffix}"


def path_of(*, organization_id: str, export_id: str) -> str:
    """A file's storage path, the same for every attempt, so that there is never a second file."""
    return f"organisations/{organization_id}/{export_id}"


class ExportNotAcceptable(InvalidRequest):
    """There is no such file to be made."""

    code: ClassVar[str] = "export_not_acceptable"


class ExportNotFound(NotFound):
    """The organisation has no such file, it has expired, or it is not for whoever asks."""

    code: ClassVar[str] = "export_not_found"


class ExportNotReady(Conflict):
    """The file is not made yet, or could not be."""

    code: ClassVar[str] = "export_not_ready"


class ExportsNotOffered(NotOffered):
    """No files are made in this environment."""

    code = "exports_not_offered"
