from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.vault import PEOPLE, Personal, SealedFields, SealedRecord


class InvitationRow(SealedRecord, DueRow):
    __tablename__ = "onboarding_invitation"

    fields: ClassVar = SealedFields(scope=PEOPLE, table="onboarding_invitation", names=("email",))
    id: Mapped[str] = mapped_column(primary_key=True)
    email = Personal[str]()
    plain_email: Mapped[str | None] = mapped_column("email")
    organization_id: Mapped[str]
    language: Mapped[str]
    confirmed: Mapped[str | None]
    created_at: Mapped[datetime]
