from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record


class ProcessorAccountRow(Record):
    __tablename__ = "processor_account"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str]
    status: Mapped[str]
    updated_at: Mapped[datetime]


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
