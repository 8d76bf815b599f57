"""Selects the facts to export next, from the rows as they are: missed ones are found later, exported ones are marked.

Of a span nothing is chosen before the table of consents was told of its last decision, and has not answered that it was withdrawn.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, insert, text
from sqlalchemy.orm import Session

from amply.infra.database import Database
from amply.kernel import ids
from amply.modules.sharing.domain import GIFTS_MAX
from amply.modules.sharing.models import BatchRow, FactRow
from amply.modules.sharing.names import LakeNames

_ONE_AT_A_TIME: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended('amply/sharing/choose', 0))")

_DUE: Final = text("""
    WITH last AS (
        SELECT DISTINCT ON (span_id, donation_id) span_id, donation_id, number, kept_minor
        FROM sharing_fact
        ORDER BY span_id, donation_id, number DESC
    ), covered AS (
        SELECT span.id AS span_id, donation.id AS donation_id, donation.minor_units,
            CASE
                WHEN donation.reversed_at IS NOT NULL OR donation.dispute_state = 'lost' THEN 0
                ELSE donation.minor_units - donation.refunded_minor_units
            END AS kept_minor,
            coalesce(receipt.received_at, donation.created_at) AS given_at
        FROM sharing_span AS span
        JOIN donation ON donation.donor_index = span.donor_index
        LEFT JOIN receipt ON receipt.donation_id = donation.id
        WHERE span.is_given
            AND span.told_version >= span.version
            AND donation.status = 'succeeded'
            AND (
                span.covers_all
                OR EXISTS (
                    SELECT FROM sharing_tick
                    WHERE sharing_tick.donation_id = donation.id AND sharing_tick.span_id = span.id
                )
            )
    )
    SELECT covered.*, coalesce(last.number, 0) AS number, coalesce(last.kept_minor, 0) AS told_minor
    FROM covered
    LEFT JOIN last ON last.span_id = covered.span_id AND last.donation_id = covered.donation_id
    WHERE last.number IS NULL OR last.kept_minor <> covered.kept_minor
    ORDER BY covered.span_id, covered.donation_id
    LIMIT :most
""")


def choose(database: Database, names: LakeNames, *, now: datetime) -> int:
    """Put due facts into one batch; return the number of gifts. Concurrent runs are serialised."""
    with database.transaction() as session:
        if not session.scalar(_ONE_AT_A_TIME):
            return 0
        rows = session.execute(_DUE, {"most": GIFTS_MAX}).all()
        if rows:
            _make_batch(session, names, rows, now=now)
        return len(rows)


def path_of(events: Sequence[str], *, now: datetime) -> str:
    """A batch's path, derived from its facts, so that a repeat writes to the same place."""
    named = hashlib.sha256("\n".join(sorted(events)).encode()).hexdigest()
    return f"donations/dt={now.date().isoformat()}/{named}.parquet"


def _make_batch(session: Session, names: LakeNames, rows: Sequence[Row[Any]], *, now: datetime) -> None:
    facts = [fact for row in rows for fact in _facts(row, now=now)]
    events = [names.event(each["span_id"], each["donation_id"], each["number"]) for each in facts]
    batch_id = ids.new_id("shb")
    session.execute(insert(BatchRow).values(id=batch_id, path=path_of(events, now=now), next_attempt_at=now))
    session.execute(insert(FactRow), [{**each, "batch_id": batch_id} for each in facts])


def _facts(row: Row[Any], *, now: datetime) -> Iterator[dict[str, Any]]:
    """A gift's first line is what was given, whole; each other one is what changed since the line before."""
    told, number = row.told_minor, row.number
    if number == 0:
        told, number = row.minor_units, 1
        yield _line(row, number=1, amount=told, kept=told, on=row.given_at.date())
    if told != row.kept_minor:
        yield _line(row, number=number + 1, amount=row.kept_minor - told, kept=row.kept_minor, on=now.date())


def _line(row: Row[Any], *, number: int, amount: int, kept: int, on: date) -> dict[str, Any]:
    return {
        "span_id": row.span_id,
        "donation_id": row.donation_id,
        "number": number,
        "amount_minor": amount,
        "kept_minor": kept,
        "happened_on": on,
    }
