from datetime import date, datetime

from sqlalchemy import ARRAY, Boolean, Date, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record


class DailyKeyRow(Record):
    __tablename__ = "daily_key"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)


class OpenedGiftRow(Record):
    """A gift opened in the last two days. One by API key has no fingerprints."""

    __tablename__ = "opened_gift"

    donation_id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    network: Mapped[bytes | None] = mapped_column(LargeBinary)
    device: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail_domain: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_small: Mapped[bool] = mapped_column(Boolean)
    is_challenged: Mapped[bool] = mapped_column(Boolean, server_default="false")
    opened_at: Mapped[datetime]


class CardSetupRow(DueRow):
    """An open SetupIntent, which is to be canceled at `next_attempt_at`.

    `account_id`: None on the platform itself. `owner_id`: the gift to several organisations, or the plan, that it stores a card for.
    `small_at`: those of its organisations that are given something small. The marks go after two days.
    """

    __tablename__ = "card_setup"

    remote_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str | None]
    owner_id: Mapped[str]
    organization_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    small_at: Mapped[list[str]] = mapped_column(ARRAY(Text))
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    network: Mapped[bytes | None] = mapped_column(LargeBinary)
    device: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail_domain: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_challenged: Mapped[bool] = mapped_column(Boolean)
    opened_at: Mapped[datetime]
    is_exhausted: Mapped[bool] = mapped_column(Boolean, server_default="false")
    ended_at: Mapped[datetime | None]


class DeclineRow(Record):
    """A declined card, of a gift or of a SetupIntent of `owner_id`. `split_id`: the split gift that the gift belongs to.

    `is_collected`: of a recurring gift, where nobody was at a form. `is_repeat`: an attempt that concerns several organisations has
    a row for each, of which one counts against whoever made it.
    """

    __tablename__ = "decline"

    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    donation_id: Mapped[str | None]
    owner_id: Mapped[str | None]
    split_id: Mapped[str | None]
    organization_id: Mapped[str]
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    network: Mapped[bytes | None] = mapped_column(LargeBinary)
    device: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail: Mapped[bytes | None] = mapped_column(LargeBinary)
    mail_domain: Mapped[bytes | None] = mapped_column(LargeBinary)
    card: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_small: Mapped[bool] = mapped_column(Boolean)
    is_challenged: Mapped[bool] = mapped_column(Boolean, server_default="false")
    is_collected: Mapped[bool] = mapped_column(Boolean, server_default="false")
    is_repeat: Mapped[bool] = mapped_column(Boolean, server_default="false")
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
