"""Reading what was handed in: the worker's part. Killed anywhere, the next look reads the same bytes and writes the same files."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Final

import structlog
from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from amply.infra.due_rows import MINUTE, work_off
from amply.infra.uploads import FORGOTTEN_AFTER
from amply.modules.ingestion.accepted import PARQUET
from amply.modules.ingestion.domain import (
    ACCEPTED,
    ATTEMPTS_MAX,
    KEPT,
    Compression,
    FileFormat,
    FileReason,
    Refused,
)
from amply.modules.ingestion.jobs import QUARANTINE_TYPE, quarantine_path
from amply.modules.ingestion.models import JobRow
from amply.modules.ingestion.reading import Reading, Shape
from amply.modules.ingestion.telling import Taking, columns_of

_BATCH_MAX: Final = 10
_AGAIN: Final = timedelta(minutes=10)
"""Longer than a file takes, so that one is not begun again while it is being read."""

_log = structlog.get_logger()


def read_files(parts: Taking, *, now: datetime) -> int:
    """Read what was submitted, and take away what nobody needs any more; return how many files have been read to their end."""
    read = work_off(
        parts.database,
        JobRow,
        JobRow.received_at.is_not(None),
        JobRow.finished_at.is_(None),
        JobRow.removed_at.is_(None),
        do=partial(_read, parts, now=now),
        most=_BATCH_MAX,
        now=now,
        first_again=_AGAIN,
    )
    _tidy(parts, now=now)
    return read


def accepted_path(row: JobRow) -> str:
    """Where a file's accepted rows are: made from the job and its day, and so of what was handed in by it and nothing else."""
    return f"{ACCEPTED}{row.dataset_id}/dt={row.created_at.date().isoformat()}/{row.id}.parquet"


def _read(parts: Taking, row: JobRow, *, now: datetime) -> int:
    """Read one; whatever stops this one must not stop the others."""
    if row.attempts > ATTEMPTS_MAX:
        # What brings the process down never comes to the end of this function.
        return _note(parts, row, now=now, outcome={"refused": FileReason.NOT_READ.value})
    try:
        outcome = _taken(parts, row)
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.warning("file_not_read", job_id=row.id, attempts=row.attempts, reason=type(error).__name__)
        if row.attempts < ATTEMPTS_MAX:
            return 0
        outcome = {"refused": FileReason.NOT_READ.value}
    return _note(parts, row, now=now, outcome=outcome)


def _taken(parts: Taking, row: JobRow) -> Mapping[str, Any]:
    """Read a file, write what is accepted and what is refused, and return what is to be noted of it."""
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
            _write_accepted(parts, row, reading)
    except Refused as refused:
        _log.info("file_refused", job_id=row.id, reason=refused.why.value)
        return {
            "refused": refused.why.value,
            "reasons": {} if reading is None else _quarantined(parts, row, reading),
        }
    return {
        "rows_read": reading.read,
        "rows_accepted": reading.read - reading.quarantined,
        "rows_quarantined": reading.quarantined,
        "reasons": _quarantined(parts, row, reading),
    }


def _write_accepted(parts: Taking, row: JobRow, reading: Reading) -> None:
    pieces = reading.accepted()
    first = next(pieces, None)
    if first is not None:
        parts.bucket.write(accepted_path(row), chain([first], pieces), media_type=PARQUET)


def _quarantined(parts: Taking, row: JobRow, reading: Reading) -> dict[str, int]:
    """Keep refused rows for whoever may look at them; return why they were refused."""
    if reading.quarantined:
        path = quarantine_path(organization_id=row.organization_id, dataset_id=row.dataset_id, job_id=row.id)
        parts.bucket.write(path, [reading.refused_rows()], media_type=QUARANTINE_TYPE)
    return dict(reading.reasons)


def _note(parts: Taking, row: JobRow, *, now: datetime, outcome: Mapping[str, Any]) -> int:
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


def _tidy(parts: Taking, *, now: datetime) -> None:
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


def _take_out(parts: Taking, row: JobRow, *, now: datetime) -> int:
    """Take one out; whatever stops this one must not stop the others."""
    try:
        # First the bytes: where this dies in between, the row says what is left to do.
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
