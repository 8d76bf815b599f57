from datetime import date, datetime

from sqlalchemy import Date, Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record


class SettlementRow(DueRow):
    """A settled month of a contract; `number` counts settlements after reversals.

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
    """An owner's credit for one dataset. Without an entry if the amount is zero."""

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
    """A bank transfer: from a buyer (`received`), back to one (`sent_back`), or to an owner (`passed_on`)."""

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
