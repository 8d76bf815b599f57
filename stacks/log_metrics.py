"""Metric filters on the platform's logs, for alarms and the dashboard."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.metric_filters import MetricFilters
from constructs_lib.service import Service
from stacks.api import Api
from stacks.workers import Workers

BACKLOG = "backlog_measured"
"""What the scheduler's log line is called that holds the keys below; it writes one a minute."""
LEDGER_AGE = "ledger_unpublished_seconds"
EXHAUSTED: Mapping[str, str] = {
    "exhausted_events": "A provider event failed ten times and its gift may not be booked.",
    "exhausted_payments": "A payment could not be opened at the processor in ten attempts.",
    "exhausted_refunds": "A refund was reserved, and in ten attempts the processor did not say whether it has it.",
    "exhausted_receipts": "A receipt could not be sent in ten attempts.",
    "exhausted_letters": "A letter about a plan, a refused debit, a dedication or an account could not be sent as often as is tried.",
    "exhausted_endings": "A payment that was to end could not be ended at the processor in ten attempts.",
    "exhausted_facts": "A fact could not be put on its queue in ten attempts.",
}
"""Rows nobody will try again, by the key that counts them."""
RECONCILED_SECONDS = "reconciled_seconds"
"""Since rows and log were last held together from end to end."""
RECONCILED = "reconciliation_measured"
"""The worker's line about one look at them."""
DIFFERENCES = "differences"
AWAITED_EVENTS = "awaited_events"
"""Events about moved money that nobody handles yet."""
FAILING_EVENTS = "failing_events"
"""Events whose last attempt failed, and which are tried again."""
PAYOUT_DIFFERENCES = "payout_differences"
"""Balances that have differed from the processor's for a day, and payouts from their items."""
UNMATCHED_MOVEMENTS = "unmatched_movements"
"""What moved a balance at the processor and has been in no books for a day."""
ATTACKED_ORGANIZATIONS = "attacked_organizations"
"""Organisations whose form is being used to test cards."""
LATE_PLANS = "late_plans"
"""Recurring gifts that have been due for hours and were not tried, and those given up without an answer in the last week."""
UNARCHIVED_SEALS = "unarchived_seals"
"""Files of the audit log that should be in the archive and are not."""
UNNOTED_ERASURES = "unnoted_erasures"
"""Deleted accounts that should be on the archive's list and are not."""
UNPUBLISHED_EVENTS = "unpublished_events"
"""Public events that the event bus should have had a quarter of an hour ago."""
UNDELIVERED_EVENTS = "undelivered_events"
"""Public events that organisations' webhook endpoints should have been sent a quarter of an hour ago, were it for us."""
LATE_APPLICATIONS = "late_applications"
"""Organisations that have waited for staff for longer than is promised."""
BOOKINGS_PAUSED = "bookings_paused"
"""1 while nothing may be booked."""
CHECKPOINT = "checkpoint_measured"
"""The publisher's line about one publication."""
PUBLISHING = "publishing_seconds"
WITNESSED = "witnesses_measured"
"""The publisher's line about the witnesses of one publication, or of one that waits for them."""
WITNESSES_MISSING = "witnesses_missing"

WITNESS_CONTRADICTS = "witness_contradicts"
"""The publisher's line about a witness that has seen another log, or more than there is, and stands alone with it."""

COUNTED_BY_WORKER: Mapping[str, str] = {
    "personal_keys_away": "personal_keys_away",
    "key_tree_away": "key_tree_away",
    "gift_booked": "gift_booked",
    "payment_declined": "payment_declined",
    "fraud_warning": "fraud_warning",
}
COUNTED_BY_API: Mapping[str, str] = {
    "personal_keys_away": "personal_keys_away",
    "key_tree_away": "key_tree_away",
    "gift_opened": "gift_opened",
    "gift_challenged": "gift_challenged",
    "gift_refused": "gift_refused",
    "processor_refused": "stripe_refused",
    "processor_away": "stripe_did_not_answer",
    "database_away": "database_unavailable",
    "cache_away": "cache_away",
}
"""Metric names, and the event of the line that counts as one. Lines of both count together where the names are one."""


@dataclass(frozen=True, kw_only=True)
class LogMetrics:
    """Ages and durations are maxima of a period, everything else counts."""

    ledger_age: cloudwatch.Metric
    bookings_paused: cloudwatch.Metric
    attacked_organizations: cloudwatch.Metric
    late_plans: cloudwatch.Metric
    unarchived_seals: cloudwatch.Metric
    unnoted_erasures: cloudwatch.Metric
    unpublished_events: cloudwatch.Metric
    undelivered_events: cloudwatch.Metric
    late_applications: cloudwatch.Metric
    awaited_events: cloudwatch.Metric
    failing_events: cloudwatch.Metric
    payout_differences: cloudwatch.Metric
    unmatched_movements: cloudwatch.Metric
    reconciled_seconds: cloudwatch.Metric
    differences: cloudwatch.Metric
    witness_contradicts: cloudwatch.Metric
    publishing_seconds: cloudwatch.Metric
    witnesses_missing: cloudwatch.Metric
    exhausted: Mapping[str, cloudwatch.Metric]
    counted: Mapping[str, cloudwatch.Metric]


def measure(scope: Construct, *, namespace: str, api: Api, workers: Workers) -> LogMetrics:
    """Create all metric filters."""

    def numbers(name: str, service: Service) -> MetricFilters:
        return MetricFilters(scope, name, log=service.log, namespace=namespace)

    backlog = numbers("Backlog", workers.scheduler)
    work, answers = numbers("Work", workers.worker), numbers("Answers", api.service)
    publishing = numbers("Publishing", workers.publisher)
    return LogMetrics(
        ledger_age=backlog.highest(BACKLOG, LEDGER_AGE),
        reconciled_seconds=backlog.highest(BACKLOG, RECONCILED_SECONDS),
        differences=work.highest(RECONCILED, DIFFERENCES),
        witness_contradicts=publishing.count(WITNESS_CONTRADICTS, WITNESS_CONTRADICTS),
        awaited_events=backlog.highest(BACKLOG, AWAITED_EVENTS),
        failing_events=backlog.highest(BACKLOG, FAILING_EVENTS),
        payout_differences=backlog.highest(BACKLOG, PAYOUT_DIFFERENCES),
        unmatched_movements=backlog.highest(BACKLOG, UNMATCHED_MOVEMENTS),
        bookings_paused=backlog.highest(BACKLOG, BOOKINGS_PAUSED),
        attacked_organizations=backlog.highest(BACKLOG, ATTACKED_ORGANIZATIONS),
        late_plans=backlog.highest(BACKLOG, LATE_PLANS),
        unarchived_seals=backlog.highest(BACKLOG, UNARCHIVED_SEALS),
        unnoted_erasures=backlog.highest(BACKLOG, UNNOTED_ERASURES),
        unpublished_events=backlog.highest(BACKLOG, UNPUBLISHED_EVENTS),
        undelivered_events=backlog.highest(BACKLOG, UNDELIVERED_EVENTS),
        late_applications=backlog.highest(BACKLOG, LATE_APPLICATIONS),
        publishing_seconds=publishing.highest(CHECKPOINT, PUBLISHING),
        witnesses_missing=publishing.highest(WITNESSED, WITNESSES_MISSING),
        exhausted={key: backlog.highest(BACKLOG, key) for key in EXHAUSTED},
        counted={
            **{name: work.count(event, name) for name, event in COUNTED_BY_WORKER.items()},
            **{name: answers.count(event, name) for name, event in COUNTED_BY_API.items()},
        },
    )
