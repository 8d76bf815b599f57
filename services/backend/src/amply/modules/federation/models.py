from datetime import datetime

from sqlalchemy import Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class ConnectionRow(Record):
    __tablename__ = "sign_in_connection"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    client_id: Mapped[str]
    sealed_secret: Mapped[bytes]
    default_role: Mapped[str | None]
    group_roles: Mapped[dict[str, str]] = mapped_column(JSONB)
    is_required: Mapped[bool]
    changed_at: Mapped[datetime]


class DomainRow(Record):
    """`next_check_at`: next automatic DNS check; None before the first verification."""

    __tablename__ = "sign_in_domain"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str]
    verified_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    misses: Mapped[int] = mapped_column(Integer, server_default="0")


class GrantRow(Record):
    """`tried_at`: last renewal attempt. Whoever advances it makes the request, while `is_asking`."""

    __tablename__ = "sign_in_grant"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    sealed_refresh: Mapped[bytes | None]
    tried_at: Mapped[datetime]
    is_asking: Mapped[bool] = mapped_column(server_default="false")
