"""`python -m amply.entrypoints.worker`: runs tasks from the queues."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from celery import Celery

from amply.adapters import sqs
from amply.entrypoints import provider_events, task_names
from amply.entrypoints.error_reporting import report_errors
from amply.entrypoints.ingestion_tasks import ingestion_tasks
from amply.entrypoints.organization_tasks import (
    application_tasks,
    domain_tasks,
    image_tasks,
    onboarding_tasks,
)
from amply.entrypoints.personal_data import people_tasks
from amply.entrypoints.revenue_tasks import revenue_tasks
from amply.entrypoints.sharing_tasks import sharing_tasks
from amply.entrypoints.stripe_event_poller import poll_in_background
from amply.entrypoints.traces import traced
from amply.entrypoints.webhook_tasks import webhook_tasks
from amply.entrypoints.worker_heartbeat import show_life
from amply.entrypoints.worker_parts import CONCURRENCY, LOW_CONCURRENCY, Parts, parts_from_environment
from amply.infra import logging
from amply.infra.settings import (
    DatabaseSettings,
    QueueSettings,
    ServiceSettings,
    StripeQueueSettings,
    TraceSettings,
)
from amply.modules import (
    audit,
    donations,
    exports,
    giving,
    ledger,
    mail,
    payments,
    payouts,
    recurring,
    webhooks,
)

__all__ = ["RECONCILED", "Parts", "main", "register"]

RECONCILED: Final = "reconciliation_measured"
"""Event name of the log line about comparing rows and log; `differences` is 1 if there is one."""

_log = structlog.get_logger()


def register(app: Celery, parts: Parts) -> None:
    """Give the application its tasks. Unknown arguments are tolerated: sender and worker deploy at different times."""
    for name, work in (
        *_event_tasks(parts),
        *_upkeep_tasks(parts),
        *_stuck_payment_tasks(parts),
        *_ending_tasks(parts),
        *_letter_tasks(parts),
        *_processor_tasks(parts),
        *_plan_tasks(parts),
        *onboarding_tasks(parts.onboarding, parts.member_invitations, parts.clock),
        *people_tasks(parts.people, parts.events.secrets, clock=parts.clock),
        *application_tasks(parts.applications, parts.clock),
        *image_tasks(parts.images, parts.clock),
        *domain_tasks(parts.domain_checks, parts.clock),
        *sharing_tasks(parts.data_sharing, parts.clock),
        *revenue_tasks(parts.data_settlement, parts.clock),
        *ingestion_tasks(parts.data_ingestion, parts.clock),
        *webhook_tasks(parts.webhook_delivery, parts.clock),
    ):
        # This application's alone: Celery would otherwise give them to every application of the process.
        app.task(name=name, bind=True, shared=False)(sqs.continuing(name, work))


def _event_tasks(parts: Parts) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Handling what the processor tells of."""
    handling = provider_events.EventHandlers(
        events=parts.events,
        payouts=parts.payouts,
        accounts=parts.onboarding.handling,
        source=parts.missed_events.source,
        clock=parts.clock,
    )

    def handle_provider_event(*, event_id: str, **_: Any) -> None:
        outcome = provider_events.handle(handling, event_id)
        _log.info("provider_event_handled", event_id=event_id, outcome=outcome)

    return ((task_names.HANDLE_PROVIDER_EVENT, handle_provider_event),)


def _upkeep_tasks(parts: Parts) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Holding the database against the log, archiving what was done, and making the files of organisations."""

    def reconcile(**_: Any) -> None:
        looked = ledger.reconcile_on(parts.events.database, now=parts.clock())
        if looked.difference is not None:
            _log.error(
                "books_differ", difference=looked.difference, runbook="docs/runbooks/alarms/books-differ.md"
            )
        _log.info(
            RECONCILED,
            entries=looked.entries,
            checked_to=looked.checked_to,
            differences=int(looked.difference is not None),
        )

    def archive_audit(**_: Any) -> None:
        files = audit.seal_and_archive(parts.events.database, parts.audit_archive, now=parts.clock())
        if files:
            _log.info("audit_archived", count=files)

    def make_exports(**_: Any) -> None:
        made = exports.make_exports(parts.exports, now=parts.clock())
        if made:
            _log.info("exports_made", count=made)

    return (
        (task_names.RECONCILE, reconcile),
        (task_names.ARCHIVE_AUDIT, archive_audit),
        (task_names.MAKE_EXPORTS, make_exports),
    )


def _stuck_payment_tasks(parts: Parts) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Making refunds that were asked for, and finishing what a crash left."""

    def complete_stuck(*, refund_id: str | None = None, **_: Any) -> None:
        refunding = donations.RefundDependencies(
            database=parts.events.database,
            processor=parts.events.processor,
            secrets=parts.events.secrets,
            clock=parts.clock,
        )
        asked = donations.carry_out_requests(refunding)
        if asked:
            _log.info("refund_requests_decided", count=asked)
        if refund_id is not None:
            return  # told of a request: what else is stuck has its own turn, and does not hold every thread meanwhile
        completed = donations.complete_stuck(parts.events.database, parts.events.processor, clock=parts.clock)
        if completed:
            _log.warning("stuck_payments_completed", count=completed)
        refunded = donations.complete_stuck_refunds(refunding)
        if refunded:
            _log.warning("stuck_refunds_completed", count=refunded)

    def complete_splits(**_: Any) -> None:
        paid = donations.complete_splits(
            donations.SplitGiftDependencies(
                database=parts.events.database,
                processor=parts.events.processor,
                method_cloning=parts.method_cloning,
                clock=parts.clock,
            )
        )
        if paid:
            _log.warning("split_gifts_paid_on", count=paid)

    return (
        (task_names.COMPLETE_STUCK, complete_stuck),
        (task_names.COMPLETE_SPLITS, complete_splits),
    )


def _ending_tasks(parts: Parts) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Ending payments that cards are tried on, at once, and those that nobody pays, which may take its time."""

    def end_exhausted(**_: Any) -> None:
        ended = donations.end_exhausted(parts.events.database, parts.events.processor, clock=parts.clock)
        if ended:
            _log.info("payments_ended", count=ended)

    def end_abandoned(**_: Any) -> None:
        ended = donations.end_abandoned(parts.events.database, parts.events.processor, clock=parts.clock)
        if ended:
            _log.info("abandoned_payments_ended", count=ended)

    return (
        (task_names.END_EXHAUSTED, end_exhausted),
        (task_names.END_ABANDONED, end_abandoned),
    )


def _letter_tasks(parts: Parts) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Sending receipts, telling of dedications, and hearing what became of letters."""

    def send_due_receipts(**_: Any) -> None:
        sent = donations.send_due_receipts(parts.receipts, now=parts.clock())
        if sent:
            _log.info("receipts_sent", count=sent)
        told = donations.send_due_notices(parts.receipts, now=parts.clock())
        if told:
            _log.info("notices_sent", count=told)

    def send_due_dedications(**_: Any) -> None:
        sending = donations.DedicationDependencies(
            database=parts.receipts.database, mailer=parts.receipts.mailer
        )
        told = donations.send_due_dedications(sending, now=parts.clock())
        if told:
            _log.info("dedications_told", count=told)

    def hear_feedback(**_: Any) -> None:
        mail.hear_feedback(parts.mail_feedback, now=parts.clock())

    return (
        (task_names.SEND_DUE_RECEIPTS, send_due_receipts),
        (task_names.SEND_DUE_DEDICATIONS, send_due_dedications),
        (task_names.HEAR_FEEDBACK, hear_feedback),
    )


def _processor_tasks(parts: Parts) -> tuple[tuple[str, Callable[..., None]], ...]:
    """The tasks that hold the books against what the processor says."""

    def reconcile_payout(*, payout_id: str, account_id: str, **_: Any) -> None:
        try:
            payouts.reconcile(
                parts.payouts, payout_id=payout_id, account_id=account_id or None, now=parts.clock()
            )
        except (payouts.PayoutNotFound, payouts.PayoutNotReconciled, payments.ProcessorRefused) as error:
            # Retrying cannot change the result.
            _log.warning("payout_not_reconciled", payout_id=payout_id, reason=error.code)

    def match_waiting(**_: Any) -> None:
        found = payouts.match_waiting(parts.payouts, now=parts.clock())
        if found:
            _log.info("movements_matched", count=found)

    def close_books(**_: Any) -> None:
        payouts.close_due(parts.payouts, now=parts.clock())

    def find_missed(**_: Any) -> None:
        with parts.events.database.transaction() as session:
            known = payments.known_accounts(session)
        accounts = [None, *(account.account_id for account in known)]
        webhooks.find_missed_of(parts.missed_events, account_ids=accounts, now=parts.clock())

    return (
        (task_names.RECONCILE_PAYOUT, reconcile_payout),
        (task_names.MATCH_WAITING, match_waiting),
        (task_names.CLOSE_DUE_BALANCES, close_books),
        (task_names.FIND_MISSED, find_missed),
    )


def _plan_tasks(parts: Parts) -> tuple[tuple[str, Callable[..., None]], ...]:
    """Recurring gifts, the letters about them, and what donors ask for on their page."""

    def collect_due(**_: Any) -> None:
        looked = recurring.collect_due(parts.recurring, now=parts.clock())
        if looked:
            _log.info("plan_charges_looked_at", count=looked)

    def pause_contested(*, donation_id: str, **_: Any) -> None:
        recurring.pause_contested(parts.recurring, donation_id=donation_id, now=parts.clock())

    def send_letters(**_: Any) -> None:
        sent = recurring.send_letters(parts.recurring, now=parts.clock())
        if sent:
            _log.info("plan_letters_sent", count=sent)
        linked = giving.send_links(parts.recurring.writing, now=parts.clock())
        if linked:
            _log.info("donor_links_sent", count=linked)

    def make_documents(**_: Any) -> None:
        made = giving.make_documents(parts.receipts, parts.recurring.writing.key, now=parts.clock())
        if made:
            _log.info("donor_documents_made", count=made)

    return (
        (task_names.COLLECT_DUE, collect_due),
        (task_names.PAUSE_CONTESTED, pause_contested),
        (task_names.SEND_PLAN_LETTERS, send_letters),
        (task_names.MAKE_DOCUMENTS, make_documents),
    )


def main() -> None:
    service = ServiceSettings()
    logging.configure(service=service.service)
    report_errors(service)
    app = sqs.application(QueueSettings(), low_concurrency=LOW_CONCURRENCY)
    register(app, parts_from_environment())
    show_life(app, service.heartbeat_path)
    with traced(service, TraceSettings()):
        poll_in_background(StripeQueueSettings(), DatabaseSettings(), livemode=service.livemode)
        app.worker_main(
            [
                *("worker", "--pool=threads", f"--concurrency={CONCURRENCY}"),
                *(f"--queues={sqs.HIGH},{sqs.LOW}", "--loglevel=INFO"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ]
        )


if __name__ == "__main__":
    main()
