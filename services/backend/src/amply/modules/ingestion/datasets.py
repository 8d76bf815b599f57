"""An organisation's datasets: file format and columns. Each statement checks the permission."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from amply.infra import outbox
from amply.infra.keyset import Order
from amply.kernel import ids
from amply.kernel.pagination import Page
from amply.modules import audit
from amply.modules.access import Access
from amply.modules.audit import Action
from amply.modules.ingestion import sources
from amply.modules.ingestion.columns import Column, check, in_clear, names_and_types
from amply.modules.ingestion.domain import (
    DATASETS_MAX,
    ColumnsAreFixed,
    Compression,
    DatasetClass,
    DatasetNotFound,
    DatasetTaken,
    FileFormat,
    PolicyId,
    TooManyDatasets,
)
from amply.modules.ingestion.models import DatasetRow, JobRow, SchemaRow

TOPIC_CHANGED: Final = "ingestion.dataset_changed"

_NEWEST: Final = Order(name="datasets", columns=(DatasetRow.created_at, DatasetRow.id), descending=True)
_WITH_COLUMNS: Final = select(DatasetRow, SchemaRow.columns).join(
    SchemaRow, (SchemaRow.dataset_id == DatasetRow.id) & (SchemaRow.version == DatasetRow.schema_version)
)


@dataclass(frozen=True, kw_only=True)
class DatasetDefinition:
    """A dataset as its organisation defines it."""

    source_id: str
    title: str
    kind: DatasetClass
    format: FileFormat
    compression: Compression
    columns: tuple[Column, ...]
    policy_id: PolicyId
    retention_days: int
    release_every_days: int


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset. `schema_version` is the version of its columns."""

    id: str
    said: DatasetDefinition
    schema_version: int
    is_open: bool
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Changes to a dataset; None leaves a value as it is."""

    title: str | None = None
    columns: tuple[Column, ...] | None = None
    retention_days: int | None = None
    release_every_days: int | None = None
    is_open: bool | None = None


def add(session: Session, access: Access, *, said: DatasetDefinition) -> Dataset:
    """Create a dataset, or return an existing one with the same definition.

    Raises:
        OrganizationHidden: No organisation has this id.
        IntakeNotYet: The organisation is not verified: it hands in nothing yet.
        DatasetNotAcceptable: The anonymiser could make nothing of a dataset like this.
        SourceNotFound: The organisation has no such source.
        DatasetTaken: Another one has this title.
        TooManyDatasets: There are a hundred.
    """
    said = replace(said, title=sources.line_of(said.title))
    sources.hold_verified(session, access)
    sources.require(session, access, source_id=said.source_id)
    earlier = _titled(session, access, said.title)
    if earlier is not None and earlier.said == said:
        # Whatever was asked for when it was described.
        return earlier
    check(said.columns)
    if earlier is not None:
        raise _taken()
    counted = select(func.count()).where(access.covers(DatasetRow.organization_id))
    if session.scalars(counted).one() >= DATASETS_MAX:
        raise TooManyDatasets(f"There are {DATASETS_MAX} datasets already: use one of them.")
    return _made(session, access, said)


def find(session: Session, access: Access, *, dataset_id: str, to_change: bool = False) -> Dataset:
    """One of the organisation's datasets; `to_change` locks it.

    Raises:
        DatasetNotFound: It has none of this id.
    """
    own = (DatasetRow.id == dataset_id, access.covers(DatasetRow.organization_id))
    if to_change:
        # A statement of its own: who waited in a join would find the row as it is now, and not the columns that came with it.
        session.execute(select(DatasetRow.id).where(*own).with_for_update())
    chosen = _WITH_COLUMNS.where(*own)
    found = session.execute(chosen.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise DatasetNotFound("There is no such dataset; ask for the list of those there are.")
    return _dataset(*found)


def listed(session: Session, access: Access, *, cursor: str | None, limit: int) -> Page[Dataset]:
    """The organisation's datasets, newest first.

    Raises:
        CursorNotAcceptable: The cursor is none of this list.
    """
    chosen = _WITH_COLUMNS.where(access.covers(DatasetRow.organization_id))
    rows = session.execute(_NEWEST.page(chosen, cursor=cursor, limit=limit)).all()
    shown = [row for row, _ in rows]
    return Page(
        items=[_dataset(row, columns) for row, columns in rows[:limit]],
        next_cursor=_NEWEST.next_cursor(shown, limit=limit),
    )


def change(session: Session, access: Access, before: Dataset, *, asked: Changes) -> Dataset:
    """Apply changes to a locked dataset; writes nothing if nothing differs.

    Raises:
        DatasetNotAcceptable: The anonymiser could make nothing of a dataset like this.
        DatasetTaken: Another dataset of the organisation has this title.
        ColumnsAreFixed: Something was handed in, and these are other columns.
    """
    after = _changed(session, access, before, asked)
    if after == before:
        return before
    values: dict[str, Any] = {
        "title": after.said.title,
        "retention_days": after.said.retention_days,
        "release_every_days": after.said.release_every_days,
        "schema_version": after.schema_version,
        "is_open": after.is_open,
    }
    if after.schema_version > before.schema_version:
        _keep_columns(
            session, access, dataset_id=before.id, version=after.schema_version, columns=after.said.columns
        )
    session.execute(
        update(DatasetRow)
        .where(DatasetRow.id == before.id, access.covers(DatasetRow.organization_id))
        .values(
            **values,
            version=DatasetRow.version + 1,
            changed_at=access.now,
            attempts=0,
            next_attempt_at=access.now,
        )
        .execution_options(synchronize_session=False)
    )
    audit.record_by(session, access, Action.DATASET_CHANGED, before.id)
    _tell(session, access, before.id)
    return find(session, access, dataset_id=before.id)


def _changed(session: Session, access: Access, before: Dataset, asked: Changes) -> Dataset:
    said, version = before.said, before.schema_version
    if asked.title is not None:
        title = sources.line_of(asked.title)
        other = _titled(session, access, title)
        if other is not None and other.id != before.id:
            raise _taken()
        said = replace(said, title=title)
    if asked.columns is not None and asked.columns != said.columns:
        check(asked.columns)
        if _are_others(asked.columns, said.columns) and _has_files(session, access, before.id):
            raise ColumnsAreFixed("Something was handed in already: make another dataset for other columns.")
        said, version = replace(said, columns=asked.columns), version + 1
    return replace(
        before,
        said=replace(
            said,
            retention_days=asked.retention_days or said.retention_days,
            release_every_days=asked.release_every_days or said.release_every_days,
        ),
        schema_version=version,
        is_open=before.is_open if asked.is_open is None else asked.is_open,
    )


def _are_others(after: Sequence[Column], before: Sequence[Column]) -> bool:
    """Whether files that came under the former ones are none of these.

    Rows stay as they were taken. So a column becomes one that is released as it is only where it was one before, under limits that
    would do today: narrower ones now would say nothing of the rows that are there.
    """
    is_clearer = not in_clear(after) <= in_clear(before)
    return is_clearer or names_and_types(after) != names_and_types(before)


def _has_files(session: Session, access: Access, dataset_id: str) -> bool:
    handed = exists().where(
        JobRow.dataset_id == dataset_id,
        JobRow.removed_at.is_(None),
        access.covers(JobRow.organization_id),
    )
    return bool(session.scalar(select(handed)))


def _made(session: Session, access: Access, said: DatasetDefinition) -> Dataset:
    dataset_id = ids.new_id("dset")
    session.execute(
        insert(DatasetRow).values(
            id=dataset_id,
            organization_id=access.organization_id,
            source_id=said.source_id,
            title=said.title,
            kind=said.kind,
            format=said.format,
            compression=said.compression,
            policy_id=said.policy_id,
            retention_days=said.retention_days,
            release_every_days=said.release_every_days,
            schema_version=1,
            version=1,
            added_by=access.person_id or access.key_id or "",
            created_at=access.now,
            changed_at=access.now,
            next_attempt_at=access.now,
        )
    )
    _keep_columns(session, access, dataset_id=dataset_id, version=1, columns=said.columns)
    audit.record_by(session, access, Action.DATASET_ADDED, dataset_id)
    _tell(session, access, dataset_id)
    return find(session, access, dataset_id=dataset_id)


def _keep_columns(
    session: Session, access: Access, *, dataset_id: str, version: int, columns: Sequence[Column]
) -> None:
    session.execute(
        insert(SchemaRow).values(
            dataset_id=dataset_id,
            version=version,
            organization_id=access.organization_id,
            columns=[column.as_kept() for column in columns],
            created_at=access.now,
        )
    )


def _tell(session: Session, access: Access, dataset_id: str) -> None:
    outbox.put(session, topic=TOPIC_CHANGED, payload={"dataset_id": dataset_id}, now=access.now)


def _titled(session: Session, access: Access, title: str) -> Dataset | None:
    chosen = _WITH_COLUMNS.where(DatasetRow.title == title, access.covers(DatasetRow.organization_id))
    found = session.execute(chosen).one_or_none()
    return None if found is None else _dataset(*found)


def _taken() -> DatasetTaken:
    return DatasetTaken(
        "Another dataset has this title: choose another one, or change that one.", param="title"
    )


def _dataset(row: DatasetRow, columns: Sequence[Mapping[str, Any]]) -> Dataset:
    return Dataset(
        id=row.id,
        said=DatasetDefinition(
            source_id=row.source_id,
            title=row.title,
            kind=DatasetClass(row.kind),
            format=FileFormat(row.format),
            compression=Compression(row.compression),
            columns=tuple(Column.of(each) for each in columns),
            policy_id=PolicyId(row.policy_id),
            retention_days=row.retention_days,
            release_every_days=row.release_every_days,
        ),
        schema_version=row.schema_version,
        is_open=row.is_open,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
