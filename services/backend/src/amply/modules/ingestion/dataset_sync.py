"""Copies changed datasets to the table that the release process reads. Idempotent: a version there never decreases."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, select, update

from amply.infra.database import Database
from amply.infra.due_rows import work_off
from amply.modules.ingestion.columns import Column, policy_of
from amply.modules.ingestion.domain import DatasetClass, PublishedDataset
from amply.modules.ingestion.models import DatasetRow, SchemaRow
from amply.modules.ingestion.ports import DatasetTable, ParquetOpener, RawBucket

_BATCH_MAX: Final = 100
_AGAIN_MAX: Final = timedelta(minutes=10)
"""Maximum backoff: a closed dataset must not stay open for a day because of an hour's outage."""
UNTOLD: Final = "dataset_not_told"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class IngestionDependencies:
    """Dependencies of the ingestion tasks."""

    database: Database
    bucket: RawBucket
    parquet: ParquetOpener
    table: DatasetTable


def tell_datasets(parts: IngestionDependencies, *, now: datetime) -> int:
    """Publish changed datasets to the release process; return how many. Safe to repeat after a crash."""
    return work_off(
        parts.database,
        DatasetRow,
        DatasetRow.told_version < DatasetRow.version,
        do=lambda row: _tell(parts, row, now=now),
        most=_BATCH_MAX,
        now=now,
    )


def columns_of(database: Database, *, dataset_id: str, version: int) -> list[Column]:
    """A dataset's columns in one version."""
    kept = select(SchemaRow.columns).where(SchemaRow.dataset_id == dataset_id, SchemaRow.version == version)
    with database.transaction() as session:
        return [Column.of(each) for each in session.scalars(kept).one()]


def _tell(parts: IngestionDependencies, row: DatasetRow, *, now: datetime) -> int:
    dataset = update(DatasetRow).where(DatasetRow.id == row.id).execution_options(synchronize_session=False)
    try:
        columns = columns_of(parts.database, dataset_id=row.id, version=row.schema_version)
        policy = policy_of(columns, policy_id=row.policy_id, retention_days=row.retention_days)
        parts.table.put(
            PublishedDataset(
                dataset_id=row.id,
                owner=row.organization_id,
                title=row.title,
                kind=DatasetClass(row.kind),
                policy=json.dumps(policy, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
                version=row.version,
                release_every_days=row.release_every_days,
                is_open=row.is_open,
                changed_at=row.changed_at,
            )
        )
    except Exception as error:  # noqa: BLE001 -- counted already: it waits its turn and holds back no other
        _log.error(UNTOLD, dataset_id=row.id, attempts=row.attempts, reason=type(error).__name__)
        with parts.database.transaction() as session:
            sooner = func.least(DatasetRow.next_attempt_at, now + _AGAIN_MAX)
            session.execute(dataset.values(next_attempt_at=sooner))
        return 0
    with parts.database.transaction() as session:
        session.execute(
            dataset.values(told_version=func.greatest(DatasetRow.told_version, row.version), attempts=0)
        )
    return 1
