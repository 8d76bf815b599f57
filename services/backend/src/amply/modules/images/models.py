from datetime import datetime

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow


class ImageRow(DueRow):
    """An upload, and what became of it.

    `made_at`: it was shown from then on. `removed_at`: it is not, or not any more. `gone_at`: its files are gone, too.
    """

    __tablename__ = "organization_image"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    kind: Mapped[str]
    media_type: Mapped[str]
    object_key: Mapped[str]
    object_version: Mapped[str | None]
    alt: Mapped[dict[str, str]] = mapped_column(JSONB)
    added_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    size_bytes: Mapped[int | None]
    made_at: Mapped[datetime | None]
    refused: Mapped[str | None]
    removed_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
