"""Inserts months of gifts by many donors directly as rows."""

from typing import Any, Final

from fastapi.testclient import TestClient
from sqlalchemy import text

from amply.infra.database import Database

_COPY: Final = """
    INSERT INTO donation
    SELECT (jsonb_populate_record(CAST(NULL AS donation), to_jsonb(gift) || jsonb_build_object(
        'id', CAST(:name AS text) || number, 'donor_index', '\\x' || md5(CAST(:name AS text) || number % :people),
        'created_at', CAST(:at AS text), 'status', CAST(:status AS text), 'method', CAST(:method AS text),
        'organization_id', CAST(:organization_id AS text),
        'entry_id', CASE WHEN :status = 'succeeded' THEN 'ent_' || CAST(:name AS text) || number END
    ))).*
    FROM (SELECT * FROM donation ORDER BY id LIMIT 1) AS gift, generate_series(0, :gifts - 1) AS number
"""
_SPANS: Final = """
    INSERT INTO sharing_span (id, purpose, covers_all, next_attempt_at, changed_at, is_given)
    SELECT 'shr_' || CAST(:name AS text) || number, 'analytics', false, now(), now(), number >= :withdrew
    FROM generate_series(0, :ticked - 1) AS number
"""
_TICKS: Final = """
    INSERT INTO sharing_tick (donation_id, span_id)
    SELECT CAST(:name AS text) || number, 'shr_' || CAST(:name AS text) || number
    FROM generate_series(0, :ticked - 1) AS number
"""


def first_gift(client: TestClient, organization_id: str) -> None:
    """One that was begun over the API: others are made from it."""
    body = {
        "organization_id": organization_id,
        "amount": {"minor_units": "2500", "currency": "EUR"},
        "donor": {"name": "Ada", "email": "ada@example.org"},
    }
    given = client.post("/v1/donations", json=body, headers={"Idempotency-Key": "first"})
    assert given.status_code == 201, given.text


def gave(
    master: Database,
    month: str,
    people: int,
    ticked: int = 0,
    withdrew: int = 0,
    *,
    organization_id: str,
    gifts: int | None = None,
    status: str = "succeeded",
    method: str | None = None,
) -> None:
    """So many people gave in a month, in so many gifts; the first of them ticked, and the first of these took it back."""
    said: dict[str, Any] = {
        "name": f"don_{month}_{status}_{method}_{organization_id}_",
        "people": people,
        "gifts": gifts or people,
        "at": f"{month}-15T12:00:00Z",
        "status": status,
        "method": method,
        "organization_id": organization_id,
        "ticked": ticked,
        "withdrew": withdrew,
    }
    put(master, _COPY, _SPANS, _TICKS, **said)


def put(master: Database, *statements: str, **values: Any) -> None:
    """As the owner of the tables, past their rules."""
    with master.transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            session.execute(text(statement), values)
