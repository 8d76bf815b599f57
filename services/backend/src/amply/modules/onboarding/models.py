from datetime import datetime

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class InvitationRow(Record):
    __tablename__ = "onboarding_invitation"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    email: Mapped[str]
    language: Mapped[str]
    confirmed: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_attempt_at: Mapped[datetime]
    created_at: Mapped[datetime]
