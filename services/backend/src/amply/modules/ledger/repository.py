"""The SQL of posting: one statement writes an entry with all that belongs to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from amply.modules.ledger.domain import NewEntry, stored_key

# Transfers travel as JSON: one parameter, whatever their number. The tables' own checks run when the statement ends,
# and open accounts that are new. An entry whose key exists writes nothing at all.
POST: Final[TextClause] = text("""
    WITH posted AS (
        INSERT INTO entry
            (id, kind, organization_id, idempotency_key, event_at, created_at, reference, reverses, commitments)
        VALUES
            (:id, :kind, :organization_id, :idempotency_key, :event_at, :now, :reference, :reverses,
             CAST(:commitments AS jsonb))
        ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING id
    ), moved AS (
        INSERT INTO transfer (entry_id, line, debit, credit, currency, amount_minor)
        SELECT posted.id, given.line, given.debit, given.credit, given.currency, given.amount_minor
        FROM posted
        CROSS JOIN json_to_recordset(CAST(:transfers AS json))
            AS given (line smallint, debit text, credit text, currency text, amount_minor bigint)
    ), sealed AS (
        INSERT INTO opening (entry_id, sealed)
        SELECT posted.id, CAST(:sealed AS bytea) FROM posted WHERE CAST(:sealed AS bytea) IS NOT NULL
    )
    SELECT id FROM posted
""")

_STANDING: Final = text("""
    SELECT
        entry.id, entry.kind, entry.organization_id, entry.reverses,
        json_agg(
            json_build_object(
                'line', line, 'debit', debit, 'credit', credit, 'currency', currency, 'amount_minor', amount_minor
            )
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


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The entry that already has an idempotency key."""

    id: str
    says_the_same: bool


def parameters(
    entry: NewEntry,
    *,
    entry_id: str,
    commitments: Mapping[str, bytes],
    sealed: bytes | None,
    now: datetime,
) -> dict[str, Any]:
    """What `POST` is executed with."""
    return {
        "id": entry_id,
        "kind": entry.kind,
        "organization_id": entry.organization_id,
        "idempotency_key": stored_key(entry.idempotency_key),
        "event_at": entry.event_at,
        "now": now,
        "reference": entry.reference,
        "reverses": entry.reverses,
        "commitments": json.dumps({field: digest.hex() for field, digest in commitments.items()}),
        "transfers": json.dumps(_transfers(entry)),
        "sealed": sealed,
    }


def find_standing(session: Session, entry: NewEntry) -> Standing:
    """The entry with the same idempotency key, and whether it moves the same."""
    row = session.execute(_STANDING, {"idempotency_key": stored_key(entry.idempotency_key)}).mappings().one()
    asked = {
        "kind": entry.kind,
        "organization_id": entry.organization_id,
        "reverses": entry.reverses,
        "transfers": _transfers(entry),
    }
    return Standing(id=row["id"], says_the_same=all(row[name] == value for name, value in asked.items()))


def erase(session: Session, entry_ids: Sequence[str]) -> int:
    """Delete the openings of these entries; return how many entries had any."""
    return len(session.execute(_ERASE, {"entry_ids": list(entry_ids)}).all())


def _transfers(entry: NewEntry) -> list[dict[str, Any]]:
    return [
        {
            "line": line,
            "debit": transfer.debit,
            "credit": transfer.credit,
            "currency": transfer.amount.currency,
            "amount_minor": transfer.amount.minor_units,
        }
        for line, transfer in enumerate(entry.transfers)
    ]
