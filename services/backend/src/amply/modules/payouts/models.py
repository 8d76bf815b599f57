from datetime import date, datetime

from sqlalchemy import Computed, Date
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class PayoutRow(Record):
    __tablename__ = "payout"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    account_id: Mapped[str | None]
    minor_units: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    is_automatic: Mapped[bool]
    created_at: Mapped[datetime]
    arrives_on: Mapped[date] = mapped_column(Date)
    bank_reference: Mapped[str | None]
    failure_code: Mapped[str | None]
    created_entry_id: Mapped[str | None]
    paid_entry_id: Mapped[str | None]
    returned_entry_id: Mapped[str | None]
    failed_entry_id: Mapped[str | None]
    asked_at: Mapped[datetime]
    reconciled_at: Mapped[datetime | None]
    items: Mapped[int | None]
    items_minor_units: Mapped[int | None]


class MovementRow(Record):
    __tablename__ = "movement"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    transaction_digest: Mapped[str]
    part: Mapped[str]
    payout_id: Mapped[str | None]
    category: Mapped[str]
    kind: Mapped[str | None]
    booked_as: Mapped[str | None]
    exchanges: Mapped[str | None]
    minor_units: Mapped[int]
    currency: Mapped[str]
    occurred_at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str | None]
    entry_id: Mapped[str | None]
    seen_at: Mapped[datetime]
    checked_at: Mapped[datetime]


class ProcessorBalanceRow(Record):
    __tablename__ = "processor_balance"

    owner: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    processor_minor_units: Mapped[int]
    books_minor_units: Mapped[int]
    outside_minor_units: Mapped[int]
    open_minor_units: Mapped[int]
    difference_minor_units: Mapped[int] = mapped_column(Computed("", persisted=True))
    measured_at: Mapped[datetime]
    differs_since: Mapped[datetime | None]


class MovementWatermarkRow(Record):
    __tablename__ = "movement_watermark"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    seen_to: Mapped[datetime]
    began_at: Mapped[datetime | None]
    walked_to: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
