"""`python -m amply.entrypoints.scheduler`: relays the outbox and sends periodic tasks to the worker.

One instance is enough. Two at once are safe: outbox rows are claimed one by one, and tasks are idempotent.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from amply.adapters import sqs
from amply.adapters.eventbridge.public_events import EventBridgeBus
from amply.entrypoints import backlog, task_names
from amply.entrypoints.error_reporting import report_errors
from amply.entrypoints.shutdown_signals import stop_on_signals
from amply.entrypoints.traces import traced
from amply.infra import logging, outbox
from amply.infra.database import Database, connect
from amply.infra.heartbeat import beat
from amply.infra.settings import (
    DatabaseSettings,
    EventBusSettings,
    QueueSettings,
    ServiceSettings,
    TraceSettings,
)
from amply.kernel.clock import Clock, system_clock
from amply.modules import (
    applications,
    defence,
    donations,
    exports,
    giving,
    images,
    ingestion,
    ledger,
    members,
    onboarding,
    payouts,
    people,
    public_events,
    sharing,
    webhook_endpoints,
    webhooks,
)

TASKS_OF: Final = {
    webhooks.TOPIC_RECEIVED: (task_names.HANDLE_PROVIDER_EVENT, sqs.HIGH),
    ledger.TOPIC_CHECKPOINT_PUBLISHED: (task_names.SEND_DUE_RECEIPTS, sqs.LOW),
    donations.TOPIC_CONTESTED: (task_names.PAUSE_CONTESTED, sqs.HIGH),
    donations.TOPIC_REFUND_ASKED: (task_names.COMPLETE_STUCK, sqs.HIGH),
    defence.TOPIC_EXHAUSTED: (task_names.END_EXHAUSTED, sqs.HIGH),
    payouts.TOPIC_RECONCILIATION_REQUESTED: (task_names.RECONCILE_PAYOUT, sqs.LOW),
    giving.TOPIC_DOCUMENT_REQUESTED: (task_names.MAKE_DOCUMENTS, sqs.HIGH),
    images.TOPIC_RECEIVED: (task_names.MAKE_IMAGES, sqs.LOW),
    exports.TOPIC_EXPORT_REQUESTED: (task_names.MAKE_EXPORTS, sqs.LOW),
    donations.TOPIC_HIDDEN: (task_names.MAKE_EXPORTS, sqs.LOW),
    ingestion.TOPIC_SUBMITTED: (task_names.READ_FILES, sqs.LOW),
    ingestion.TOPIC_CHANGED: (task_names.TELL_DATASETS, sqs.LOW),
    giving.TOPIC_LINK_ASKED: (task_names.SEND_PLAN_LETTERS, sqs.HIGH),
    people.TOPIC_LETTER_ASKED: (task_names.SEND_PERSON_LETTERS, sqs.HIGH),
    sharing.TOPIC_CHANGED: (task_names.TELL_CONSENTS, sqs.LOW),
    public_events.TOPIC_RECORDED: (task_names.DELIVER_WEBHOOKS, sqs.LOW),
    webhook_endpoints.TOPIC_DELIVERY_REQUESTED: (task_names.DELIVER_WEBHOOKS, sqs.LOW),
    people.TOPIC_ERASED: (task_names.NOTE_ERASED, sqs.LOW),
    members.TOPIC_INVITED: (task_names.SEND_MEMBER_INVITATIONS, sqs.HIGH),
    onboarding.TOPIC_INVITED: (task_names.SEND_INVITATIONS, sqs.HIGH),
    applications.TOPIC_LETTER_OWED: (task_names.SEND_APPLICATION_LETTERS, sqs.HIGH),
    applications.TOPIC_REGISTER_ASKED: (task_names.ASK_REGISTERS, sqs.LOW),
    applications.TOPIC_DOCUMENT_REMOVED: (task_names.TIDY_DOCUMENTS, sqs.LOW),
    defence.TOPIC_FORM_CLOSED: (task_names.TELL_OF_CLOSINGS, sqs.LOW),
}
"""Task to send for each outbox topic; `_SENT` repeats them in case a message is lost."""

_TURN: Final = timedelta(milliseconds=200)

EVERY_30_SECONDS: Final = timedelta(seconds=30)
EVERY_MINUTE: Final = timedelta(minutes=1)
EVERY_5_MINUTES: Final = timedelta(minutes=5)
EVERY_HOUR: Final = timedelta(hours=1)
EVERY_6_HOURS: Final = timedelta(hours=6)

_SENT: Final = (
    (task_names.SEND_DUE_RECEIPTS, EVERY_30_SECONDS),
    (task_names.SEND_DUE_DEDICATIONS, EVERY_30_SECONDS),
    (task_names.HEAR_FEEDBACK, EVERY_30_SECONDS),
    (task_names.COMPLETE_STUCK, EVERY_30_SECONDS),
    (task_names.COMPLETE_SPLITS, EVERY_30_SECONDS),
    (task_names.END_EXHAUSTED, EVERY_30_SECONDS),
    (task_names.END_ABANDONED, EVERY_MINUTE),
    (task_names.RECONCILE, EVERY_MINUTE),
    (task_names.COLLECT_DUE, EVERY_30_SECONDS),
    (task_names.SEND_PLAN_LETTERS, EVERY_30_SECONDS),
    (task_names.MAKE_DOCUMENTS, EVERY_30_SECONDS),
    (task_names.LOOK_AT_ACCOUNTS, EVERY_MINUTE),
    (task_names.SEND_INVITATIONS, EVERY_30_SECONDS),
    (task_names.TELL_OF_CLOSINGS, EVERY_30_SECONDS),
    (task_names.SEND_MEMBER_INVITATIONS, EVERY_30_SECONDS),
    (task_names.SEND_APPLICATION_LETTERS, EVERY_30_SECONDS),
    (task_names.ASK_REGISTERS, EVERY_30_SECONDS),
    (task_names.TIDY_DOCUMENTS, EVERY_5_MINUTES),
    (task_names.WATCH_TIERS, EVERY_6_HOURS),
    (task_names.SEND_PERSON_LETTERS, EVERY_30_SECONDS),
    (task_names.NOTE_ERASED, EVERY_MINUTE),
    (task_names.MATCH_WAITING, EVERY_MINUTE),
    (task_names.CLOSE_DUE_BALANCES, EVERY_MINUTE),
    (task_names.FIND_MISSED, EVERY_5_MINUTES),
    (task_names.CHECK_DOMAINS, EVERY_5_MINUTES),
    (task_names.MAKE_EXPORTS, EVERY_MINUTE),
    (task_names.DELIVER_WEBHOOKS, EVERY_30_SECONDS),
    (task_names.TELL_CONSENTS, EVERY_MINUTE),
    (task_names.WRITE_FACTS, EVERY_HOUR),
    (task_names.SETTLE_DATA, EVERY_HOUR),
    (task_names.TELL_REVENUE, EVERY_5_MINUTES),
    (task_names.READ_FILES, EVERY_MINUTE),
    (task_names.TELL_DATASETS, EVERY_MINUTE),
    (task_names.MAKE_IMAGES, EVERY_MINUTE),
    (task_names.ARCHIVE_AUDIT, EVERY_5_MINUTES),
    (task_names.REENCRYPT_PERSONAL, EVERY_MINUTE),
)
"""Tasks sent to the worker periodically, and how often."""

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Job:
    """A periodic job. A failed run is logged, and the next one runs on schedule."""

    name: str
    every: timedelta
    run: Callable[[], object]


def jobs(
    database: Database, sender: sqs.TaskSender, bus: public_events.EventBus, clock: Clock
) -> tuple[Job, ...]:
    """All periodic jobs of the scheduler."""

    def relay() -> None:
        outbox.relay_batch(database, publish=sender.publish, now=clock())

    def publish() -> None:
        public_events.publish(database, bus, now=clock())

    def sweep() -> None:
        with database.transaction() as session:
            # While the booking gate is closed, announcing events would only use up their attempts; afterwards all are due at once.
            if ledger.takes_entries(session):
                webhooks.due_again(session, now=clock())

    def forget() -> None:
        with database.transaction() as session:
            outbox.forget_published(session, now=clock())
            defence.forget(session, now=clock())
        public_events.forget_old(database, now=clock())

    def fold() -> None:
        ledger.fold_days(database)

    def measure() -> None:
        backlog.report(backlog.measure(database, now=clock()))

    def send(task: str) -> Callable[[], None]:
        return lambda: sender.send(task, queue=sqs.LOW, arguments={})

    return (
        Job(name="relay the outbox", every=_TURN, run=relay),
        Job(name="put public events on the bus", every=timedelta(seconds=1), run=publish),
        Job(name="announce unhandled events again", every=timedelta(seconds=5), run=sweep),
        Job(name="fold the public ledger's days", every=timedelta(seconds=5), run=fold),
        *(Job(name=task, every=every, run=send(task)) for task, every in _SENT),
        Job(name="measure the backlog", every=timedelta(minutes=1), run=measure),
        Job(
            name="forget what left the outbox, who opened gifts, and old events",
            every=timedelta(hours=1),
            run=forget,
        ),
    )


def run(jobs: Sequence[Job], *, heartbeat_path: str, stopping: threading.Event) -> None:
    """Run due jobs in a loop, until `stopping` is set."""
    due = dict.fromkeys((job.name for job in jobs), time.monotonic())
    while not stopping.wait(_TURN.total_seconds()):
        for job in jobs:
            if time.monotonic() < due[job.name]:
                continue
            due[job.name] = time.monotonic() + job.every.total_seconds()
            try:
                job.run()
            except Exception:  # noqa: BLE001 -- one failing job must not stop the others
                _log.warning("job_failed", job=job.name, exc_info=True)
        beat(heartbeat_path)


def main() -> None:
    service = ServiceSettings()
    logging.configure(service=service.service)
    report_errors(service)
    stopping = stop_on_signals()
    database = connect(DatabaseSettings(), application=service.service, pool_size=2)
    sender = sqs.TaskSender(sqs.application(QueueSettings()), tasks_of=TASKS_OF)
    with traced(service, TraceSettings()):
        run(
            jobs(database, sender, EventBridgeBus(EventBusSettings()), system_clock),
            heartbeat_path=service.heartbeat_path,
            stopping=stopping,
        )
    database.close()


if __name__ == "__main__":
    main()
