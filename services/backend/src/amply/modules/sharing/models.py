from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import Boolean, Date, Integer
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record
from amply.infra.vault import DONORS, Personal, SealedFields, SealedRecord


def _itself(digest: str) -> str:
    return digest


class SpanRow(SealedRecord, DueRow):
    """A donor's consent period. `donor_sha256`: encrypted digest of the address; empty after erasure.

    `told_version`: what the consent table knows.
    """

    __tablename__ = "sharing_span"

    fields: ClassVar = SealedFields(
        scope=DONORS,
        table="sharing_span",
        names=("donor_sha256",),
        indexed="donor_sha256",
        digest=_itself,
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    donor_index: Mapped[bytes | None]
    donor_sha256 = Personal[str]()
    plain_donor_sha256: Mapped[str | None] = mapped_column("donor_sha256")
    purpose: Mapped[str]
    is_given: Mapped[bool] = mapped_column(Boolean)
    covers_all: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(Integer)
    told_version: Mapped[int] = mapped_column(Integer, server_default="0")
    changed_at: Mapped[datetime]


class ConsentRow(Record):
    __tablename__ = "sharing_consent"

    span_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    decision: Mapped[str]
    way: Mapped[str]
    wording: Mapped[str | None]
    decided_at: Mapped[datetime]


class TickRow(Record):
    """A gift whose donor consented beside it."""

    __tablename__ = "sharing_tick"

    donation_id: Mapped[str] = mapped_column(primary_key=True)
    span_id: Mapped[str]


class BatchRow(DueRow):
    """A file of facts. `rows`: number of lines once written."""

    __tablename__ = "sharing_batch"

    id: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    rows: Mapped[int | None] = mapped_column(Integer)
    written_at: Mapped[datetime | None]


class FactRow(Record):
    """`kept_minor`: the gift's net amount by the facts up to this one."""

    __tablename__ = "sharing_fact"

    span_id: Mapped[str] = mapped_column(primary_key=True)
    donation_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    amount_minor: Mapped[int]
    kept_minor: Mapped[int]
    happened_on: Mapped[date] = mapped_column(Date)
    batch_id: Mapped[str]
