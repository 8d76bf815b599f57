"""What Stripe does some time after it answered, kept as due rows so that a restart forgets none of it."""

import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from stripe_sandbox.operations import Call

# settle: give a captured charge its balance transaction. debit: hear from the donor's bank about a direct debit.
# dispute: the cardholder asks for the money back. decide_dispute: their bank has read the evidence.
# warn: the cardholder's bank reports fraud before anybody disputes. finish_refund: hear from the donor's bank about a refund.
# submit_payout: hand a payout to the bank. settle_payout: hear from that bank.
Work = Literal[
    "settle",
    "debit",
    "dispute",
    "decide_dispute",
    "warn",
    "finish_refund",
    "submit_payout",
    "settle_payout",
]


@dataclass(frozen=True)
class Due:
    """One piece of work on one object: a charge, a refund, a dispute, a payout."""

    work: Work
    subject: str


def put_off(call: Call, work: Work, subject: str, delay: timedelta = timedelta(0)) -> None:
    """Do this work on an object of the call's account after `delay`."""
    call.objects.connection.execute(
        "INSERT INTO due_work (work, subject, account, due) VALUES (?, ?, ?, ?)",
        (work, subject, call.objects.account, call.now + delay.total_seconds()),
    )


def take_due(connection: sqlite3.Connection, account: str, moment: float) -> list[Due]:
    """Take what is due on an account by `moment`, in the order it fell due."""
    rows = connection.execute(
        "DELETE FROM due_work WHERE account = ? AND due <= ? RETURNING due, sequence, work, subject",
        (account, moment),
    ).fetchall()
    return [
        Due(row["work"], row["subject"])
        for row in sorted(rows, key=lambda row: (row["due"], row["sequence"]))
    ]


def accounts_due(connection: sqlite3.Connection, moment: float) -> list[str]:
    """The accounts that have something due."""
    rows = connection.execute("SELECT DISTINCT account FROM due_work WHERE due <= ?", (moment,)).fetchall()
    return [row["account"] for row in rows]


def next_due(connection: sqlite3.Connection) -> float | None:
    """When the next work is due (seconds since the epoch), or None when there is none."""
    due: float | None = connection.execute("SELECT min(due) FROM due_work").fetchone()[0]
    return due
