"""Worker task that reads submitted files. After a crash at any point, the next run writes the same files again."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from amply.infra.due_rows import MINUTE, work_off
from amply.infra.uploads import FORGOTTEN_AFTER
from amply.kernel.clock import Clock
from amply.modules.ingestion.dataset_sync import IngestionDependencies, columns_of
from amply.modules.ingestion.domain import (
    ACCEPTED,
    ATTEMPTS_MAX,
    KEPT,
    Compression,
    FileFormat,
    FileReason,
    FileRefused,
)
from amply.modules.ingestion.jobs import QUARANTINE_TYPE, quarantine_path
from amply.modules.ingestion.models import JobRow
from amply.modules.ingestion.output_files import PARQUET
from amply.modules.ingestion.reading import Reading, Shape

_BATCH_MAX: Final = 10
_AGAIN: Final = timedelta(minutes=10)
"""Longer than a file takes, so that one is not begun again while it is being read."""
NOT_READ: Final = "file_not_read"
GIVEN_UP: Final = "file_given_up"

_log = structlog.get_logger()


class NotedMeanwhile(Exception):
    """Another worker recorded the file's outcome: aborts the upload, so that these rows never become visible."""


def read_files(parts: IngestionDependencies, *, clock: Clock) -> int:
    """Read submitted files, and delete those no longer needed; return how many files were read completely.

    `clock`: files take minutes, so that each begins at a moment of its own.
    """
    read = work_off(
        parts.database,
        JobRow,
        JobRow.received_at.is_not(None),
        JobRow.finished_at.is_(None),
        JobRow.removed_at.is_(None),
        do=lambda row: _read(parts, row, now=clock()),
        most=_BATCH_MAX,
        now=clock,
        first_again=_AGAIN,
        turns=_turns(),
    )
    _tidy(parts, now=clock())
    return read


def _turns() -> tuple[ColumnElement[Any], ...]:
    """Organisations take turns: of each its first file, and of those the one whose organisation was read for the longest ago.

    What has failed counts for none of those behind it from its second attempt on, since it comes ever later.
    """
    before, read = aliased(JobRow), aliased(JobRow)
    own_before = (
        select(func.count())
        .where(
            before.organization_id == JobRow.organization_id,
            before.received_at.is_not(None),
            before.finished_at.is_(None),
            before.removed_at.is_(None),
            before.attempts <= 1,
            tuple_(before.received_at, before.id) < tuple_(JobRow.received_at, JobRow.id),
        )
        .correlate(JobRow)
        .scalar_subquery()
    )
    last_read = (
        select(func.max(read.finished_at))
        .where(read.organization_id == JobRow.organization_id)
        .correlate(JobRow)
        .scalar_subquery()
    )
    return own_before, last_read.nulls_first()


def accepted_path(row: JobRow) -> str:
    """The storage path of a file's accepted rows, derived from job and day, so unique to its contents."""
    return f"{ACCEPTED}{row.dataset_id}/dt={row.created_at.date().isoformat()}/{row.id}.parquet"


def _read(parts: IngestionDependencies, row: JobRow, *, now: datetime) -> int:
    """Read one; whatever stops this one must not stop the others."""
    try:
        outcome = _outcome(parts, row)
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.warning(NOT_READ, job_id=row.id, attempts=row.attempts, reason=type(error).__name__)
        return 0
    return _note(parts, row, now=now, outcome=outcome)


def _outcome(parts: IngestionDependencies, row: JobRow) -> Mapping[str, Any]:
    """What became of a file. Nobody is told that nothing was accepted while its rows can be seen."""
    is_given_up = row.attempts > ATTEMPTS_MAX
    if is_given_up:
        # Before any request to the bucket: if it fails permanently, an alarm must still ring.
        # Attempts are counted before reading, since a file that crashes the process never finishes.
        _log.error(GIVEN_UP, job_id=row.id)
    if row.rows_read is not None and (not row.rows_accepted or parts.bucket.has(accepted_path(row))):
        # It was read completely, but the process died before recording that.
        return _rows(row.rows_read, row.rows_quarantined or 0, row.reasons)
    if is_given_up:
        return _refused(FileReason.NOT_READ)
    return _taken(parts, row)


def _rows(read: int, quarantined: int, reasons: Mapping[str, int]) -> dict[str, Any]:
    return {
        "rows_read": read,
        "rows_accepted": read - quarantined,
        "rows_quarantined": quarantined,
        "reasons": dict(reasons),
    }


def _refused(why: FileReason, reasons: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Without the numbers of a former reading, whose rows never came to be seen."""
    none = dict.fromkeys(("rows_read", "rows_accepted", "rows_quarantined"))
    return {**none, "refused": why.value, "reasons": dict(reasons or {})}


def _taken(parts: IngestionDependencies, row: JobRow) -> Mapping[str, Any]:
    """Read a file, write what is refused and what is accepted, and return what is to be noted of it."""
    shape = Shape(
        format=FileFormat(row.format),
        compression=Compression(row.compression),
        columns=columns_of(parts.database, dataset_id=row.dataset_id, version=row.schema_version),
    )
    reading: Reading | None = None
    try:
        with ExitStack() as opened:
            file = opened.enter_context(parts.bucket.open(row.object_key, version=row.object_version))
            reading = Reading(
                file,
                shape,
                open_parquet=lambda packed, names: opened.enter_context(parts.parquet.open(packed, names)),
            )
            _write(parts, row, reading)
    except FileRefused as refused:
        _log.info("file_refused", job_id=row.id, reason=refused.why.value)
        if reading is None:
            return _refused(refused.why)
        _write_quarantine(parts, row, reading)
        return _refused(refused.why, reading.reasons)
    return _rows(reading.read, reading.quarantined, reading.reasons)


def _write(parts: IngestionDependencies, row: JobRow, reading: Reading) -> None:
    """Accepted rows are the last to be seen: after the refused ones, and after the numbers of both are kept."""
    pieces = reading.accepted()
    first = next(pieces, None)
    if first is None:
        _write_quarantine(parts, row, reading)
        return

    def all_and_then_the_rest() -> Iterator[bytes]:
        yield first
        yield from pieces
        _write_quarantine(parts, row, reading)
        _keep(parts, row, reading)

    parts.bucket.write(accepted_path(row), all_and_then_the_rest(), media_type=PARQUET)


def _write_quarantine(parts: IngestionDependencies, row: JobRow, reading: Reading) -> None:
    """Keep refused rows for whoever may look at them."""
    if reading.quarantined:
        path = quarantine_path(organization_id=row.organization_id, dataset_id=row.dataset_id, job_id=row.id)
        parts.bucket.write(path, [reading.refused_rows()], media_type=QUARANTINE_TYPE)


def _keep(parts: IngestionDependencies, row: JobRow, reading: Reading) -> None:
    """What is to be noted once the rows can be seen, should this process not come to it."""
    with parts.database.transaction() as session:
        kept = session.execute(
            update(JobRow)
            .where(JobRow.id == row.id, JobRow.finished_at.is_(None))
            .values(**_rows(reading.read, reading.quarantined, reading.reasons))
            .returning(JobRow.id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    if kept is None:
        # Raised during the upload, it aborts that before the object exists.
        raise NotedMeanwhile


def _note(parts: IngestionDependencies, row: JobRow, *, now: datetime, outcome: Mapping[str, Any]) -> int:
    """Once: of two who read the same file the first one's outcome stands, and the other's is the same."""
    with parts.database.transaction() as session:
        noted = session.execute(
            update(JobRow)
            .where(JobRow.id == row.id, JobRow.finished_at.is_(None))
            .values(**outcome, finished_at=now, next_attempt_at=now, attempts=0)
            .returning(JobRow.id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    return int(noted is not None)


def _tidy(parts: IngestionDependencies, *, now: datetime) -> None:
    """Take away files as they came, once they are read or nobody submitted them; forget jobs that are long over."""
    work_off(
        parts.database,
        JobRow,
        JobRow.gone_at.is_(None),
        or_(
            JobRow.finished_at.is_not(None),
            JobRow.removed_at.is_not(None),
            JobRow.received_at.is_(None) & (JobRow.expires_at < now - FORGOTTEN_AFTER),
        ),
        do=partial(_take_out, parts, now=now),
        most=_BATCH_MAX,
        now=now,
        first_again=MINUTE,
    )
    with parts.database.transaction() as session:
        session.execute(delete(JobRow).where(JobRow.gone_at < now - KEPT))


def _take_out(parts: IngestionDependencies, row: JobRow, *, now: datetime) -> int:
    """Take one out; whatever stops this one must not stop the others."""
    try:
        # Delete the bytes first: after a crash in between, the row still says what is left to do.
        parts.bucket.take_away(row.object_key)
        with parts.database.transaction() as session:
            _note_gone(session, row, now=now)
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("file_not_taken_away", job_id=row.id)
        return 0
    return 1


def _note_gone(session: Session, row: JobRow, *, now: datetime) -> None:
    session.execute(
        update(JobRow)
        .where(JobRow.id == row.id)
        .values(gone_at=now)
        .execution_options(synchronize_session=False)
    )
