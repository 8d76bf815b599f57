from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import MaybeDueRow
from amply.infra.orm import Record
from amply.infra.vault import PEOPLE, Personal, SealedFields, SealedRecord
from amply.modules import mail

APART: Final = "member_invitation:"
"""Prefix that separates invitations' blind indexes from others."""


class MemberRow(Record):
    __tablename__ = "member"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    joined_at: Mapped[datetime]


class InvitationRow(SealedRecord, MaybeDueRow):
    """`next_attempt_at`: when its letter is sent or retried; None once it was sent or given up."""

    __tablename__ = "member_invitation"

    fields: ClassVar = SealedFields(
        scope=PEOPLE,
        table="member_invitation",
        names=("email",),
        indexed="email",
        digest=mail.address_digest,
        digest_column="email_sha256",
        index_column="email_index",
        apart=APART,
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    email_index: Mapped[bytes | None]
    email = Personal[str]()
    plain_email: Mapped[str | None] = mapped_column("email")
    email_sha256: Mapped[str | None]
    organization_id: Mapped[str]
    role: Mapped[str]
    language: Mapped[str]
    invited_by: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class OfferRow(Record):
    __tablename__ = "ownership_offer"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    from_person_id: Mapped[str]
    to_person_id: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
