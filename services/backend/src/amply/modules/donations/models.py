from datetime import datetime
from typing import ClassVar

from sqlalchemy import Boolean, ColumnElement, or_
from sqlalchemy.orm import Mapped, Session, mapped_column

from amply.infra.due_rows import DueRow, MaybeDueRow
from amply.infra.orm import Record
from amply.infra.vault import DONORS, Personal, SealedFields, SealedRecord
from amply.modules import mail


class DonationRow(SealedRecord):
    __tablename__ = "donation"

    fields: ClassVar = SealedFields(
        scope=DONORS,
        table="donation",
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
    minor_units: Mapped[int]
    currency: Mapped[str]
    status: Mapped[str]
    entry_id: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    refunded_minor_units: Mapped[int] = mapped_column(server_default="0")
    dispute_state: Mapped[str | None]
    fee_cover_minor_units: Mapped[int] = mapped_column(server_default="0")
    fee_cover_method: Mapped[str | None]
    processor_fee_minor_units: Mapped[int | None]
    reserved_entry_id: Mapped[str | None]
    newest_attempt: Mapped[str | None]
    method: Mapped[str | None]
    reversed_at: Mapped[datetime | None]
    fund_id: Mapped[str | None]
    anonymity: Mapped[str] = mapped_column(server_default="public")
    plan_id: Mapped[str | None]


class DedicationRow(SealedRecord):
    """A dedication letter. `handed_over_at`: handed to the mail service, or crashed while doing so.

    The digest of the recipient's address stays when the address goes: it finds whom an erasure is of, and who had letters enough.
    What is of the recipient goes with the donor, and with the recipient alone.
    """

    __tablename__ = "dedication"

    fields: ClassVar = SealedFields(
        scope=DONORS,
        table="dedication",
        key="donation_id",
        names=("honouree", "recipient_name", "recipient_email", "recipient_sha256"),
        indexed="recipient_sha256",
        index_column="recipient_index",
        apart="dedication:",
        goes_with="donation",
        of_another=("recipient_name", "recipient_email", "recipient_sha256"),
        another_column="recipient_sealed",
    )
    donation_id: Mapped[str] = mapped_column(primary_key=True)
    recipient_index: Mapped[bytes | None]
    recipient_sealed: Mapped[bytes | None]
    honouree = Personal[str]()
    recipient_name = Personal[str]()
    recipient_email = Personal[str]()
    recipient_sha256 = Personal[str]()
    plain_honouree: Mapped[str | None] = mapped_column("honouree")
    plain_recipient_name: Mapped[str | None] = mapped_column("recipient_name")
    plain_recipient_email: Mapped[str | None] = mapped_column("recipient_email")
    plain_recipient_sha256: Mapped[str | None] = mapped_column("recipient_sha256")
    kind: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime | None]
    handed_over_at: Mapped[datetime | None]
    withheld: Mapped[str | None]
    message_id: Mapped[str | None]

    @classmethod
    def told_to(cls, session: Session, recipient_sha256: str) -> ColumnElement[bool]:
        """Condition: its recipient has, or had, the address with this digest."""
        return or_(cls.is_of(session, recipient_sha256), cls.plain_recipient_sha256 == recipient_sha256)

    def forget_recipient(self) -> None:
        """Erase the recipient's name and address; the digest stays."""
        self.recipient_name = self.recipient_email = None


class SplitGiftRow(MaybeDueRow):
    """A split gift. `setups`: payment methods requested. `next_attempt_at`: when charging is retried."""

    __tablename__ = "split_gift"

    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str | None]
    setup_id: Mapped[str | None]
    setups: Mapped[int] = mapped_column(server_default="0")
    released_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SplitPartRow(Record):
    __tablename__ = "split_part"

    split_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    donation_id: Mapped[str]


class OfflineGiftRow(SealedRecord):
    __tablename__ = "offline_gift"

    fields: ClassVar = SealedFields(
        scope=DONORS,
        table="offline_gift",
        key="donation_id",
        names=("reference", "description", "appraiser"),
        indexed="reference",
        index_column="reference_index",
        apart="offline_gift:",
        goes_with="donation",
    )
    donation_id: Mapped[str] = mapped_column(primary_key=True)
    reference_index: Mapped[bytes | None]
    reference = Personal[str]()
    description = Personal[str]()
    appraiser = Personal[str]()
    plain_reference: Mapped[str | None] = mapped_column("reference")
    plain_description: Mapped[str | None] = mapped_column("description")
    plain_appraiser: Mapped[str | None] = mapped_column("appraiser")
    organization_id: Mapped[str]
    method: Mapped[str]
    is_reversed: Mapped[bool] = mapped_column(Boolean, server_default="false")


class ReceiptRow(DueRow):
    __tablename__ = "receipt"

    donation_id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str]
    sent_at: Mapped[datetime | None]
    traceparent: Mapped[str | None]
    received_at: Mapped[datetime | None]
    left_minor_units: Mapped[int | None]
    withheld: Mapped[str | None]
    message_id: Mapped[str | None]


class NoticeRow(DueRow):
    __tablename__ = "payment_notice"

    donation_id: Mapped[str] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime | None]
    withheld: Mapped[str | None]


class ErasureRow(Record):
    __tablename__ = "erasure"

    id: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]
    gifts: Mapped[int]
    entries: Mapped[int]
    events: Mapped[int]
    dedications: Mapped[int]


class RefundRequestRow(DueRow):
    """A refund requested by a member. `refusal`: error code if refused. Its id becomes the refund's."""

    __tablename__ = "refund_request"

    id: Mapped[str] = mapped_column(primary_key=True)
    organization_id: Mapped[str]
    donation_id: Mapped[str]
    minor_units: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    refusal: Mapped[str | None]
    created_at: Mapped[datetime]
