from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class ReceiptSettingsRow(Record):
    __tablename__ = "receipt_settings"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    jurisdiction: Mapped[str]
    legal_name: Mapped[str]
    registration_number: Mapped[str]
    address: Mapped[list[str]] = mapped_column(ARRAY(Text))
    place: Mapped[str]
    signatory: Mapped[str]
    language: Mapped[str]
    time_zone: Mapped[str]
    fiscal_year_starts: Mapped[int]
    brand_colour: Mapped[str]
    logo: Mapped[bytes | None]
    updated_at: Mapped[datetime]


class ReceiptFactsRow(Record):
    __tablename__ = "receipt_facts"

    donation_id: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str | None]
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    gift_aid: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    advantage: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    company: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class IssuedReceiptRow(Record):
    """`serial` is given by the database, which refuses any change but voiding and forgetting."""

    __tablename__ = "issued_receipt"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    jurisdiction: Mapped[str]
    serial: Mapped[int]
    donation_id: Mapped[str]
    kind: Mapped[str]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    minor_units: Mapped[int]
    eligible_minor_units: Mapped[int]
    currency: Mapped[str]
    language: Mapped[str]
    document: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    replaces: Mapped[str | None]
    issued_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]
