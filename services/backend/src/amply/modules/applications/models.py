from datetime import datetime

from sqlalchemy import SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record


class ApplicationRow(Record):
    __tablename__ = "organization_application"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    applicant_id: Mapped[str]
    legal_name: Mapped[str]
    slug: Mapped[str | None]
    kind: Mapped[str | None]
    tier: Mapped[str]
    tax_id: Mapped[str | None]
    street: Mapped[str | None]
    postal_code: Mapped[str | None]
    city: Mapped[str | None]
    website: Mapped[str | None]
    purpose: Mapped[str | None]
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]


class StepRow(DueRow):
    """A move that was made, and the letter about it: due until `told_at`."""

    __tablename__ = "organization_step"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    said: Mapped[str | None]
    at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    withheld: Mapped[str | None]


class TierNoticeRow(DueRow):
    """That an organisation (nearly) outgrew a tier, and the letter about it."""

    __tablename__ = "tier_notice"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    tier: Mapped[str]
    growth: Mapped[str]
    minor_units: Mapped[int]
    currency: Mapped[str]
    noticed_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    withheld: Mapped[str | None]


class LookupRow(DueRow):
    __tablename__ = "register_lookup"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    country: Mapped[str]
    tax_id: Mapped[str]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    register: Mapped[str | None]
    name: Mapped[str | None]
    status: Mapped[str | None]


class DocumentRow(Record):
    """`received_at`: its bytes are there and are what they are said to be. `gone_at`: removed, and its bytes are gone."""

    __tablename__ = "organization_document"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    kind: Mapped[str]
    object_key: Mapped[str]
    object_version: Mapped[str | None]
    media_type: Mapped[str]
    added_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    size_bytes: Mapped[int | None]
    removed_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
