"""Shared storage of uploads by members (`infra/uploads`): documents, images and ingestion files."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from amply.infra.orm import Record
from amply.infra.uploads import TAKEN_UP_WITHIN, StoredUpload, UploadStore
from amply.modules.access.grants import Access


class UploadedRow(Record):
    """Base of uploads' rows. `expires_at`: end of the form. `received_at`: the bytes are there and of the declared type."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    media_type: Mapped[str]
    object_key: Mapped[str]
    object_version: Mapped[str | None]
    added_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    size_bytes: Mapped[int | None]
    removed_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]


Row = TypeVar("Row", bound=UploadedRow)


def look_at_upload(shelf: UploadStore, row: UploadedRow, *, now: datetime) -> StoredUpload | None:
    """Inspect an upload that arrived in time. Later ones are deleted by the worker, which never overlaps."""
    return None if now > row.expires_at + TAKEN_UP_WITHIN else shelf.look(row.object_key)


def take_up(
    session: Session,
    access: Access,
    kind: type[Row],
    *,
    row_id: str,
    stored: StoredUpload,
    is_good: bool,
    also: Mapping[str, object] = MappingProxyType({}),
) -> bool:
    """Accept or reject an upload; return whether this call decided. Expires the session's objects.

    `also`: values of the kind's own columns, of what is taken up.
    """
    taken = {
        "received_at": access.now,
        "size_bytes": stored.size_bytes,
        "object_version": stored.version,
        **also,
    }
    changed = session.execute(
        update(kind)
        .where(
            kind.id == row_id,
            kind.received_at.is_(None),
            kind.removed_at.is_(None),
            access.covers(kind.organization_id),
        )
        .values(**(taken if is_good else {"removed_at": access.now}))
        .returning(kind.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.expire_all()
    return changed is not None


def uploads_there(session: Session, access: Access, kind: type[Row]) -> Sequence[Row]:
    """Uploaded and expected files, oldest first."""
    return session.scalars(select(kind).where(*_there(access, kind)).order_by(kind.id)).all()


def upload_there(session: Session, access: Access, kind: type[Row], *, row_id: str) -> Row | None:
    """One file in its current state; None if it does not exist or was removed."""
    return session.scalars(
        select(kind).where(kind.id == row_id, *_there(access, kind)).execution_options(populate_existing=True)
    ).one_or_none()


def count_there(session: Session, access: Access, kind: type[Row]) -> int:
    """Count uploaded and expected files."""
    return session.scalars(select(func.count()).where(*_there(access, kind))).one()


def remove_upload(session: Session, access: Access, kind: type[Row], *, row_id: str) -> None:
    """Remove a file from view at commit; the worker deletes its bytes."""
    session.execute(
        update(kind)
        .where(kind.id == row_id, access.covers(kind.organization_id))
        .values(removed_at=access.now)
        .execution_options(synchronize_session=False)
    )


def note_gone(session: Session, kind: type[Row], row: Row, *, now: datetime) -> None:
    """Record that a file's bytes were deleted; an upload that never arrived is forgotten."""
    if row.received_at is None:
        session.execute(delete(kind).where(kind.id == row.id, kind.received_at.is_(None)))
    else:
        session.execute(update(kind).where(kind.id == row.id).values(gone_at=now))


def _there(access: Access, kind: type[Row]) -> tuple[ColumnElement[bool], ...]:
    return kind.removed_at.is_(None), access.covers(kind.organization_id)
