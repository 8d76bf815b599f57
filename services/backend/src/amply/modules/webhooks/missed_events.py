"""Finds provider events that were never delivered, in the provider's own event list, and stores them.

The list reaches back thirty days (docs.stripe.com/api/events). A walk remembers how far it came, an account each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.errors import AmplyError
from amply.modules.webhooks.models import EventWatermarkRow
from amply.modules.webhooks.ports import EventSource, KeepsEvent
from amply.modules.webhooks.service import ingest

LISTED_FOR: Final = timedelta(days=30)
"""How long the provider lists an event."""

DELIVERED_WITHIN: Final = timedelta(minutes=10)
"""Younger events may still be delivered, and are left to the next run."""

PAGES_MAX: Final = 20
"""Pages of events in one walk; the next run continues."""

LOOKED_EVERY: Final = timedelta(hours=1)
ACCOUNTS_MAX: Final = 20
"""Accounts checked in one run."""

_OVERLAP: Final = timedelta(minutes=10)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class MissedEventDependencies:
    """Dependencies of finding missed events. `livemode`: kind of events of this environment; `keeps` as for `ingest`."""

    database: Database
    source: EventSource
    livemode: bool
    keeps: KeepsEvent


@dataclass(frozen=True, kw_only=True)
class WalkResult:
    """Events listed, how many were new, and whether the walk reached the end."""

    listed: int
    missed: int
    completed: bool


def find_missed(parts: MissedEventDependencies, *, account_id: str | None, now: datetime) -> WalkResult:
    """Store undelivered events of one account; None is the platform's own.

    Storing is what `ingest` does: twice is once, and a type that nobody handles is kept where `keeps` says so.

    Raises:
        Whatever the source raises when it does not answer; what was stored by then stays.
    """
    with parts.database.transaction() as session:
        row = _watermark(session, account_id, now=now)
        since = max(row.seen_to - _OVERLAP, now - LISTED_FOR)
        began_at = row.began_at or now - DELIVERED_WITHIN
        until = row.walked_to or began_at
    listed = missed = 0
    older_than: str | None = None
    for _ in range(PAGES_MAX):
        page = parts.source.events_between(
            account_id=account_id, since=since, until=until, older_than=older_than
        )
        older_than = page.older_than
        listed += len(page.items)
        with parts.database.transaction() as session:
            for event in page.items:
                missed += event.livemode == parts.livemode and ingest(
                    session, event=event, livemode=parts.livemode, keeps=parts.keeps, now=now
                )
            row = _watermark(session, account_id, now=now)
            if older_than is None:
                row.seen_to, row.began_at, row.walked_to = max(row.seen_to, began_at), None, None
                row.looked_at = now
            else:
                # Include the oldest second again, since it may contain others.
                row.began_at, row.walked_to = began_at, page.items[-1].occurred_at + timedelta(seconds=1)
        if older_than is None:
            break
    if missed:
        _log.warning("events_missed", account_id=account_id, count=missed)
    return WalkResult(listed=listed, missed=missed, completed=older_than is None)


def find_missed_of(
    parts: MissedEventDependencies, *, account_ids: Sequence[str | None], now: datetime
) -> None:
    """Find missed events of the accounts that were not checked for longest.

    One whose provider does not answer has had its turn, and holds back no other.
    """
    with parts.database.transaction() as session:
        looked = {row.account_id: row.looked_at for row in session.scalars(select(EventWatermarkRow))}
    never = datetime.min.replace(tzinfo=now.tzinfo)
    turns = sorted(account_ids, key=lambda account_id: looked.get(account_id or "") or never)
    for account_id in turns[:ACCOUNTS_MAX]:
        if (looked.get(account_id or "") or never) > now - LOOKED_EVERY:
            return
        try:
            find_missed(parts, account_id=account_id, now=now)
        except AmplyError:
            _log.warning("events_not_listed", account_id=account_id, exc_info=True)
            with parts.database.transaction() as session:
                _watermark(session, account_id, now=now).looked_at = now


def _watermark(session: Session, account_id: str | None, *, now: datetime) -> EventWatermarkRow:
    """Locked. An account that was never looked at: from as far back as there is anything."""
    session.execute(
        insert(EventWatermarkRow)
        .values(account_id=account_id or "", seen_to=now - LISTED_FOR)
        .on_conflict_do_nothing()
    )
    chosen = select(EventWatermarkRow).where(EventWatermarkRow.account_id == (account_id or ""))
    return session.scalars(chosen.with_for_update()).one()
