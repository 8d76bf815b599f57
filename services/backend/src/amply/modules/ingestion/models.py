from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record
from amply.modules.access import UploadedRow


class SourceRow(Record):
    __tablename__ = "data_source"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    added_by: Mapped[str]
    created_at: Mapped[datetime]


class DatasetRow(DueRow):
    """`version` grows with each change; `told_version` is the version published to the release process."""

    __tablename__ = "dataset"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    source_id: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    format: Mapped[str]
    compression: Mapped[str]
    policy_id: Mapped[str]
    retention_days: Mapped[int] = mapped_column(Integer)
    release_every_days: Mapped[int] = mapped_column(Integer)
    schema_version: Mapped[int] = mapped_column(Integer)
    is_open: Mapped[bool] = mapped_column(Boolean, server_default="true")
    version: Mapped[int] = mapped_column(Integer)
    told_version: Mapped[int] = mapped_column(Integer, server_default="0")
    added_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class SchemaRow(Record):
    """A version of a dataset's columns. A job is read with the version it was created under."""

    __tablename__ = "dataset_schema"

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    organization_id: Mapped[str]
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class JobRow(UploadedRow, DueRow):
    """An ingested file, and its processing state.

    `refused`: why nothing of it was accepted. `removed_at`: it was not what it may be. `gone_at`: its bytes are taken away.
    The numbers of its rows are there before `finished_at`: from just before the accepted ones can be seen.
    """

    __tablename__ = "ingest_job"

    dataset_id: Mapped[str]
    schema_version: Mapped[int] = mapped_column(Integer)
    format: Mapped[str]
    compression: Mapped[str]
    rows_read: Mapped[int | None]
    rows_accepted: Mapped[int | None]
    rows_quarantined: Mapped[int | None]
    reasons: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    refused: Mapped[str | None]
    finished_at: Mapped[datetime | None]
