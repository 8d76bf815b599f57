"""`python -m amply.entrypoints.scheduler`: relays the outbox and starts what is due.

One is enough; two by accident do no harm, since the outbox is claimed row by row and every task tolerates repeats.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from amply.adapters import sqs
from amply.entrypoints import backlog, worker
from amply.entrypoints.errors import report_errors
from amply.entrypoints.stopping import stop_on_signals
from amply.entrypoints.traces import traced
from amply.infra import logging, outbox
from amply.infra.database import Database, connect
from amply.infra.heartbeat import beat
from amply.infra.settings import DatabaseSettings, QueueSettings, ServiceSettings, TraceSettings
from amply.kernel.clock import Clock, system_clock
from amply.modules import defence, ledger, payouts, webhooks

TASKS_OF: Final = {
    webhooks.FACT_RECEIVED: (worker.HANDLE_PROVIDER_EVENT, sqs.HIGH),
    ledger.CHECKPOINT_PUBLISHED: (worker.SEND_DUE_RECEIPTS, sqs.LOW),
    defence.FACT_EXHAUSTED: (worker.CLOSE_EXHAUSTED, sqs.HIGH),
    payouts.FACT_ASKED: (worker.RECONCILE_PAYOUT, sqs.LOW),
}

_TURN: Final = timedelta(milliseconds=200)

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something to do again and again. A run that fails is logged and the next one comes in its turn."""

    name: str
    every: timedelta
    run: Callable[[], object]


def jobs(database: Database, sender: sqs.TaskSender, clock: Clock) -> tuple[Job, ...]:
    """What is done how often."""

    def relay() -> None:
        outbox.relay_batch(database, publish=sender.publish, now=clock())

    def sweep() -> None:
        with database.transaction() as session:
            # While nothing may be booked, announcing only wears events out; afterwards all of them are due at once.
            if ledger.takes_entries(session):
                webhooks.due_again(session, now=clock())

    def forget() -> None:
        with database.transaction() as session:
            outbox.forget_published(session, now=clock())
            defence.forget(session, now=clock())

    def fold() -> None:
        ledger.fold_days(database)

    def measure() -> None:
        backlog.report(backlog.measure(database, now=clock()))

    def send(task: str) -> Callable[[], None]:
        return lambda: sender.send(task, queue=sqs.LOW, arguments={})

    return (
        Job(name="relay the outbox", every=_TURN, run=relay),
        Job(name="announce unhandled events again", every=timedelta(seconds=5), run=sweep),
        Job(name="send due receipts", every=timedelta(seconds=30), run=send(worker.SEND_DUE_RECEIPTS)),
        Job(name="tell of dedications", every=timedelta(seconds=30), run=send(worker.SEND_DUE_DEDICATIONS)),
        Job(name="hear what became of letters", every=timedelta(seconds=30), run=send(worker.HEAR_FEEDBACK)),
        Job(name="complete stuck payments", every=timedelta(seconds=30), run=send(worker.COMPLETE_STUCK)),
        Job(name="complete gifts to several", every=timedelta(seconds=30), run=send(worker.COMPLETE_SPLITS)),
        Job(name="end exhausted payments", every=timedelta(seconds=30), run=send(worker.CLOSE_EXHAUSTED)),
        Job(name="fold the public ledger's days", every=timedelta(seconds=5), run=fold),
        Job(name="hold rows and log together", every=timedelta(minutes=1), run=send(worker.RECONCILE)),
        Job(name="collect recurring gifts", every=timedelta(seconds=30), run=send(worker.COLLECT_DUE)),
        Job(name="send letters about them", every=timedelta(seconds=30), run=send(worker.SEND_PLAN_LETTERS)),
        Job(name="look at accounts", every=timedelta(minutes=1), run=send(worker.LOOK_AT_ACCOUNTS)),
        Job(name="send invitations", every=timedelta(seconds=30), run=send(worker.SEND_INVITATIONS)),
        Job(name="match what waits", every=timedelta(minutes=1), run=send(worker.MATCH_WAITING)),
        Job(
            name="hold books and processor together", every=timedelta(minutes=1), run=send(worker.CLOSE_BOOKS)
        ),
        Job(name="find undelivered events", every=timedelta(minutes=5), run=send(worker.FIND_MISSED)),
        Job(name="measure the backlog", every=timedelta(minutes=1), run=measure),
        Job(name="forget what left the outbox, and who opened gifts", every=timedelta(hours=1), run=forget),
    )


def run(jobs: Sequence[Job], *, heartbeat_path: str, stopping: threading.Event) -> None:
    """Turn until told to stop; each turn runs the jobs whose time has come."""
    due = dict.fromkeys((job.name for job in jobs), time.monotonic())
    while not stopping.wait(_TURN.total_seconds()):
        for job in jobs:
            if time.monotonic() < due[job.name]:
                continue
            due[job.name] = time.monotonic() + job.every.total_seconds()
            try:
                job.run()
            except Exception:  # noqa: BLE001 -- one failing job must not stop the others
                _log.warning("job failed", job=job.name, exc_info=True)
        beat(heartbeat_path)


def main() -> None:
    service = ServiceSettings()
    logging.configure(service=service.service)
    report_errors(service)
    stopping = stop_on_signals()
    database = connect(DatabaseSettings(), application=service.service, pool_size=2)
    sender = sqs.TaskSender(sqs.application(QueueSettings()), tasks_of=TASKS_OF)
    with traced(service, TraceSettings()):
        run(jobs(database, sender, system_clock), heartbeat_path=service.heartbeat_path, stopping=stopping)
    database.close()


if __name__ == "__main__":
    main()
