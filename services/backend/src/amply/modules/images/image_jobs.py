"""Worker task that re-encodes uploaded images. Safe to run concurrently, repeatedly, in any order, or after a crash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.infra.due_rows import MINUTE, work_off
from amply.infra.uploads import FORGOTTEN_AFTER
from amply.modules import organizations
from amply.modules.access import hold_organization, note_gone
from amply.modules.images.domain import (
    ATTEMPTS_MAX,
    FILES_KEPT,
    SHAPES,
    GeneratedFile,
    ImageRefused,
    Refusal,
    folder_of,
)
from amply.modules.images.models import ImageRow
from amply.modules.images.ports import ImageProcessor, ImageStore
from amply.modules.organizations import Picture, PictureFile, PictureKind

_BATCH_MAX: Final = 10

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class ImageJobs:
    """Dependencies of generating images."""

    database: Database
    store: ImageStore
    processor: ImageProcessor


def make_images(parts: ImageJobs, *, now: datetime) -> int:
    """Process pending uploads, and delete files no longer shown; return how many pictures were published."""
    shown = work_off(
        parts.database,
        ImageRow,
        ImageRow.received_at.is_not(None),
        ImageRow.made_at.is_(None),
        ImageRow.refused.is_(None),
        ImageRow.removed_at.is_(None),
        do=partial(_make, parts, now=now),
        most=_BATCH_MAX,
        first_again=MINUTE,
        now=now,
    )
    _let_go(parts, now=now)
    return shown


def _make(parts: ImageJobs, row: ImageRow, *, now: datetime) -> int:
    """Make one; whatever stops this one must not stop the others."""
    try:
        made = parts.processor.make(_read(parts.store, row), SHAPES[PictureKind(row.kind)])
        files = _published(parts.store, row, made)
        is_shown = _show(parts.database, row, files, now=now)
    except ImageRefused as refused:
        _refuse(parts.database, row, refused.why)
        is_shown = False
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.warning("image_not_made", image_id=row.id, reason=type(error).__name__)
        if row.attempts < ATTEMPTS_MAX:
            return 0
        _refuse(parts.database, row, Refusal.NOT_MADE)
        is_shown = False
    # It may hold what nobody meant to send, such as where it was taken. Where this fails, the bucket forgets it in a day.
    try:
        parts.store.take_away(row.object_key)
    except Exception:  # noqa: BLE001 -- what became of it is noted: it holds back no other
        _log.exception("image_not_taken_away", image_id=row.id)
    return int(is_shown)


def _read(store: ImageStore, row: ImageRow) -> bytes:
    content = store.read(row.object_key, version=row.object_version)
    if content is None:
        raise ImageRefused(Refusal.GONE)
    return content


def _published(store: ImageStore, row: ImageRow, made: Sequence[GeneratedFile]) -> list[PictureFile]:
    """Before anybody is told of them."""
    files = [each.file(row.id) for each in made]
    for file, each in zip(files, made, strict=True):
        store.publish(file.path, each.content, media_type=each.media_type)
    return files


def _show(database: Database, row: ImageRow, files: Sequence[PictureFile], *, now: datetime) -> bool:
    """Show it in place of the one before. Not if it was removed meanwhile, or a newer one is shown already."""
    kind = PictureKind(row.kind)
    of_kind = (
        ImageRow.organization_id == row.organization_id,
        ImageRow.kind == kind,
        ImageRow.removed_at.is_(None),
    )
    with database.transaction() as session:
        hold_organization(session, row.organization_id)
        newer = select(ImageRow.id).where(*of_kind, ImageRow.id > row.id, ImageRow.made_at.is_not(None))
        is_late = session.scalars(newer.limit(1)).first() is not None
        changed = _note(session, row, {"made_at": now, **({"removed_at": now} if is_late else {})})
        if not changed or is_late:
            return False
        # What was refused before has been answered by this one.
        session.execute(
            update(ImageRow)
            .where(
                *of_kind,
                ImageRow.id < row.id,
                or_(ImageRow.made_at.is_not(None), ImageRow.refused.is_not(None)),
            )
            .values(removed_at=now)
            .execution_options(synchronize_session=False)
        )
        # What it shows may have been said anew while it was made.
        alt = session.scalars(select(ImageRow.alt).where(ImageRow.id == row.id)).one()
        picture = Picture(id=row.id, alt=alt, files=tuple(files))
        organizations.show_picture(session, organization_id=row.organization_id, kind=kind, picture=picture)
    return True


def _refuse(database: Database, row: ImageRow, why: Refusal) -> None:
    _log.info("image_refused", image_id=row.id, reason=why.value)
    with database.transaction() as session:
        _note(session, row, {"refused": why.value})


def _note(session: Session, row: ImageRow, outcome: dict[str, object]) -> bool:
    """Once, and only while it is still wanted."""
    changed = session.execute(
        update(ImageRow)
        .where(
            ImageRow.id == row.id,
            ImageRow.made_at.is_(None),
            ImageRow.refused.is_(None),
            ImageRow.removed_at.is_(None),
        )
        .values(**outcome)
        .returning(ImageRow.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return changed is not None


def _let_go(parts: ImageJobs, *, now: datetime) -> None:
    """Forget uploads that never came, and take away the files of what has not been shown for a day."""
    work_off(
        parts.database,
        ImageRow,
        or_(
            ImageRow.received_at.is_(None) & (ImageRow.expires_at < now - FORGOTTEN_AFTER),
            (ImageRow.removed_at < now - FILES_KEPT) & ImageRow.gone_at.is_(None),
        ),
        do=partial(_take_out, parts, now=now),
        most=_BATCH_MAX,
        first_again=MINUTE,
        now=now,
    )


def _take_out(parts: ImageJobs, row: ImageRow, *, now: datetime) -> int:
    """Take one out; whatever stops this one must not stop the others."""
    try:
        # Delete the bytes first: after a crash in between, the row still says what is left to do.
        parts.store.take_away(row.object_key)
        parts.store.withdraw(folder_of(row.id))
        with parts.database.transaction() as session:
            note_gone(session, ImageRow, row, now=now)
    except Exception:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.exception("image_not_taken_away", image_id=row.id)
        return 0
    return 1
