"""Rows of pending webhook deliveries, which survive a restart."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from stripe_sandbox.errors import Json


@dataclass(frozen=True)
class Delivery:
    """One event to be sent: `attempts` before this one."""

    sequence: int
    event_id: str
    attempts: int
    body: str


@dataclass(frozen=True)
class Outcome:
    """What the endpoint answered; `status` is None when there was no answer."""

    status: int | None
    error: str | None = None

    @property
    def accepted(self) -> bool:
        """Any 2xx is an acknowledgement; a redirect is not."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # the 2xx range


def owe(connection: sqlite3.Connection, event_id: str, *, due: float) -> None:
    """A new delivery of an event, at the earliest at `due` (seconds since the epoch)."""
    connection.execute("INSERT INTO deliveries (event, state, due) VALUES (?, 'pending', ?)", (event_id, due))


def claim(connection: sqlite3.Connection, now: float) -> Delivery | None:
    """The delivery that has been due longest, marked as being sent."""
    row = connection.execute(
        "UPDATE deliveries SET state = 'sending'"
        " WHERE sequence = ("
        "   SELECT sequence FROM deliveries WHERE state = 'pending' AND due <= ? ORDER BY due, sequence LIMIT 1)"
        " RETURNING sequence, event, attempts",
        (now,),
    ).fetchone()
    if row is None:
        return None
    event = connection.execute("SELECT body FROM objects WHERE id = ?", (row["event"],)).fetchone()
    return Delivery(row["sequence"], row["event"], row["attempts"], event["body"])


def record(
    connection: sqlite3.Connection,
    delivery: Delivery,
    outcome: Outcome,
    *,
    now: float,
    retry_delays: Sequence[timedelta],
) -> None:
    """Keep what came of an attempt: delivered, to be retried after the next delay, or given up."""
    if outcome.accepted:
        state, due = "delivered", now
    elif delivery.attempts < len(retry_delays):
        state, due = "pending", now + retry_delays[delivery.attempts].total_seconds()
    else:
        state, due = "given_up", now
    connection.execute(
        "UPDATE deliveries SET state = ?, due = ?, attempts = ?, last_status = ?, last_error = ? WHERE sequence = ?",
        (state, due, delivery.attempts + 1, outcome.status, outcome.error, delivery.sequence),
    )


def next_due(connection: sqlite3.Connection) -> float | None:
    """When the next pending delivery is due, or None when none is pending."""
    due: float | None = connection.execute(
        "SELECT min(due) FROM deliveries WHERE state = 'pending'"
    ).fetchone()[0]
    return due


def pending_for(connection: sqlite3.Connection, event_id: str) -> int:
    """How many deliveries of an event are still owed."""
    row = connection.execute(
        "SELECT count(*) FROM deliveries WHERE event = ? AND state IN ('pending', 'sending')", (event_id,)
    ).fetchone()
    return int(row[0])


def listed(connection: sqlite3.Connection, event_id: str | None = None) -> list[Json]:
    """All deliveries, newest first, for people and tests."""
    rows = connection.execute(
        "SELECT d.*, json_extract(o.body, '$.type') AS type FROM deliveries d JOIN objects o ON o.id = d.event"
        " WHERE ? IS NULL OR d.event = ? ORDER BY d.sequence DESC LIMIT 1000",
        (event_id, event_id),
    ).fetchall()
    return [dict(row) for row in rows]
