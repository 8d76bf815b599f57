"""Queries of audit records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Text, cast, column, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from amply.infra.keyset import Order
from amply.kernel.clock import iso, iso_or_none
from amply.kernel.pagination import Page
from amply.modules.access import Access

LISTED_MAX: Final = 1_000

_RECORD: Final = table(
    "audit_record",
    *(column(name, Text) for name in ("id", "at", "actor", "action", "organization_id", "content")),
)
_NEWEST: Final = Order(name="audit", columns=(_RECORD.c.at, _RECORD.c.id), descending=True)
_FOUND = text("""
    SELECT record.id, CAST(record.content AS jsonb) AS said
    FROM audit_record record
    WHERE (CAST(:organization_id AS text) IS NULL OR record.organization_id = :organization_id)
      AND (CAST(:actor AS text) IS NULL OR record.actor = :actor)
      AND (CAST(:action AS text) IS NULL OR record.action = :action)
      AND (CAST(:since AS text) IS NULL OR record.at >= :since)
      AND (CAST(:until AS text) IS NULL OR record.at < :until)
      AND (CAST(:cursor AS text) IS NULL OR record.id < :cursor)
    ORDER BY record.id DESC
    LIMIT :limit
""")


@dataclass(frozen=True, kw_only=True)
class Search:
    """Filters of a search; all optional. `actor` is `kind:id`, `since` is inclusive, `until` exclusive."""

    organization_id: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def search(
    session: Session, wanted: Search, *, cursor: str | None = None, limit: int = 100
) -> Page[dict[str, Any]]:
    """Audit records, newest first. If the session is bound to an organisation, its own only."""
    limit = max(1, min(limit, LISTED_MAX))
    rows: Sequence[Any] = session.execute(
        _FOUND,
        {
            "organization_id": wanted.organization_id,
            "actor": wanted.actor,
            "action": wanted.action,
            "since": iso_or_none(wanted.since),
            "until": iso_or_none(wanted.until),
            "cursor": cursor,
            "limit": limit + 1,
        },
    ).all()
    shown = rows[:limit]
    return Page(
        items=[row.said for row in shown], next_cursor=shown[-1].id if len(rows) > limit and shown else None
    )


def own(
    session: Session, access: Access, wanted: Search, *, cursor: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Audit records of the caller's organisation, newest first.

    Raises:
        CursorNotAcceptable: The cursor is none of this list.
    """
    chosen = select(_RECORD.c.id, _RECORD.c.at, cast(_RECORD.c.content, JSONB).label("said")).where(
        access.covers(_RECORD.c.organization_id)
    )
    if wanted.actor is not None:
        chosen = chosen.where(_RECORD.c.actor == wanted.actor)
    if wanted.action is not None:
        chosen = chosen.where(_RECORD.c.action == wanted.action)
    if wanted.since is not None:
        chosen = chosen.where(_RECORD.c.at >= iso(wanted.since))
    if wanted.until is not None:
        chosen = chosen.where(_RECORD.c.at < iso(wanted.until))
    rows = session.execute(_NEWEST.page(chosen, cursor=cursor, limit=limit)).all()
    return Page(items=[row.said for row in rows[:limit]], next_cursor=_NEWEST.next_cursor(rows, limit=limit))
