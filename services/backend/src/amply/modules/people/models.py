from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from amply.infra.due_rows import DueRow
from amply.infra.orm import Record


class PersonRow(Record):
    __tablename__ = "person"

    id: Mapped[str] = mapped_column(primary_key=True)
    address_index: Mapped[bytes | None]
    sealed_address: Mapped[bytes | None]
    password_hash: Mapped[str | None]
    language: Mapped[str]
    stamp: Mapped[int] = mapped_column(server_default="1")
    ip_binding: Mapped[str] = mapped_column(server_default="none")
    created_at: Mapped[datetime]
    password_changed_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    erasure_noted_at: Mapped[datetime | None]


class DeviceRow(Record):
    __tablename__ = "person_device"

    person_id: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[bytes] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


class TotpRow(Record):
    __tablename__ = "person_totp"

    person_id: Mapped[str] = mapped_column(primary_key=True)
    sealed_secret: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(server_default="0")
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class RecoveryCodeRow(Record):
    __tablename__ = "person_recovery_code"

    person_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(primary_key=True)


class PasskeyRow(Record):
    __tablename__ = "person_passkey"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    name: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class IdentityRow(Record):
    """`digest` is a keyed hash of provider, issuer and subject."""

    __tablename__ = "person_identity"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    provider: Mapped[str]
    digest: Mapped[bytes]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class ClaimRow(Record):
    __tablename__ = "address_claim"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str | None]
    address_index: Mapped[bytes]
    sealed_address: Mapped[bytes]
    password_hash: Mapped[str | None]
    language: Mapped[str]
    expires_at: Mapped[datetime]


class LetterRow(DueRow):
    __tablename__ = "person_letter"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    person_id: Mapped[str | None]
    claim_id: Mapped[str | None]
    address_index: Mapped[bytes]
    sealed_address: Mapped[bytes]
    language: Mapped[str]
    created_at: Mapped[datetime]
