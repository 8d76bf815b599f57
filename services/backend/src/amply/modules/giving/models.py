from datetime import datetime
from typing import ClassVar

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.vault import DONORS, Personal, SealedFields, SealedRecord
from amply.modules import mail


class LinkRequestRow(SealedRecord, DueRow):
    __tablename__ = "donor_link_request"

    fields: ClassVar = SealedFields(
        scope=DONORS,
        table="donor_link_request",
        names=("email",),
        digest=mail.address_digest,
        owned_by="email",
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    email = Personal[str]()
    plain_email: Mapped[str | None] = mapped_column("email")
    language: Mapped[str | None]


class DocumentRow(DueRow):
    """`sealed`: the file, encrypted (`sealing.py`)."""

    __tablename__ = "donor_document"

    id: Mapped[str] = mapped_column(primary_key=True)
    email_sha256: Mapped[str]
    kind: Mapped[str]
    donation_id: Mapped[str | None]
    receipt_id: Mapped[str | None]
    organization_id: Mapped[str | None]
    year: Mapped[int | None] = mapped_column(Integer)
    language: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="waiting")
    filename: Mapped[str | None]
    sealed: Mapped[bytes | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
