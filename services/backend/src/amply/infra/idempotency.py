"""Idempotency keys: a repeated request has one effect and gets the stored response.

The key's row is written in the transaction that writes the intent; the answer is stored with the outcome.
Scope is one route and one caller; the request is compared by hash, never by meaning.
"""

import hmac
import json
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import LargeBinary, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from amply.infra.orm import Record
from amply.kernel.errors import InvalidRequest

_SALT_BYTES: Final = 16
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

_TAKE: Final = text("""
    INSERT INTO idempotency_key (scope, key, request_hash, resource_id, created_at)
    VALUES (:scope, :key, :hash, :resource_id, :now)
    ON CONFLICT DO NOTHING
    RETURNING key
""")
_ANSWER: Final = text("""
    UPDATE idempotency_key SET response_status = :status, response_body = :body
    WHERE scope = :scope AND resource_id = :resource_id
""").bindparams(bindparam("body", type_=JSONB))


class IdempotencyKeyMissing(InvalidRequest):
    """The route moves money, or takes a file in, and came without a usable `Idempotency-Key`."""

    code = "idempotency_key_missing"


class IdempotencyKeyReused(InvalidRequest):
    """The key was used before with another request."""

    code = "idempotency_key_reused"


class IdempotencyRow(Record):
    """An idempotency key and, once known, its response. Columns as in migration 0001."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    resource_id: Mapped[str]
    response_status: Mapped[int | None]
    response_body: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """The response to an earlier request with the same key; `body` is None while that is in progress."""

    resource_id: str
    status: int | None
    body: Mapping[str, Any] | None


def check_key(key: str | None) -> str:
    """Refuse a missing or invalid key.

    Raises:
        IdempotencyKeyMissing: No key, or not 1 to 255 visible ASCII characters.
    """
    if key is None or not _KEY.fullmatch(key):
        raise IdempotencyKeyMissing(
            "Send an Idempotency-Key header of 1 to 255 visible ASCII characters, fresh for each gift, refund or file.",
            param="Idempotency-Key",
        )
    return key


def request_hash(body: Mapping[str, Any], *, salt: bytes) -> bytes:
    """A salt, and HMAC-SHA-256 under it of the request's content, independent of key order and white space.

    Salted per row, because the content is personal: equal requests of two donors must not look equal.
    """
    content = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return salt + hmac.digest(salt, content, "sha256")


def claim(
    session: Session, *, scope: str, key: str, body: Mapping[str, Any], resource_id: str, now: datetime
) -> StoredAnswer | None:
    """Claim the key for `resource_id`, or return what it stands for already.

    Waits for a concurrent request with the same key to commit; None means the key is ours.

    Raises:
        IdempotencyKeyReused: The key was used with another request.
    """
    digest = request_hash(body, salt=secrets.token_bytes(_SALT_BYTES))
    wanted = {"scope": scope, "key": key, "hash": digest, "resource_id": resource_id, "now": now}
    taken = session.execute(_TAKE, wanted).one_or_none()
    if taken is not None:
        return None
    row = session.scalars(
        select(IdempotencyRow).where(IdempotencyRow.scope == scope, IdempotencyRow.key == key)
    ).one()
    if row.request_hash != request_hash(body, salt=row.request_hash[:_SALT_BYTES]):
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used with another request: send a fresh key, or the same request again.",
            param="Idempotency-Key",
        )
    return StoredAnswer(resource_id=row.resource_id, status=row.response_status, body=row.response_body)


def store_answer(
    session: Session, *, resource_id: str, scope: str, status: int, body: Mapping[str, Any]
) -> None:
    """Store the response for repeated requests."""
    session.execute(
        _ANSWER, {"scope": scope, "resource_id": resource_id, "status": status, "body": dict(body)}
    )


def forget(session: Session, *, scope: str, resource_ids: Collection[str]) -> None:
    """Delete the keys of these resources with their responses, which may hold personal data."""
    session.execute(
        delete(IdempotencyRow).where(
            IdempotencyRow.scope == scope, IdempotencyRow.resource_id.in_(resource_ids)
        )
    )
