"""Due work of billing, by the sandbox's clock or by a test clock.

Rows are taken one at a time in the order they fall due, so that a clock which goes forward in one step does the same
as one that goes in many.
"""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from stripe_sandbox.errors import Json
from stripe_sandbox.operations import Call

OWN_TIME = ""  # in place of a test clock's id: the sandbox's own time

# renew: the period is over. end_trial, warn_of_trial_end, tell_upcoming: what the name says. expire: the first invoice
# was not paid within 23 hours. finalize, retry: an invoice's. resume_collection: a pause ends.
Work = Literal[
    "renew",
    "end_trial",
    "warn_of_trial_end",
    "tell_upcoming",
    "expire",
    "finalize",
    "retry",
    "resume_collection",
]


@dataclass(frozen=True)
class Row:
    """One piece of work on a subscription or an invoice. `due`: seconds since the epoch, by its clock."""

    work: Work
    subject: str
    due: int


def put(call: Call, work: Work, subject: Json, due: int) -> None:
    """Do this on a subscription or an invoice at `due`, in the time it lives in."""
    call.objects.connection.execute(
        "INSERT INTO billing_work (work, subject, account, clock, due) VALUES (?, ?, ?, ?, ?)",
        (work, subject["id"], call.objects.account, subject["test_clock"] or OWN_TIME, due),
    )


def take(connection: sqlite3.Connection, account: str, clock: str, until: int) -> Row | None:
    """Take the work that was due first, if any is due by `until`."""
    row = connection.execute(
        "DELETE FROM billing_work WHERE sequence = ("
        "  SELECT sequence FROM billing_work WHERE account = ? AND clock = ? AND due <= ?"
        "  ORDER BY due, sequence LIMIT 1)"
        " RETURNING work, subject, due",
        (account, clock, until),
    ).fetchone()
    return None if row is None else Row(row["work"], row["subject"], row["due"])


def clear(call: Call, clock: str) -> None:
    """Forget all work of a test clock."""
    call.objects.connection.execute(
        "DELETE FROM billing_work WHERE account = ? AND clock = ?", (call.objects.account, clock)
    )
