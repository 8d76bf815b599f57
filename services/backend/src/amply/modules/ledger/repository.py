"""The SQL of posting: one statement writes an entry with all that belongs to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from amply.modules.ledger.domain import NewEntry

# Accounts are opened in one order, so that two entries opening the same ones wait for each other instead of
# deadlocking. An entry whose key exists writes nothing at all.
POST: Final[TextClause] = text("""
    WITH line AS (
        SELECT debit, credit, currency, amount_minor, number - 1 AS line
        FROM unnest(
            CAST(:debits AS text[]), CAST(:credits AS text[]), CAST(:currencies AS text[]), CAST(:amounts AS bigint[])
        ) WITH ORDINALITY AS given (debit, credit, currency, amount_minor, number)
    ), posted AS (
        INSERT INTO entry
            (id, kind, organization_id, idempotency_key, event_at, created_at, reference, reverses, commitments)
        VALUES
            (:id, :kind, :organization_id, :idempotency_key, :event_at, :now, :reference, :reverses,
             CAST(:commitments AS jsonb))
        ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING id
    ), opened AS (
        INSERT INTO account (owner, code, currency, created_at)
        SELECT split_part(named.reference, '/', 1), split_part(named.reference, '/', 2), named.currency, :now
        FROM (SELECT debit AS reference, currency FROM line UNION SELECT credit, currency FROM line) AS named
        CROSS JOIN posted
        ORDER BY named.reference, named.currency
        ON CONFLICT (reference, currency) DO NOTHING
    ), moved AS (
        INSERT INTO transfer (entry_id, line, debit, credit, currency, amount_minor)
        SELECT posted.id, line.line, line.debit, line.credit, line.currency, line.amount_minor
        FROM line CROSS JOIN posted
    ), sealed AS (
        INSERT INTO opening (entry_id, field, sealed)
        SELECT posted.id, given.field, given.sealed
        FROM unnest(CAST(:fields AS text[]), CAST(:sealed AS bytea[])) AS given (field, sealed)
        CROSS JOIN posted
    )
    SELECT id FROM posted
""")

_STANDING: Final = text("""
    SELECT
        entry.id, entry.kind, entry.organization_id, entry.reverses,
        array_agg(transfer.debit ORDER BY transfer.line) AS debits,
        array_agg(transfer.credit ORDER BY transfer.line) AS credits,
        array_agg(transfer.currency ORDER BY transfer.line) AS currencies,
        array_agg(transfer.amount_minor ORDER BY transfer.line) AS amounts
    FROM entry
    JOIN transfer ON transfer.entry_id = entry.id
    WHERE entry.idempotency_key = :idempotency_key
    GROUP BY entry.id
""")

_ERASE: Final = text("DELETE FROM opening WHERE entry_id = ANY(CAST(:entry_ids AS text[])) RETURNING field")


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
    sealed: Mapping[str, bytes],
    now: datetime,
) -> dict[str, Any]:
    """What `POST` is executed with."""
    return {
        "id": entry_id,
        "kind": entry.kind,
        "organization_id": entry.organization_id,
        "idempotency_key": entry.idempotency_key,
        "event_at": entry.event_at,
        "now": now,
        "reference": entry.reference,
        "reverses": entry.reverses,
        "commitments": json.dumps({field: digest.hex() for field, digest in commitments.items()}),
        "fields": list(sealed.keys()),
        "sealed": list(sealed.values()),
        **_moves(entry),
    }


def find_standing(session: Session, entry: NewEntry) -> Standing:
    """The entry with the same idempotency key, and whether it moves the same."""
    row = session.execute(_STANDING, {"idempotency_key": entry.idempotency_key}).mappings().one()
    asked = {
        "kind": entry.kind,
        "organization_id": entry.organization_id,
        "reverses": entry.reverses,
        **_moves(entry),
    }
    return Standing(id=row["id"], says_the_same=all(row[name] == value for name, value in asked.items()))


def erase(session: Session, entry_ids: Sequence[str]) -> int:
    """Delete every opening of these entries; return how many there were."""
    return len(session.execute(_ERASE, {"entry_ids": list(entry_ids)}).all())


def _moves(entry: NewEntry) -> dict[str, list[Any]]:
    return {
        "debits": [transfer.debit for transfer in entry.transfers],
        "credits": [transfer.credit for transfer in entry.transfers],
        "currencies": [transfer.amount.currency for transfer in entry.transfers],
        "amounts": [transfer.amount.minor_units for transfer in entry.transfers],
    }
