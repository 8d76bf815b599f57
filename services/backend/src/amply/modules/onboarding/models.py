from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow


class InvitationRow(DueRow):
    __tablename__ = "onboarding_invitation"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    email: Mapped[str]
    language: Mapped[str]
    confirmed: Mapped[str | None]
    created_at: Mapped[datetime]
