"""SQL of posting: one statement inserts an entry with everything that belongs to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from amply.modules.ledger.domain import NewEntry, NewTransfer, stored_key

# An entry travels as JSON, and so do its transfers: each parameter more costs the driver more than the database needs
# to read it out of there. The tables' own checks run when the statement ends, and open accounts that are new. An entry
# whose key exists writes nothing at all.
POST: Final[TextClause] = text("""
    WITH posted AS (
        INSERT INTO entry
            (id, kind, organization_id, idempotency_key, event_at, created_at, reference, reverses, supersedes, matches,
             reason, commitments)
        SELECT *
        FROM json_to_record(CAST(:entry AS json)) AS given (
            id text, kind text, organization_id text, idempotency_key text, event_at timestamptz, created_at timestamptz,
            reference text, reverses text, supersedes text, matches text, reason text, commitments jsonb
        )
        ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING id
    ), moved AS (
        INSERT INTO transfer
            (entry_id, line, debit, credit, currency, amount_minor, phase, pending_entry_id, pending_line)
        SELECT posted.id, given.*
        FROM posted
        CROSS JOIN json_to_recordset(CAST(:transfers AS json)) AS given (
            line smallint, debit text, credit text, currency text, amount_minor bigint,
            phase text, pending_entry_id text, pending_line smallint
        )
    ), sealed AS (
        INSERT INTO opening (entry_id, sealed, donation_id)
        SELECT posted.id, CAST(:sealed AS bytea), CAST(:donation_id AS text)
        FROM posted
        WHERE CAST(:sealed AS bytea) IS NOT NULL
    )
    SELECT id FROM posted
""")

_STANDING: Final = text("""
    SELECT
        entry.id, entry.kind, entry.organization_id, entry.reverses, entry.supersedes, entry.matches, entry.reason,
        json_agg(
            json_strip_nulls(json_build_object(
                'line', line, 'debit', debit, 'credit', credit, 'currency', currency, 'amount_minor', amount_minor,
                'phase', phase, 'pending_entry_id', pending_entry_id, 'pending_line', pending_line
            ))
            ORDER BY transfer.line
        ) AS transfers
    FROM entry
    JOIN transfer ON transfer.entry_id = entry.id
    WHERE entry.idempotency_key = :idempotency_key
    GROUP BY entry.id
""")

_ERASE: Final = text(
    "DELETE FROM opening WHERE entry_id = ANY(CAST(:entry_ids AS text[])) RETURNING entry_id"
)

_DECIDE_CLOSURE: Final = text("""
    INSERT INTO account_closure (account, currency, is_closed, reason, decided_at)
    VALUES (:account, :currency, :is_closed, :reason, :now)
""")

_LINKS: Final = ("reference", "reverses", "supersedes", "matches", "reason")


@dataclass(frozen=True, kw_only=True)
class ExistingEntry:
    """The existing entry of an idempotency key."""

    id: str
    says_the_same: bool


def parameters(
    entry: NewEntry,
    *,
    entry_id: str,
    commitments: Mapping[str, bytes],
    sealed: bytes | None,
    donation_id: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Parameters of `POST`."""
    row: dict[str, Any] = {
        "id": entry_id,
        "kind": entry.kind,
        "organization_id": entry.organization_id,
        "idempotency_key": stored_key(entry.idempotency_key),
        "event_at": entry.event_at.isoformat(),
        "created_at": now.isoformat(),
        "commitments": {field: digest.hex() for field, digest in commitments.items()},
    }
    for name in _LINKS:
        if (value := getattr(entry, name)) is not None:
            row[name] = value
    return {
        "entry": json.dumps(row),
        "transfers": json.dumps(_transfers(entry)),
        "sealed": sealed,
        "donation_id": donation_id,
    }


def find_existing(session: Session, entry: NewEntry) -> ExistingEntry:
    """The existing entry of an idempotency key, and whether its transfers are the same."""
    row = session.execute(_STANDING, {"idempotency_key": stored_key(entry.idempotency_key)}).mappings().one()
    asked = {
        "kind": entry.kind,
        "organization_id": entry.organization_id,
        "reverses": entry.reverses,
        "supersedes": entry.supersedes,
        "matches": entry.matches,
        "reason": entry.reason,
        "transfers": _transfers(entry),
    }
    return ExistingEntry(id=row["id"], says_the_same=all(row[name] == value for name, value in asked.items()))


def erase(session: Session, entry_ids: Sequence[str]) -> int:
    """Delete the openings of these entries; return how many entries had any."""
    return len(session.execute(_ERASE, {"entry_ids": list(entry_ids)}).all())


def decide_closure(
    session: Session, *, account: str, currency: str, is_closed: bool, reason: str, now: datetime
) -> None:
    """Record that an account is closed or reopened."""
    decision = {
        "account": account,
        "currency": currency,
        "is_closed": is_closed,
        "reason": reason,
        "now": now,
    }
    session.execute(_DECIDE_CLOSURE, decision)


def _transfers(entry: NewEntry) -> list[dict[str, Any]]:
    return [_transfer(transfer, line=line) for line, transfer in enumerate(entry.transfers)]


def _transfer(transfer: NewTransfer, *, line: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "line": line,
        "debit": transfer.debit,
        "credit": transfer.credit,
        "currency": transfer.amount.currency,
        "amount_minor": transfer.amount.minor_units,
    }
    if transfer.phase is not None:
        row["phase"] = transfer.phase
    if transfer.pending is not None:
        pending_entry_id, _, pending_line = transfer.pending.partition("#")
        row |= {"pending_entry_id": pending_entry_id, "pending_line": int(pending_line)}
    return row
