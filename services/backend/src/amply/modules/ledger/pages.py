"""An organisation's public ledger pages, read from the log's leaves alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.kernel.errors import NotFound
from amply.kernel.pagination import Page
from amply.modules.ledger.visibility import VisibilityPolicy

SCAN_MAX: Final = 2_000
"""Entries scanned for one filtered page, which may therefore be short or empty and still have a next one."""

# Entries are numbered in the order of the log, so those that a published checkpoint covers come first. Only what is not
# published yet lies above them, and is skipped: seconds of it, or as long as witnesses are missing.
_HEAD: Final = text("""
    SELECT
        newest.size AS published_size,
        coalesce(
            (SELECT org_seq + 1 FROM leaf WHERE org = :org AND idx < newest.size ORDER BY org_seq DESC LIMIT 1),
            0
        ) AS entries
    FROM (
        SELECT coalesce(max(size), 0) AS size FROM checkpoint WHERE published_at IS NOT NULL
    ) AS newest
""")

# An entry that no published checkpoint covers has no partner in these joins, and is not shown.
_READ: Final = """
    SELECT leaf.idx, leaf.org_seq, leaf.leaf_hash, leaf.bytes, covering.size AS checkpoint_size
    FROM leaf
    CROSS JOIN LATERAL (
        SELECT size FROM checkpoint WHERE size > leaf.idx AND published_at IS NOT NULL ORDER BY size LIMIT 1
    ) AS covering
    WHERE leaf.org = :org AND leaf.org_seq >= :seq_from AND leaf.org_seq < :seq_until
"""

_MATCHING: Final = """
      AND (CAST(:kind AS text) IS NULL OR CAST(convert_from(leaf.bytes, 'UTF8') AS jsonb) ->> 'kind' = :kind)
      AND (CAST(:since AS timestamptz) IS NULL
           OR CAST(CAST(convert_from(leaf.bytes, 'UTF8') AS jsonb) ->> 'ts' AS timestamptz) >= :since)
      AND (CAST(:until AS timestamptz) IS NULL
           OR CAST(CAST(convert_from(leaf.bytes, 'UTF8') AS jsonb) ->> 'ts' AS timestamptz) < :until)
"""

_NEWEST: Final = text(f"{_READ} ORDER BY leaf.org_seq DESC LIMIT :limit")
_NEWEST_MATCHING: Final = text(f"{_READ} {_MATCHING} ORDER BY leaf.org_seq DESC LIMIT :limit")
_OLDEST_MATCHING: Final = text(f"{_READ} {_MATCHING} ORDER BY leaf.org_seq")

# Where, below a place, entries of this kind and time can be: days tell it for all that is folded, and what is not
# folded yet must be looked at.
_SEEK: Final = text("""
    SELECT CASE
        WHEN EXISTS (
            SELECT FROM leaf
            WHERE org = :org AND org_seq = :before - 1 AND idx >= (SELECT folded_to FROM ledger_day_fold)
        ) THEN CAST(:before AS bigint)
        ELSE (
            SELECT max(least(last_seq + 1, :before))
            FROM ledger_day
            WHERE org = :org AND first_seq < :before
              AND (CAST(:kind AS text) IS NULL OR kind = :kind)
              AND (CAST(:since AS timestamptz) IS NULL
                   OR day >= CAST(CAST(:since AS timestamptz) AT TIME ZONE 'UTC' AS date))
              AND (CAST(:until AS timestamptz) IS NULL
                   OR day <= CAST(CAST(:until AS timestamptz) AT TIME ZONE 'UTC' AS date))
        )
    END
""")

_BY_HASH: Final = text("""
    SELECT leaf.entry_id, leaf.org, leaf.idx, leaf.leaf_hash, covering.size AS checkpoint_size
    FROM leaf
    CROSS JOIN LATERAL (
        SELECT size FROM checkpoint WHERE size > leaf.idx AND published_at IS NOT NULL ORDER BY size LIMIT 1
    ) AS covering
    WHERE leaf.leaf_hash = :leaf_hash
""")


class OrganizationHasNoLedger(NotFound):
    """No entry of this organisation is in the published log."""

    code = "organization_has_no_ledger"

    def __init__(self) -> None:
        super().__init__(
            "No entry of this organisation is in the published log; check its id, or come back after its first gift.",
            param="organization_id",
        )


class NotInLog(NotFound):
    """The published log has no such entry."""

    code = "not_in_log"

    def __init__(self) -> None:
        super().__init__("The log has no such entry, or not yet: a new one appears within seconds.")


@dataclass(frozen=True, kw_only=True)
class LedgerHead:
    """Size of the newest published tree, and the number of the organisation's entries in it."""

    entries: int
    published_size: int


@dataclass(frozen=True, kw_only=True)
class EntryFilter:
    """Filter by kind, and from `since` (inclusive) to `until` (exclusive). None: any."""

    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.kind is None and self.since is None and self.until is None

    def within(self, policy: VisibilityPolicy, *, now: datetime) -> "EntryFilter":
        """The same, and nothing that is too young to be shown."""
        latest = policy.entries_until(now)
        if latest is None:
            return self
        until = latest if self.until is None else min(self.until, latest)
        return EntryFilter(kind=self.kind, since=self.since, until=until)


@dataclass(frozen=True, kw_only=True)
class LoggedEntry:
    """An entry with its index in the log.

    Attributes:
        index: Place in the log, from 0.
        sequence: Place among the organisation's own, from 0.
        leaf: What the entry says: the parsed leaf, by the keys of docs/ledger-format.md §2.1.
        checkpoint_size: The smallest published checkpoint that covers it. What none covers is not shown.
    """

    index: int
    sequence: int
    leaf_hash: bytes
    leaf: dict[str, Any]
    checkpoint_size: int


@dataclass(frozen=True, kw_only=True)
class Location:
    """An entry's location in the log, as a hint: the log itself proves it."""

    entry_id: str
    organization_id: str
    index: int
    leaf_hash: bytes
    checkpoint_size: int


def ledger_head(session: Session, *, organization_id: str) -> LedgerHead:
    """How far the organisation's ledger goes.

    Raises:
        OrganizationHasNoLedger: Nowhere.
    """
    row = session.execute(_HEAD, {"org": organization_id}).one()
    if row.entries == 0:
        raise OrganizationHasNoLedger
    return LedgerHead(entries=row.entries, published_size=row.published_size)


def newest_entries(
    session: Session, *, organization_id: str, wanted: EntryFilter, before: int, limit: int
) -> Page[LoggedEntry]:
    """A page of entries below the sequence number `before`, newest first. Its cursor is the next page's `before`.

    With a filter it looks at no more than SCAN_MAX entries: the page may be short and still have a next one.
    """
    asked: dict[str, Any] = {"org": organization_id, "limit": limit}
    if wanted.is_open:
        low = max(0, before - limit)
        rows = session.execute(_NEWEST, {**asked, "seq_from": low, "seq_until": before}).all()
        return _page(rows, next_before=low)
    filters = {"kind": wanted.kind, "since": wanted.since, "until": wanted.until}
    start = session.scalar(_SEEK, {"org": organization_id, "before": before, **filters})
    if start is None:
        return Page(items=[], next_cursor=None)
    low = max(0, start - SCAN_MAX)
    rows = session.execute(_NEWEST_MATCHING, {**asked, **filters, "seq_from": low, "seq_until": start}).all()
    return _page(rows, next_before=int(rows[-1].org_seq) if len(rows) == limit else low)


def entries_between(
    session: Session, *, organization_id: str, wanted: EntryFilter, sequences: range
) -> Sequence[LoggedEntry]:
    """The wanted ones among the published entries of these sequence numbers, oldest first."""
    rows = session.execute(
        _OLDEST_MATCHING,
        {
            "org": organization_id,
            "seq_from": sequences.start,
            "seq_until": sequences.stop,
            "kind": wanted.kind,
            "since": wanted.since,
            "until": wanted.until,
        },
    )
    return [_logged(row) for row in rows]


def locate(session: Session, *, leaf_hash: bytes) -> Location:
    """Find a published entry by its leaf hash (32 bytes): what a receipt and a mirror give, and no name of ours.

    Raises:
        NotInLog: There is none.
    """
    row = session.execute(_BY_HASH, {"leaf_hash": leaf_hash}).one_or_none()
    if row is None:
        raise NotInLog
    return Location(
        entry_id=row.entry_id,
        organization_id=row.org,
        index=row.idx,
        leaf_hash=bytes(row.leaf_hash),
        checkpoint_size=row.checkpoint_size,
    )


def _page(rows: Sequence[Any], *, next_before: int) -> Page[LoggedEntry]:
    return Page(
        items=[_logged(row) for row in rows], next_cursor=str(next_before) if next_before > 0 else None
    )


def _logged(row: Any) -> LoggedEntry:
    return LoggedEntry(
        index=row.idx,
        sequence=row.org_seq,
        leaf_hash=bytes(row.leaf_hash),
        leaf=json.loads(bytes(row.bytes)),
        checkpoint_size=row.checkpoint_size,
    )
