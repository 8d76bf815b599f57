from datetime import datetime
from typing import ClassVar

from sqlalchemy import SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.vault import OF_ORGANIZATION, Personal, SealedFields, SealedRecord
from amply.modules.access import UploadedRow


class ApplicationRow(SealedRecord):
    """An application. Starts unencrypted with its organisation's name, before the organisation has a key."""

    __tablename__ = "organization_application"

    fields: ClassVar = SealedFields(
        scope=OF_ORGANIZATION,
        table="organization_application",
        key="organization_id",
        names=("legal_name", "tax_id", "street", "postal_code", "city", "website", "purpose"),
    )
    organization_id: Mapped[str] = mapped_column(primary_key=True)
    legal_name = Personal[str]()
    tax_id = Personal[str]()
    street = Personal[str]()
    postal_code = Personal[str]()
    city = Personal[str]()
    website = Personal[str]()
    purpose = Personal[str]()
    plain_legal_name: Mapped[str | None] = mapped_column("legal_name")
    plain_tax_id: Mapped[str | None] = mapped_column("tax_id")
    plain_street: Mapped[str | None] = mapped_column("street")
    plain_postal_code: Mapped[str | None] = mapped_column("postal_code")
    plain_city: Mapped[str | None] = mapped_column("city")
    plain_website: Mapped[str | None] = mapped_column("website")
    plain_purpose: Mapped[str | None] = mapped_column("purpose")
    applicant_id: Mapped[str]
    slug: Mapped[str | None]
    kind: Mapped[str | None]
    tier: Mapped[str]
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]


class StepRow(SealedRecord, DueRow):
    """A state transition, and the letter about it, which is due until `told_at` is set."""

    __tablename__ = "organization_step"

    fields: ClassVar = SealedFields(scope=OF_ORGANIZATION, table="organization_step", names=("said",))
    said = Personal[str]()
    plain_said: Mapped[str | None] = mapped_column("said")
    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    from_state: Mapped[str]
    to_state: Mapped[str]
    at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    withheld: Mapped[str | None]


class TierNoticeRow(DueRow):
    """A notice that an organisation (nearly) exceeded its tier, and the letter about it."""

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


class LookupRow(SealedRecord, DueRow):
    __tablename__ = "register_lookup"

    fields: ClassVar = SealedFields(
        scope=OF_ORGANIZATION, table="register_lookup", names=("tax_id", "name", "status")
    )
    tax_id = Personal[str]()
    name = Personal[str]()
    status = Personal[str]()
    plain_tax_id: Mapped[str | None] = mapped_column("tax_id")
    plain_name: Mapped[str | None] = mapped_column("name")
    plain_status: Mapped[str | None] = mapped_column("status")
    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    country: Mapped[str]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    register: Mapped[str | None]


class DocumentRow(UploadedRow, DueRow):
    """An uploaded document. `gone_at`: removed, and its bytes are deleted."""

    __tablename__ = "organization_document"

    kind: Mapped[str]
