from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow


class ExportRow(DueRow):
    """`asked_by`: `person:usr_…` or `key:key_…`. `begun_at`: when the worker last began to read what is in the file."""

    __tablename__ = "organization_export"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    kind: Mapped[str]
    format: Mapped[str]
    since: Mapped[datetime | None]
    before: Mapped[datetime | None]
    names_donors: Mapped[bool]
    asked_by: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    rows: Mapped[int | None]
    bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    created_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
