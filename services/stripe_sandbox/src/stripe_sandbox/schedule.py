"""Scheduled work: what Stripe does some time after its response, as rows that survive a restart."""

import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from stripe_sandbox.operations import Call

# settle: give a captured charge its balance transaction. debit: hear from the donor's bank about a direct debit.
# dispute: the cardholder asks for the money back. decide_dispute: their bank has read the evidence.
# warn: the cardholder's bank reports fraud before anybody disputes. finish_refund: hear from the donor's bank about a refund.
# submit_payout: hand a payout to the bank. settle_payout: hear from that bank.
# follow_payment: tell an invoice what became of its PaymentIntent. advance_clock, delete_clock: a test clock's.
# forget_customer: end the subscriptions of one who was deleted.
Work = Literal[
    "settle",
    "debit",
    "dispute",
    "decide_dispute",
    "warn",
    "finish_refund",
    "submit_payout",
    "settle_payout",
    "follow_payment",
    "advance_clock",
    "delete_clock",
    "forget_customer",
]


@dataclass(frozen=True)
class ScheduledWork:
    """One piece of work on one object: a charge, a refund, a dispute, a payout. `due`: seconds since the epoch."""

    work: Work
    subject: str
    due: float


def put_off(call: Call, work: Work, subject: str, delay: timedelta = timedelta(0)) -> None:
    """Do this work on an object of the call's account after `delay`."""
    call.objects.connection.execute(
        "INSERT INTO due_work (work, subject, account, due) VALUES (?, ?, ?, ?)",
        (work, subject, call.objects.account, call.now + delay.total_seconds()),
    )


def take_due(connection: sqlite3.Connection, account: str, moment: float) -> list[ScheduledWork]:
    """Take what is due on an account by `moment`, in the order it fell due."""
    rows = connection.execute(
        "DELETE FROM due_work WHERE account = ? AND due <= ? RETURNING due, sequence, work, subject",
        (account, moment),
    ).fetchall()
    return [
        ScheduledWork(row["work"], row["subject"], row["due"])
        for row in sorted(rows, key=lambda row: (row["due"], row["sequence"]))
    ]


def drop(call: Call, work: Work, subject: str) -> None:
    """Nobody needs this work any more."""
    call.objects.connection.execute(
        "DELETE FROM due_work WHERE work = ? AND subject = ? AND account = ?",
        (work, subject, call.objects.account),
    )


def next_on(connection: sqlite3.Connection, account: str) -> float | None:
    """When the next work on an account is due, or None."""
    due: float | None = connection.execute(
        "SELECT min(due) FROM due_work WHERE account = ?", (account,)
    ).fetchone()[0]
    return due


def accounts_due(connection: sqlite3.Connection, moment: float) -> list[str]:
    """The accounts that have something due."""
    rows = connection.execute(
        "SELECT account FROM due_work WHERE due <= ?"
        " UNION SELECT account FROM billing_work WHERE clock = '' AND due <= ?",
        (moment, moment),
    ).fetchall()
    return [row["account"] for row in rows]


def next_due(connection: sqlite3.Connection) -> float | None:
    """When the next work is due (seconds since the epoch), or None when there is none."""
    due: float | None = connection.execute(
        "SELECT min(due) FROM (SELECT due FROM due_work UNION ALL SELECT due FROM billing_work WHERE clock = '')"
    ).fetchone()[0]
    return due
