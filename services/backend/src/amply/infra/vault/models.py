"""The envelope keys as the database has them: wrapped."""

from datetime import datetime

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class DataKeyRow(Record):
    """`wrapped` is None once the version is destroyed. `seals_from`: every process has heard of it by then."""

    __tablename__ = "data_key"

    scope: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    wrapped: Mapped[bytes | None]
    seals_from: Mapped[datetime]
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]
