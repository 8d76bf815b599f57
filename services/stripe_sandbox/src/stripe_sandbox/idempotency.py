"""Idempotency keys as v1 of Stripe's API treats them (https://docs.stripe.com/api/idempotent_requests).

A key belongs to an account. The first answer after work began is stored and replayed, a declined card and a
server error included; nothing is stored for a request that was refused at the door.
"""

import hashlib
import json
import sqlite3
from dataclasses import dataclass

from stripe_sandbox.errors import IdempotencyInUseError, IdempotencyMismatchError, Json, ParameterError

MAXIMUM_KEY_LENGTH = 255
# Stripe keeps keys "at least 24 hours"; afterwards the same key makes a new request.
_KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Stored:
    """A stored response and its request."""

    status: int
    body: Json
    request_id: str


@dataclass(frozen=True)
class Claim:
    """A request's claim on a key. `scope`: the account, and the API generation."""

    scope: str
    key: str
    request_id: str


def fingerprint(method: str, path: str, params: Json) -> str:
    """Two requests are the same when endpoint and parameters are."""
    return hashlib.sha256(json.dumps([method, path, params], sort_keys=True).encode()).hexdigest()


def check_key(key: str) -> None:
    """Raises ParameterError for a key that Stripe would not take."""
    if not key.isprintable() or not 0 < len(key) <= MAXIMUM_KEY_LENGTH:
        raise ParameterError(f"Idempotency-Key must be 1 to {MAXIMUM_KEY_LENGTH} printable characters long.")


def begin(connection: sqlite3.Connection, claim: Claim, print_: str, now: int) -> Stored | None:
    """Take the key for this request, or return the answer it already has.

    Raises IdempotencyMismatchError, IdempotencyInUseError.
    """
    connection.execute(
        "DELETE FROM idempotency_keys WHERE scope = ? AND key = ? AND created < ?",
        (claim.scope, claim.key, now - _KEPT_SECONDS),
    )
    row = connection.execute(
        "SELECT * FROM idempotency_keys WHERE scope = ? AND key = ?", (claim.scope, claim.key)
    ).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO idempotency_keys (scope, key, fingerprint, created, request_id) VALUES (?, ?, ?, ?, ?)",
            (claim.scope, claim.key, print_, now, claim.request_id),
        )
        return None
    if row["fingerprint"] != print_:
        raise IdempotencyMismatchError(
            "Keys for idempotent requests can only be used with the same parameters and endpoint they were first "
            f"used with. Try using a key other than '{claim.key}' if you meant to execute a different request."
        )
    if row["status"] is None:
        raise IdempotencyInUseError(
            "There is currently another in-progress request using this Idempotent Key (that probably means you "
            f"submitted twice, and the other request is still going through): {claim.key}. Please try again later.",
            code="idempotency_key_in_use",
        )
    return Stored(row["status"], json.loads(row["body"]), row["request_id"])


def finish(connection: sqlite3.Connection, claim: Claim, status: int, body: Json) -> None:
    """Store the answer, in the same transaction as the work."""
    connection.execute(
        "UPDATE idempotency_keys SET status = ?, body = ? WHERE scope = ? AND key = ?",
        (status, json.dumps(body), claim.scope, claim.key),
    )


def forget(connection: sqlite3.Connection, claim: Claim) -> None:
    """Give the key back: nothing happened under it."""
    connection.execute(
        "DELETE FROM idempotency_keys WHERE scope = ? AND key = ? AND status IS NULL",
        (claim.scope, claim.key),
    )
