"""Inserts ledger rows past the application's checks, to test the database's own."""
# ruff: noqa: S608 -- statements are put together from this file's own words

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from amply.infra.database import Database
from amply.kernel.ids import new_random_id
from amply.modules.ledger import postings
from amply.modules.ledger.postings import Lines
from tests.backend.ledger_world import NOW, ORG
from tests.backend.unit.test_postings import euros

BALANCE = f"{ORG}/processor_balance"

TRANSFERS = """
    INSERT INTO transfer
        (entry_id, line, debit, credit, currency, amount_minor, phase, pending_entry_id, pending_line)
    VALUES (:id, 0, :debit, :credit, :currency, :amount, :phase, :pending_entry_id, :pending_line)
"""
ENTRY = f"""
    WITH posted AS (
        INSERT INTO entry
            (id, kind, organization_id, idempotency_key, event_at, created_at, reference, reverses, supersedes, matches,
             reason, commitments)
        VALUES
            (:id, :kind, :organization_id, :id, :now, :now, :reference, :reverses, :supersedes, :matches, :reason, '{{}}')
    )
    {TRANSFERS}
"""


def row(**changed: Any) -> dict[str, Any]:
    """A gift of 10.00 EUR, as the columns have it."""
    return {
        "id": new_random_id("ent"),
        "kind": "a.b",
        "organization_id": ORG,
        "now": NOW,
        "reference": None,
        "reverses": None,
        "supersedes": None,
        "matches": None,
        "reason": None,
        "debit": BALANCE,
        "credit": f"{ORG}/gifts",
        "currency": "EUR",
        "amount": 1000,
        "phase": None,
        "pending_entry_id": None,
        "pending_line": None,
    } | changed


def insert(database: Database, **changed: Any) -> str:
    """Past the application's own checks, straight into the tables; returns the entry's id."""
    given = row(**changed)
    with database.transaction() as session:
        session.execute(text(ENTRY), given)
    return str(given["id"])


def refused(database: Database, **changed: Any) -> str:
    """The name of the rule that refuses such a row."""
    with pytest.raises(DBAPIError) as caught:
        insert(database, **changed)
    cause = caught.value.orig
    assert isinstance(cause, psycopg.Error)
    return str(cause.diag.constraint_name)


def gift(amount: int = 1000) -> Lines:
    return postings.donation_succeeded(organization_id=ORG, amount=euros(amount))


def payout(amount: int) -> Lines:
    return postings.payout_created(owner=ORG, amount=euros(amount))


def refund(amount: int) -> Lines:
    return postings.refund(organization_id=ORG, amount=euros(amount))
