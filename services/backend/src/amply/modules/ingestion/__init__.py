"""Data ingestion: datasets of outside sources, their files, and the state of each file. Import from here only."""

from typing import TYPE_CHECKING

from amply.modules.ingestion.dataset_sync import IngestionDependencies, tell_datasets
from amply.modules.ingestion.datasets import TOPIC_CHANGED
from amply.modules.ingestion.domain import (
    EXPANDED_BYTES_MAX,
    ROWS_MAX,
    FileReason,
    FileRefused,
    PublishedDataset,
)
from amply.modules.ingestion.jobs import TOPIC_SUBMITTED
from amply.modules.ingestion.ports import DatasetTable, Intake, ParquetOpener, RawBucket
from amply.modules.ingestion.reading_jobs import read_files
from amply.modules.ingestion.records import Pieces

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = [
    "EXPANDED_BYTES_MAX",
    "ROWS_MAX",
    "TOPIC_CHANGED",
    "TOPIC_SUBMITTED",
    "DatasetTable",
    "FileReason",
    "FileRefused",
    "IngestionDependencies",
    "Intake",
    "ParquetOpener",
    "Pieces",
    "PublishedDataset",
    "RawBucket",
    "read_files",
    "routers",
    "tell_datasets",
]


def routers() -> "tuple[APIRouter]":
    """The module's routes, imported lazily: only the API needs them, and building them is as slow as the rest of the module."""
    from amply.modules.ingestion import router  # noqa: PLC0415 -- see above

    return (router.router,)
