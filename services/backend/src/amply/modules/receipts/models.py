from datetime import datetime
from typing import Any, ClassVar, Final

from sqlalchemy import ARRAY, Boolean, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.orm import Record
from amply.infra.vault import DONORS, Personal, SealedFields, SealedRecord

_JSON: Final = JSONB(none_as_null=True)


class ReceiptSettingsRow(Record):
    __tablename__ = "receipt_settings"

    organization_id: Mapped[str] = mapped_column(primary_key=True)
    jurisdiction: Mapped[str]
    legal_name: Mapped[str]
    registration_number: Mapped[str]
    address: Mapped[list[str]] = mapped_column(ARRAY(Text))
    place: Mapped[str]
    signatory: Mapped[str]
    language: Mapped[str]
    time_zone: Mapped[str]
    fiscal_year_starts: Mapped[int]
    brand_colour: Mapped[str]
    logo: Mapped[bytes | None]
    is_law_withheld: Mapped[bool] = mapped_column(Boolean, server_default="false")
    updated_at: Mapped[datetime]


class ReceiptFactsRow(SealedRecord):
    """`declares_gift_aid`: whether a declaration is among it that still counts. `forgets_gift_aid`: one that was withdrawn is
    in what is sealed still, until the worker has taken it out.
    """

    __tablename__ = "receipt_facts"

    fields: ClassVar = SealedFields(
        scope=DONORS,
        table="receipt_facts",
        key="donation_id",
        names=("address", "gift_aid", "advantage", "company"),
        goes_with="donation",
    )
    donation_id: Mapped[str] = mapped_column(primary_key=True)
    address = Personal[dict[str, Any]]()
    gift_aid = Personal[dict[str, Any]]()
    advantage = Personal[dict[str, Any]]()
    company = Personal[dict[str, Any]]()
    plain_address: Mapped[dict[str, Any] | None] = mapped_column("address", _JSON)
    plain_gift_aid: Mapped[dict[str, Any] | None] = mapped_column("gift_aid", _JSON)
    plain_advantage: Mapped[dict[str, Any] | None] = mapped_column("advantage", _JSON)
    plain_company: Mapped[dict[str, Any] | None] = mapped_column("company", _JSON)
    language: Mapped[str | None]
    declares_gift_aid: Mapped[bool] = mapped_column(Boolean, server_default="false")
    forgets_gift_aid: Mapped[bool] = mapped_column(Boolean, server_default="false")


class IssuedReceiptRow(SealedRecord):
    """`serial` is given by the database, which refuses any change but voiding, forgetting and sealing.

    `words`: a digest of what the receipt says, with `salt`; the database never changes it, and who opens the row compares.
    """

    __tablename__ = "issued_receipt"

    fields: ClassVar = SealedFields(
        scope=DONORS, table="issued_receipt", names=("document", "salt"), goes_with="donation"
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    document = Personal[dict[str, Any]]()
    salt = Personal[str]()
    plain_document: Mapped[dict[str, Any] | None] = mapped_column("document", _JSON)
    plain_salt: Mapped[str | None] = mapped_column("salt")
    words: Mapped[str | None]
    organization_id: Mapped[str]
    jurisdiction: Mapped[str]
    serial: Mapped[int]
    donation_id: Mapped[str]
    kind: Mapped[str]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    minor_units: Mapped[int]
    eligible_minor_units: Mapped[int]
    currency: Mapped[str]
    language: Mapped[str]
    replaces: Mapped[str | None]
    issued_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None]
