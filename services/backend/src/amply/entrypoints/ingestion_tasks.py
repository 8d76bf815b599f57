"""Worker tasks of data ingestion."""

import threading
from collections.abc import Callable
from typing import Any

import structlog

from amply.adapters.dynamodb import DynamoDatasets
from amply.adapters.parquet import ParquetRows
from amply.adapters.s3.handed_in import S3HandedIn
from amply.entrypoints import task_names
from amply.infra.database import Database
from amply.infra.settings import LakeSettings
from amply.kernel.clock import Clock
from amply.modules import ingestion

_log = structlog.get_logger()


def ingestion_dependencies(
    database: Database, settings: LakeSettings
) -> ingestion.IngestionDependencies | None:
    """Dependencies of ingestion; None where it is not enabled."""
    if not (settings.datasets_table and settings.raw_bucket):
        return None
    return ingestion.IngestionDependencies(
        database=database,
        bucket=S3HandedIn(bucket=settings.raw_bucket),
        parquet=ParquetRows(),
        table=DynamoDatasets(table=settings.datasets_table),
    )


def ingestion_tasks(
    parts: ingestion.IngestionDependencies | None, clock: Clock
) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Tasks that read files and publish datasets. No-ops where ingestion is not enabled."""
    one = threading.Lock()

    def read_files(**_: Any) -> None:
        # Sent every minute and for each file: concurrent runs would occupy threads that other tasks need.
        if parts is None or not one.acquire(blocking=False):
            return
        try:
            read = ingestion.read_files(parts, clock=clock)
        finally:
            one.release()
        if read:
            _log.info("files_read", count=read)

    def tell_datasets(**_: Any) -> None:
        told = 0 if parts is None else ingestion.tell_datasets(parts, now=clock())
        if told:
            _log.info("datasets_told", count=told)

    return ((task_names.READ_FILES, read_files), (task_names.TELL_DATASETS, tell_datasets))
