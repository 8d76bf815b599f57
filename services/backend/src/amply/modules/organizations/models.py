from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record
from amply.infra.vault import PEOPLE, Personal, SealedFields, SealedRecord


class OrganizationRow(Record):
    __tablename__ = "organization"

    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    country: Mapped[str]
    created_at: Mapped[datetime]
    takes_anonymous_gifts: Mapped[bool] = mapped_column(server_default="false")
    return_origins: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    state: Mapped[str] = mapped_column(server_default="verified")
    tier: Mapped[str | None]
    website: Mapped[str | None]
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default="{}")
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB, server_default="{}")
    pictures: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class FundRow(Record):
    __tablename__ = "fund"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ProjectRow(Record):
    __tablename__ = "project"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    fund_id: Mapped[str]
    goal_minor_units: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    state: Mapped[str]
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class ContactRow(SealedRecord):
    __tablename__ = "organization_contact"

    fields: ClassVar = SealedFields(
        scope=PEOPLE, table="organization_contact", key="organization_id", names=("email",)
    )
    organization_id: Mapped[str] = mapped_column(primary_key=True)
    email = Personal[str]()
    plain_email: Mapped[str | None] = mapped_column("email")
    language: Mapped[str]
    updated_at: Mapped[datetime]
