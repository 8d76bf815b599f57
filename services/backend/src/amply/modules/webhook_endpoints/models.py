from datetime import datetime
from typing import ClassVar

from sqlalchemy import Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record
from amply.infra.vault import PEOPLE, Personal, SealedFields, SealedRecord


class EndpointRow(Record):
    """`letter_owed_at`: when its organisation is to be written to about its being disabled. `next_attempt_at`: when it was sent
    something last, or until when it rests; whoever's is the longest ago is served first. None: it never was.
    """

    __tablename__ = "webhook_endpoint"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    url: Mapped[str]
    description: Mapped[str]
    event_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(server_default="enabled")
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    letter_owed_at: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class SigningKeyRow(SealedRecord):
    """The API inserts and lists keys by column: its role may not read `sealed`, and so no whole row."""

    __tablename__ = "webhook_signing_key"

    fields: ClassVar = SealedFields(
        scope=PEOPLE, table="webhook_signing_key", names=("private_key",), is_ever_plain=False, is_later=False
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    endpoint_id: Mapped[str]
    organization_id: Mapped[str]
    public_key: Mapped[str]
    private_key = Personal[str]()
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class DeliveryRow(DueRow):
    __tablename__ = "webhook_delivery"

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    endpoint_id: Mapped[str]
    organization_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class AttemptRow(Record):
    """`error`: a `Failure`; None after an answer of 2xx."""

    __tablename__ = "webhook_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[str]
    organization_id: Mapped[str]
    at: Mapped[datetime]
    status: Mapped[int | None] = mapped_column(Integer)
    error: Mapped[str | None]
    milliseconds: Mapped[int] = mapped_column(Integer)
