"""Runs due work: in the next request on the account, or in a thread when none comes."""

from collections.abc import Callable
from dataclasses import replace

from stripe_sandbox import schedule
from stripe_sandbox.billing import agenda, clocks, collection, cycle, ending
from stripe_sandbox.clock import Clock, unix
from stripe_sandbox.due import DueLoop
from stripe_sandbox.objects import Objects
from stripe_sandbox.operations import Call
from stripe_sandbox.resources import (
    chargebacks,
    charges,
    direct_debits,
    early_fraud_warnings,
    payouts,
    refund_outcomes,
)
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store

_WORK: dict[schedule.Work, Callable[[Call, str], None]] = {
    "settle": charges.settle,
    "debit": direct_debits.finish,
    "dispute": chargebacks.begin,
    "decide_dispute": chargebacks.decide,
    "warn": early_fraud_warnings.begin,
    "finish_refund": refund_outcomes.finish,
    "submit_payout": payouts.submit,
    "settle_payout": payouts.settle,
    "follow_payment": collection.follow_payment,
    "advance_clock": cycle.advance,
    "delete_clock": clocks.delete_when_due,
    "forget_customer": ending.forget_customer,
}


def do_due(call: Call, *, moment: float) -> None:
    """Everything that is due on the account of a call by `moment`. The events belong to no request.

    What billing owes is done as of the time it was due at: months that pass at once are the same as months apart.
    """
    own = replace(call, request_id=None, idempotency_key=None)
    connection, account = call.objects.connection, call.objects.account
    while True:
        # Subscriptions and payments take turns by the time they are due at, however far the clock went at once.
        other = schedule.next_on(connection, account)
        until = int(moment if other is None else min(moment, other))
        row = agenda.take(connection, account, agenda.OWN_TIME, until)
        if row is not None:
            cycle.WORK[row.work](_as_of(own, row.due), row.subject)
            continue
        found = schedule.take_due(connection, account, moment)
        if not found:
            return
        for due in found:
            _WORK[due.work](own, due.subject)


def _as_of(call: Call, due: int) -> Call:
    return replace(call, objects=replace(call.objects, now=due))


class Later:
    """The thread that runs due work, and calls `after` when it did some."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, after: Callable[[], None]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._after = after
        self._loop = DueLoop("later", self.catch_up)
        self.start = self._loop.start
        self.wake = self._loop.wake
        self.stop = self._loop.stop

    def catch_up(self) -> float | None:
        """Do all that is due. Returns the seconds until something is, or None when nothing will be."""
        now = self._clock()
        with self._store.transaction() as connection:
            accounts = schedule.accounts_due(connection, now.timestamp())
            for account in accounts:
                call = Call.unasked(Objects(connection, account, unix(now)), self._settings)
                do_due(call, moment=now.timestamp())
            due = schedule.next_due(connection)
        if accounts:
            self._after()
        return None if due is None else due - now.timestamp()
