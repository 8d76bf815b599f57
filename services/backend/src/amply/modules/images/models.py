from datetime import datetime

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.modules.access import UploadedRow


class ImageRow(UploadedRow, DueRow):
    """An upload, and its processing state.

    `made_at`: it was shown from then on. `removed_at`: it is not, or not any more. `gone_at`: its files are gone, too.
    """

    __tablename__ = "organization_image"

    kind: Mapped[str]
    alt: Mapped[dict[str, str]] = mapped_column(JSONB)
    made_at: Mapped[datetime | None]
    refused: Mapped[str | None]
