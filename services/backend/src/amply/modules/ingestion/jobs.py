"""Ingestion jobs (one file each), for an organisation's members and API keys. Each statement checks the permission."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import Session

from amply.infra import idempotency, outbox
from amply.infra.keyset import Order
from amply.infra.uploads import FORGOTTEN_AFTER, NAME_BYTES, TAKEN_UP_WITHIN, UPLOAD_WITHIN, Upload
from amply.kernel import ids
from amply.kernel.pagination import Page
from amply.modules import audit
from amply.modules.access import Access, look_at_upload, take_up
from amply.modules.audit import Action
from amply.modules.ingestion import datasets, sources
from amply.modules.ingestion.domain import (
    HANDED_IN,
    INLINE_BYTES_MAX,
    JOBS_WAITING_MAX,
    LINK_LASTS,
    QUARANTINE,
    QUARANTINE_KEPT,
    UPLOAD_BYTES_MAX,
    Compression,
    ContentNotAcceptable,
    DatasetClosed,
    FileFormat,
    FileReason,
    JobNotFound,
    JobState,
    NoQuarantine,
    NothingUploaded,
    TooManyJobs,
    media_type_of,
)
from amply.modules.ingestion.models import JobRow
from amply.modules.ingestion.ports import Intake

TOPIC_SUBMITTED: Final = "ingestion.submitted"
QUARANTINE_TYPE: Final = "application/gzip"

_NEWEST: Final = Order(name="jobs", columns=(JobRow.created_at, JobRow.id), descending=True)


@dataclass(frozen=True, kw_only=True)
class Job:
    """An ingestion job's state. Row counts are set once the file was read."""

    id: str
    dataset_id: str
    schema_version: int
    format: FileFormat
    compression: Compression
    state: JobState
    rows_read: int | None
    rows_accepted: int | None
    rows_quarantined: int | None
    reasons: Mapping[str, int]
    refused: FileReason | None
    has_quarantine: bool
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class JobWithUpload:
    """A job with its upload form, while uploading is allowed."""

    job: Job
    upload: Upload | None


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A job to create; None: the dataset's default."""

    dataset_id: str
    format: FileFormat | None
    compression: Compression | None


@dataclass(frozen=True, kw_only=True)
class RefusedRowsLink:
    """A download link to a file's refused rows."""

    url: str
    filename: str
    expires_at: datetime


def quarantine_path(*, organization_id: str, dataset_id: str, job_id: str) -> str:
    """The storage path of a file's refused rows, the same for every attempt."""
    return f"{QUARANTINE}{organization_id}/{dataset_id}/{job_id}.jsonl.gz"


def init(access: Access, intake: Intake, *, key: str | None, wanted: JobRequest) -> JobWithUpload:
    """Create a job with an upload form. Idempotent by key.

    Raises:
        OrganizationHidden: No organisation has this id.
        IntakeNotYet: The organisation is not verified: it hands in nothing yet.
        DatasetNotFound: The organisation has no such dataset.
        DatasetClosed: The dataset takes nothing in.
        TooManyJobs: As many files as may wait are on their way.
        IdempotencyKeyMissing: The route moves money, or takes a file in, and came without a usable `Idempotency-Key`.
        IdempotencyKeyReused: The key was used before with another request.
    """
    with access.transaction() as session:
        row = _begun(session, access, scope="init", key=idempotency.check_key(key), wanted=wanted, more={})
    left = row.expires_at - access.now
    if row.received_at is not None or left.total_seconds() < 1:
        return JobWithUpload(job=job_of(row, now=access.now), upload=None)
    upload = intake.offer(
        row.object_key, media_type=row.media_type, bytes_max=UPLOAD_BYTES_MAX, lifetime=left
    )
    return JobWithUpload(job=job_of(row, now=access.now), upload=upload)


def submit_uploaded(access: Access, intake: Intake, *, job_id: str) -> Job:
    """Submit an uploaded file for reading. Idempotent.

    Raises:
        JobNotFound: There is none of this id.
        NothingUploaded: Nothing is there.
        ContentNotAcceptable: It is larger than it may be.
    """
    with access.transaction() as session:
        row = _found(session, access, job_id)
    if row.received_at is not None or row.removed_at is not None:
        return job_of(row, now=access.now)
    return _received(access, intake, row)


def submit_content(
    access: Access,
    intake: Intake,
    *,
    key: str | None,
    wanted: JobRequest,
    content: str,
    encoding: Literal["text", "base64"],
) -> Job:
    """Submit a file sent in the request. Idempotent by key.

    Raises:
        As `init`, and ContentNotAcceptable: It is empty, too large or not what its encoding says.
    """
    whole = _decoded(content, encoding)
    with access.transaction() as session:
        row = _begun(
            session,
            access,
            scope="submit",
            key=idempotency.check_key(key),
            wanted=wanted,
            more={"content": content, "encoding": encoding},
        )
    if row.received_at is not None or row.removed_at is not None:
        return job_of(row, now=access.now)
    intake.put(row.object_key, whole, media_type=row.media_type)
    return _received(access, intake, row)


def find(session: Session, access: Access, *, job_id: str) -> Job:
    """One of the organisation's.

    Raises:
        JobNotFound: It has none of this id.
    """
    return job_of(_found(session, access, job_id), now=access.now)


def listed(
    session: Session, access: Access, *, dataset_id: str | None, cursor: str | None, limit: int
) -> Page[Job]:
    """The organisation's jobs, or those of one dataset, newest first.

    Raises:
        CursorNotAcceptable: The cursor is none of this list.
    """
    chosen = select(JobRow).where(access.covers(JobRow.organization_id))
    if dataset_id is not None:
        chosen = chosen.where(JobRow.dataset_id == dataset_id)
    rows = session.scalars(_NEWEST.page(chosen, cursor=cursor, limit=limit)).all()
    return Page(
        items=[job_of(row, now=access.now) for row in rows[:limit]],
        next_cursor=_NEWEST.next_cursor(rows, limit=limit),
    )


def link(access: Access, intake: Intake, *, job_id: str) -> RefusedRowsLink:
    """A download link to refused rows; recorded in the audit log.

    Raises:
        JobNotFound: There is none of this id.
        NoQuarantine: It has no such file.
    """
    with access.transaction() as session:
        job = find(session, access, job_id=job_id)
        if not job.has_quarantine:
            raise NoQuarantine("There are no refused rows to fetch: look at how the job stands.")
        audit.record_by(session, access, Action.QUARANTINE_READ, job_id, reason=job.dataset_id)
    filename = f"refused-{job_id}.jsonl.gz"
    path = quarantine_path(organization_id=access.organization_id, dataset_id=job.dataset_id, job_id=job_id)
    url = intake.link(path, filename=filename, media_type=QUARANTINE_TYPE, lasts=LINK_LASTS)
    return RefusedRowsLink(url=url, filename=filename, expires_at=access.now + LINK_LASTS)


def job_of(row: JobRow, *, now: datetime) -> Job:
    """The job a row tells of."""
    state = _state(row, now=now)
    is_kept = row.finished_at is not None and now < row.finished_at + QUARANTINE_KEPT
    # Until then, the counts belong to a run whose files may not exist yet.
    has_rows = row.finished_at is not None
    return Job(
        id=row.id,
        dataset_id=row.dataset_id,
        schema_version=row.schema_version,
        format=FileFormat(row.format),
        compression=Compression(row.compression),
        state=state,
        rows_read=row.rows_read if has_rows else None,
        rows_accepted=row.rows_accepted if has_rows else None,
        rows_quarantined=row.rows_quarantined if has_rows else None,
        reasons=row.reasons if has_rows else {},
        refused=None if row.refused is None else FileReason(row.refused),
        has_quarantine=is_kept and bool(row.reasons),
        created_at=row.created_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
    )


def _state(row: JobRow, *, now: datetime) -> JobState:
    if row.refused is not None or row.removed_at is not None:
        return JobState.REFUSED
    if row.finished_at is not None:
        return JobState.DONE
    if row.received_at is not None:
        return JobState.WAITING
    return JobState.LAPSED if now > row.expires_at + TAKEN_UP_WITHIN else JobState.AWAITED


def _begun(
    session: Session, access: Access, *, scope: str, key: str, wanted: JobRequest, more: Mapping[str, Any]
) -> JobRow:
    """The job of this key: a new one, or the one that it stands for already."""
    sources.hold_verified(session, access)
    job_id = ids.new_id("job")
    body = {
        "dataset_id": wanted.dataset_id,
        "format": wanted.format,
        "compression": wanted.compression,
        **more,
    }
    earlier = idempotency.claim(
        session,
        scope=f"ingest.{scope}/{access.organization_id}",
        key=key,
        body=body,
        resource_id=job_id,
        now=access.now,
    )
    if earlier is not None:
        return _found(session, access, earlier.resource_id)
    # Whoever changes the columns at this moment goes before, or after: never while a file of the former ones begins.
    dataset = datasets.find(session, access, dataset_id=wanted.dataset_id, to_change=True)
    if not dataset.is_open:
        raise DatasetClosed(
            "This dataset takes nothing in: open it again, or use another one.", param="dataset_id"
        )
    _require_room(session, access)
    _insert(session, access, job_id, dataset, wanted)
    audit.record_by(session, access, Action.FILE_BEGUN, job_id, reason=dataset.id)
    return _found(session, access, job_id)


def _insert(
    session: Session, access: Access, job_id: str, dataset: datasets.Dataset, wanted: JobRequest
) -> None:
    """What is not said of the file is as the dataset has it."""
    file_format = wanted.format or dataset.said.format
    compression = wanted.compression or dataset.said.compression
    session.execute(
        insert(JobRow).values(
            id=job_id,
            organization_id=access.organization_id,
            dataset_id=dataset.id,
            schema_version=dataset.schema_version,
            format=file_format,
            compression=compression,
            media_type=media_type_of(file_format, compression),
            object_key=f"{HANDED_IN}{access.organization_id}/{job_id}/{secrets.token_urlsafe(NAME_BYTES)}",
            added_by=access.person_id or access.key_id or "",
            created_at=access.now,
            expires_at=access.now + UPLOAD_WITHIN,
            next_attempt_at=access.now,
        )
    )


def _require_room(session: Session, access: Access) -> None:
    """So that one organisation's files keep no other's waiting for long."""
    counted = select(func.count()).where(
        JobRow.finished_at.is_(None),
        JobRow.removed_at.is_(None),
        or_(JobRow.received_at.is_not(None), JobRow.expires_at > access.now - FORGOTTEN_AFTER),
        access.covers(JobRow.organization_id),
    )
    if session.scalars(counted).one() >= JOBS_WAITING_MAX:
        raise TooManyJobs(f"{JOBS_WAITING_MAX} files are on their way: wait until one of them is read.")


def _received(access: Access, intake: Intake, row: JobRow) -> Job:
    """Take up what lies there, once."""
    stored = look_at_upload(intake, row, now=access.now)
    if stored is None:
        raise NothingUploaded("Nothing was uploaded in time: begin again, and post the file to the form.")
    is_good = stored.size_bytes <= UPLOAD_BYTES_MAX
    with access.transaction() as session:
        if take_up(
            session,
            access,
            JobRow,
            row_id=row.id,
            stored=stored,
            is_good=is_good,
            # It queues from now, not from when the job was created.
            also={"next_attempt_at": access.now},
        ):
            audit.record_by(session, access, Action.FILE_SUBMITTED, row.id, reason=row.dataset_id)
            if is_good:
                outbox.put(session, topic=TOPIC_SUBMITTED, payload={"job_id": row.id}, now=access.now)
        if is_good:
            return find(session, access, job_id=row.id)
    raise ContentNotAcceptable(f"Send at most {UPLOAD_BYTES_MAX} bytes, in several files.", param="job_id")


def _found(session: Session, access: Access, job_id: str) -> JobRow:
    row = session.scalars(
        select(JobRow)
        .where(JobRow.id == job_id, access.covers(JobRow.organization_id))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise JobNotFound("There is no such job, or not any more; ask for the list of those there are.")
    return row


def _decoded(content: str, encoding: Literal["text", "base64"]) -> bytes:
    try:
        whole = content.encode() if encoding == "text" else base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise ContentNotAcceptable("Send content that is what 'encoding' says.", param="content") from None
    if not 0 < len(whole) <= INLINE_BYTES_MAX:
        raise ContentNotAcceptable(
            f"Send 1 to {INLINE_BYTES_MAX} bytes with a request; upload what is larger.", param="content"
        )
    return whole
