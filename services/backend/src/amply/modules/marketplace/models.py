from datetime import date, datetime

from sqlalchemy import Date, Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record


class SettlementRow(DueRow):
    """What a contract's month came to, as it was worked out: once, or again (`number`) after it was reversed.

    `told_at`: when the shares were written where owners look; None after a reversal until that was told too.
    """

    __tablename__ = "data_settlement"

    id: Mapped[str] = mapped_column(primary_key=True)
    contract_id: Mapped[str]
    buyer: Mapped[str]
    period: Mapped[str]
    number: Mapped[int] = mapped_column(Integer)
    currency: Mapped[str]
    owed_minor: Mapped[int]
    fee_minor: Mapped[int]
    price_minor: Mapped[int]
    per: Mapped[str]
    seller_share_bp: Mapped[int] = mapped_column(Integer)
    used_bytes: Mapped[int]
    reason: Mapped[str | None]
    entry_id: Mapped[str | None]
    settled_at: Mapped[datetime]
    reversal_reason: Mapped[str | None]
    reversal_entry_id: Mapped[str | None]
    reversed_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class ShareRow(Record):
    """What one owner was credited with for one dataset. Without an entry where it came to nothing."""

    __tablename__ = "data_share"

    settlement_id: Mapped[str] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    credited: Mapped[str] = mapped_column(primary_key=True)
    dataset_bytes: Mapped[int]
    weight: Mapped[int]
    amount_minor: Mapped[int]
    entry_id: Mapped[str | None]
    reversal_entry_id: Mapped[str | None]


class PaymentRow(Record):
    """Money that a buyer sent (`received`, for a contract) or got back (`sent_back`), or that an owner was sent (`passed_on`)."""

    __tablename__ = "data_payment"

    id: Mapped[str] = mapped_column(primary_key=True)
    way: Mapped[str]
    party: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int]
    reference: Mapped[str]
    happened_on: Mapped[date] = mapped_column(Date)
    entry_id: Mapped[str]
    noted_at: Mapped[datetime]
