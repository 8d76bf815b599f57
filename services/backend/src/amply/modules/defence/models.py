from datetime import date, datetime

from sqlalchemy import Boolean, Date, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record


class DailyKeyRow(Record):
    __tablename__ = "daily_key"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)


class OpenedGiftRow(Record):
    __tablename__ = "opened_gift"

    donation_id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    network: Mapped[bytes | None] = mapped_column(LargeBinary)
    device: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail: Mapped[bytes] = mapped_column(LargeBinary)
    mail_domain: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_small: Mapped[bool] = mapped_column(Boolean)
    is_challenged: Mapped[bool] = mapped_column(Boolean, server_default="false")
    opened_at: Mapped[datetime]
    exhausted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime | None]


class DeclineRow(Record):
    __tablename__ = "decline"

    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    donation_id: Mapped[str]
    organization_id: Mapped[str]
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    network: Mapped[bytes | None] = mapped_column(LargeBinary)
    device: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail_domain: Mapped[bytes | None] = mapped_column(LargeBinary)
    card: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_small: Mapped[bool] = mapped_column(Boolean)
    declined_at: Mapped[datetime]


class AttackRow(Record):
    __tablename__ = "attack"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    until: Mapped[datetime]
    declines: Mapped[int]


class ClosingRow(DueRow):
    __tablename__ = "form_closing"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    began_at: Mapped[datetime]
    until: Mapped[datetime]
    declines: Mapped[int]
    cards: Mapped[int]
    networks: Mapped[int]
    reopened_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    told_at: Mapped[datetime | None]
    withheld: Mapped[str | None]


class ExemptionRow(Record):
    __tablename__ = "form_exemption"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime]
    reason: Mapped[str]
