from datetime import datetime

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class MemberRow(Record):
    __tablename__ = "member"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    joined_at: Mapped[datetime]


class InvitationRow(Record):
    """`next_attempt_at`: when its letter is sent, or tried again; None once it has left, or never will."""

    __tablename__ = "member_invitation"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    email: Mapped[str]
    email_sha256: Mapped[str]
    role: Mapped[str]
    language: Mapped[str]
    invited_by: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    next_attempt_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]


class OfferRow(Record):
    __tablename__ = "ownership_offer"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    from_person_id: Mapped[str]
    to_person_id: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
