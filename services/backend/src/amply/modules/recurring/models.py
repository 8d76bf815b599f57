from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import Date, Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record
from amply.infra.vault import DONORS, Personal, SealedFields, SealedRecord
from amply.modules import mail


class PlanRow(SealedRecord):
    """`fee_cover_minor_units`: what is added to each gift for the fee, at most. `announced_minor_units`: what the notice of
    the next gift said. `due_since`: since when that waits for something other than its day, and `waits_for` what.
    """

    __tablename__ = "plan"

    fields: ClassVar = SealedFields(
        scope=DONORS,
        table="plan",
        names=("donor_name", "donor_email", "message"),
        indexed="donor_email",
        digest=mail.address_digest,
        is_ever_plain=False,
        is_later=False,
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    donor_index: Mapped[bytes | None]
    donor_name = Personal[str]()
    donor_email = Personal[str]()
    message = Personal[str]()
    organization_id: Mapped[str]
    account_id: Mapped[str]
    minor_units: Mapped[int]
    currency: Mapped[str]
    every: Mapped[str]
    first_month: Mapped[date] = mapped_column(Date)
    day_of_month: Mapped[int] = mapped_column(Integer)
    time_zone: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    next_period: Mapped[int] = mapped_column(Integer, server_default="1")
    next_due_at: Mapped[datetime | None]
    next_notice_at: Mapped[datetime | None]
    language: Mapped[str | None]
    customer_id: Mapped[str | None]
    method_id: Mapped[str | None]
    method_kind: Mapped[str | None]
    method_last4: Mapped[str | None]
    mandate_id: Mapped[str | None]
    setup_id: Mapped[str | None]
    setup_look_at: Mapped[datetime | None]
    fund_id: Mapped[str | None]
    anonymity: Mapped[str] = mapped_column(server_default="public")
    gift_aid_since: Mapped[datetime | None]
    gift_aid_ended_at: Mapped[datetime | None]
    fee_cover_minor_units: Mapped[int] = mapped_column(server_default="0")
    announced_minor_units: Mapped[int | None]
    waits_for: Mapped[str | None]
    due_since: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class PlanChargeRow(Record):
    """A charge. The total is `minor_units` (the gift) plus `fee_cover_minor_units`.

    `unanswered`: what the processor never said before it was given up, and `unanswered_at` when that was.
    """

    __tablename__ = "plan_charge"

    plan_id: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[int] = mapped_column(Integer, primary_key=True)
    due_on: Mapped[date] = mapped_column(Date)
    minor_units: Mapped[int]
    fee_cover_minor_units: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str]
    state: Mapped[str]
    donation_id: Mapped[str | None]
    declines: Mapped[int] = mapped_column(Integer, server_default="0")
    looks: Mapped[int] = mapped_column(Integer, server_default="0")
    next_attempt_at: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    decline_code: Mapped[str | None]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    unanswered: Mapped[str | None]
    unanswered_at: Mapped[datetime | None]


class PlanLetterRow(DueRow):
    """A letter. `minor_units`: the stated total, fee cover included; None if the letter is about the plan.

    `method_kind`, `method_last4`: what was tried; None where it tells of what will be, which is paid with what the plan has then.
    """

    __tablename__ = "plan_letter"

    plan_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    due_on: Mapped[date | None] = mapped_column(Date)
    minor_units: Mapped[int | None]
    fee_cover_minor_units: Mapped[int] = mapped_column(server_default="0")
    method_kind: Mapped[str | None]
    method_last4: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    withheld: Mapped[str | None]
    message_id: Mapped[str | None]
    created_at: Mapped[datetime]
