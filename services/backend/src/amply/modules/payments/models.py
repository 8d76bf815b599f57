from datetime import datetime

from sqlalchemy import ARRAY, Text
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record


class ProcessorAccountRow(Record):
    __tablename__ = "processor_account"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    confirmed: Mapped[str | None]
    looks: Mapped[int] = mapped_column(server_default="0")
    checked_at: Mapped[datetime] = mapped_column(server_default="epoch")
    unreachable_since: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class FormerAccountRow(Record):
    __tablename__ = "former_account"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    replaced_at: Mapped[datetime]


class PaymentRow(Record):
    __tablename__ = "payment"

    id: Mapped[str] = mapped_column(primary_key=True)
    donation_id: Mapped[str]
    organization_id: Mapped[str]
    account_id: Mapped[str]
    minor_units: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    remote_id: Mapped[str | None]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    traceparent: Mapped[str | None]
    returns_known: Mapped[int] = mapped_column(server_default="0")
    customer_id: Mapped[str | None]
    keeps_method: Mapped[bool] = mapped_column(server_default="false")


class PaymentEndingRow(DueRow):
    """A payment to cancel at the processor. `is_exhausted`: used for card testing; otherwise unpaid."""

    __tablename__ = "payment_ending"

    payment_id: Mapped[str] = mapped_column(primary_key=True)
    is_exhausted: Mapped[bool]
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RefundRow(Record):
    __tablename__ = "refund"

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str]
    minor_units: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    remote_id: Mapped[str | None]
    reserved_entry_id: Mapped[str | None]
    reserved_cover_minor_units: Mapped[int] = mapped_column(server_default="0")
    cover_minor_units: Mapped[int] = mapped_column(server_default="0")
    entry_id: Mapped[str | None]
    failed_entry_id: Mapped[str | None]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class DisputeRow(Record):
    __tablename__ = "dispute"

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str]
    organization_id: Mapped[str]
    remote_id: Mapped[str]
    minor_units: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    evidence_due_at: Mapped[datetime | None]
    booked: Mapped[list[str]] = mapped_column(ARRAY(Text))
    opened_entry_id: Mapped[str | None]
    held_minor_units: Mapped[int]
    lost_minor_units: Mapped[int]
    lost_cover_minor_units: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class FraudWarningRow(Record):
    __tablename__ = "fraud_warning"

    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[str]
    organization_id: Mapped[str]
    remote_id: Mapped[str]
    fraud_type: Mapped[str]
    warned_at: Mapped[datetime]
    created_at: Mapped[datetime]
