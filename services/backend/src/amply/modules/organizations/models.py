from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class OrganizationRow(Record):
    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    country: Mapped[str]
    created_at: Mapped[datetime]
