"""Measures overdue and abandoned work, one log line a minute, from which `stacks/observability.py` derives metrics and alarms."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import structlog

from amply.infra import outbox
from amply.infra.database import Database
from amply.modules import (
    applications,
    audit,
    defence,
    donations,
    ledger,
    payments,
    payouts,
    people,
    public_events,
    recurring,
    webhook_endpoints,
    webhooks,
)

EVENT: Final = "backlog_measured"

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """The log line's fields. Exhausted rows have used up their attempts, and wait for a person.

    Attributes:
        ledger_unpublished_seconds: Age of the oldest entry that no published checkpoint covers; 0 without one.
        exhausted_events: Provider events that could not be handled.
        failing_events: Provider events whose last attempt failed, and which are tried again.
        exhausted_payments: Payments whose intent could not be opened or found.
        exhausted_refunds: Refunds of ours of which the processor's answer never came, or that could not be made.
        exhausted_receipts: Receipts that could not be sent.
        exhausted_letters: Other letters that could not be sent: about plans, refused debits, dedications, closed forms,
            accounts and applications.
        exhausted_endings: Payments, and cards' setups, that were to end and could not be ended at the processor.
        exhausted_facts: Outbox rows that could not be put on a queue.
        awaited_events: Provider events about moved money whose type nobody handles yet: the books do not show it.
        reconciled_seconds: Since rows and log were last held together from end to end.
        payout_differences: Balances that have differed from the processor's for a day, and payouts from their items.
        unmatched_movements: What moved a balance at the processor and has had no entry for a day.
        bookings_paused: 1 while nothing may be booked, else 0. The ledger's age does not tell: nothing new waits then.
        late_plans: Recurring gifts that have been due for hours and were not tried, or were given up without an answer
            in the last week.
        late_applications: Applications that have waited for staff for longer than is promised, and organisations that passed
            their tier two months ago and are verified for no other.
        attacked_organizations: Organisations whose form is being used to test cards, or is closed because it was.
        unarchived_seals: Files of the audit log that should be in the archive and are not.
        unnoted_erasures: Deleted accounts that should be on the archive's list and are not.
        unpublished_events: Public events that the event bus should have had a quarter of an hour ago.
        undelivered_events: Public events whose deliveries were not made, or not attempted, for a quarter of an hour, though
            their endpoints would be sent them.
    """

    ledger_unpublished_seconds: float
    exhausted_events: int
    failing_events: int
    exhausted_payments: int
    exhausted_refunds: int
    exhausted_receipts: int
    exhausted_letters: int
    exhausted_endings: int
    exhausted_facts: int
    awaited_events: int
    reconciled_seconds: float
    payout_differences: int
    unmatched_movements: int
    bookings_paused: int
    late_plans: int
    late_applications: int
    attacked_organizations: int
    unarchived_seals: int
    unnoted_erasures: int
    unpublished_events: int
    undelivered_events: int


def measure(database: Database, *, now: datetime) -> Backlog:
    """Measure every backlog in one transaction."""
    with database.transaction() as session:
        return Backlog(
            ledger_unpublished_seconds=ledger.oldest_unpublished_age(session, now=now).total_seconds(),
            exhausted_events=webhooks.count_exhausted(session),
            failing_events=webhooks.count_failing(session),
            exhausted_payments=payments.count_exhausted(session),
            exhausted_refunds=payments.count_exhausted_refunds(session)
            + donations.count_exhausted_requests(session),
            exhausted_receipts=donations.count_exhausted_receipts(session),
            exhausted_letters=donations.count_exhausted_letters(session, now=now)
            + recurring.count_exhausted_letters(session)
            + defence.count_untold(session, now=now)
            + people.count_exhausted_letters(session, now=now)
            + applications.count_untold(session),
            exhausted_endings=payments.count_unended(session, now=now)
            + defence.count_open_setups(session, now=now),
            exhausted_facts=outbox.count_exhausted(session),
            awaited_events=webhooks.count_awaited(session),
            reconciled_seconds=ledger.reconciliation_age(session, now=now).total_seconds(),
            payout_differences=payouts.count_differences(session, now=now),
            unmatched_movements=payouts.count_unmatched(session, now=now),
            bookings_paused=int(not ledger.takes_entries(session)),
            late_plans=recurring.count_late(session, now=now),
            late_applications=applications.count_late(session, now=now)
            + applications.count_overdue(session, now=now),
            attacked_organizations=defence.count_attacks(session, now=now),
            unarchived_seals=audit.count_unarchived(session, now=now),
            unnoted_erasures=people.count_unnoted(session, now=now),
            unpublished_events=public_events.count_unpublished(session, now=now),
            undelivered_events=webhook_endpoints.count_late(session, now=now),
        )


def report(backlog: Backlog) -> None:
    """Log the line that the metric filters read."""
    _log.info(EVENT, **asdict(backlog))
