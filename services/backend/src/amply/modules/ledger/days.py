"""Daily sums by kind of entry, aggregated from published leaves: for totals and for finding old entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules.ledger.visibility import VisibilityPolicy

FOLD_LEAVES_MAX: Final = 20_000
"""Leaves aggregated in one transaction."""

FOLD_BATCHES_MAX: Final = 10
"""Transactions in one run; the next run continues."""

_LOCK: Final = text("SELECT folded_to FROM ledger_day_fold FOR UPDATE")
_PUBLISHED: Final = text("SELECT coalesce(max(size), 0) FROM checkpoint WHERE published_at IS NOT NULL")
_MOVE_ON: Final = text("UPDATE ledger_day_fold SET folded_to = :folded_to")

# What a pending transfer reserves has not moved, and what a void gives up never will: neither is a sum of anything.
_FOLD: Final = text("""
    INSERT INTO ledger_day (org, day, kind, currency, entries, amount_minor, first_seq, last_seq)
    SELECT
        read.org,
        CAST(left(read.leaf ->> 'ts', 10) AS date),
        read.leaf ->> 'kind',
        moved.cur,
        count(DISTINCT read.org_seq),
        coalesce(sum(moved.amt) FILTER (WHERE moved.phase IS NULL OR moved.phase = 'post'), 0),
        min(read.org_seq),
        max(read.org_seq)
    FROM (
        SELECT org, org_seq, CAST(convert_from(bytes, 'UTF8') AS jsonb) AS leaf
        FROM leaf
        WHERE idx >= :folded_to AND idx < :fold_to
    ) AS read
    CROSS JOIN LATERAL jsonb_to_recordset(read.leaf -> 'transfers') AS moved (cur text, amt numeric, phase text)
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (org, day, kind, currency) DO UPDATE SET
        entries = ledger_day.entries + excluded.entries,
        amount_minor = ledger_day.amount_minor + excluded.amount_minor,
        first_seq = least(ledger_day.first_seq, excluded.first_seq),
        last_seq = greatest(ledger_day.last_seq, excluded.last_seq)
""")

_SHOWN: Final = """
    FROM ledger_day
    WHERE org = :org
      AND day >= coalesce(CAST(:day_from AS date), '-infinity')
      AND day < coalesce(CAST(:day_until AS date), 'infinity')
      AND entries >= :minimum
"""

_DAYS: Final = text(f"""
    SELECT day, kind, currency, entries, amount_minor {_SHOWN} ORDER BY day DESC, kind, currency
""")

_TOTALS: Final = text(f"""
    SELECT kind, currency, CAST(sum(entries) AS bigint) AS entries, sum(amount_minor) AS amount_minor {_SHOWN}
    GROUP BY kind, currency
    ORDER BY kind, currency
""")

_RECEIVED: Final = text("""
    SELECT org, currency, sum(amount_minor) AS amount_minor
    FROM ledger_day
    WHERE kind = 'donation.succeeded' AND day >= :since
    GROUP BY org, currency
    ORDER BY org, currency
""")

_FOLDED_TO: Final = text("SELECT folded_to FROM ledger_day_fold")


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Total of one kind of entry in one currency: on one day (UTC), or on all shown days if `day` is None.

    `amount_minor` adds up the entries' transfers in minor units; it may be wider than 64 bits.
    """

    day: date | None
    kind: str
    currency: str
    entries: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Received:
    """Gifts to an organisation through the processor in one currency, fees included."""

    organization_id: str
    amount: Money


def received_since(session: Session, *, since: date) -> Sequence[Received]:
    """Gifts that have arrived since a day (UTC, included) and are published, by organisation and currency."""
    rows = session.execute(_RECEIVED, {"since": since})
    return [
        Received(
            organization_id=row.org, amount=Money(minor_units=int(row.amount_minor), currency=row.currency)
        )
        for row in rows
    ]


def fold_days(database: Database) -> int:
    """Fold what was published since the last time; return how many leaves. Two at once take turns.

    Leaves have no gaps and never change, so how far it came is all there is to remember.
    """
    folded = 0
    for _ in range(FOLD_BATCHES_MAX):
        batch = _fold_batch(database)
        if batch == 0:
            break
        folded += batch
    return folded


def _fold_batch(database: Database) -> int:
    with database.transaction() as session:
        folded_to = int(session.scalars(_LOCK).one())
        fold_to = min(int(session.scalars(_PUBLISHED).one()), folded_to + FOLD_LEAVES_MAX)
        if fold_to <= folded_to:
            return 0
        session.execute(_FOLD, {"folded_to": folded_to, "fold_to": fold_to})
        session.execute(_MOVE_ON, {"folded_to": fold_to})
        return fold_to - folded_to


def folded_size(session: Session) -> int:
    """The size of the published tree that the sums add up."""
    return int(session.scalars(_FOLDED_TO).one())


def days(
    session: Session,
    *,
    organization_id: str,
    policy: VisibilityPolicy,
    day_from: date,
    day_until: date,
    now: datetime,
) -> Sequence[Sum]:
    """Sums of the days from `day_from` to `day_until`, exclusive, newest first, as far as the policy shows them."""
    asked = _asked(organization_id, policy, now)
    latest = policy.days_until(now)
    until = day_until if latest is None else min(day_until, latest)
    rows = session.execute(_DAYS, {**asked, "day_from": day_from, "day_until": until})
    return [_sum(row.day, row) for row in rows]


def totals(
    session: Session, *, organization_id: str, policy: VisibilityPolicy, now: datetime
) -> Sequence[Sum]:
    """Sums over all days that the policy shows: a sum that is not shown is not in its total either."""
    asked = _asked(organization_id, policy, now)
    return [_sum(None, row) for row in session.execute(_TOTALS, asked)]


def _asked(organization_id: str, policy: VisibilityPolicy, now: datetime) -> Mapping[str, Any]:
    return {
        "org": organization_id,
        "day_from": None,
        "day_until": policy.days_until(now),
        "minimum": policy.minimum or 1,
    }


def _sum(day: date | None, row: Any) -> Sum:
    amount: Decimal = row.amount_minor
    return Sum(day=day, kind=row.kind, currency=row.currency, entries=row.entries, amount_minor=int(amount))
