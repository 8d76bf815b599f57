"""Alarms on ingested data that is not released as it should be."""

from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from constructs_lib.alarms import Severity
from constructs_lib.log_alarms import LogAlarm, make_log_alarms
from constructs_lib.metric_filters import MetricFilters
from constructs_lib.queue_alarms import ring_when_set_aside, ring_when_waiting
from stacks.paging import make_pager, make_topics
from stacks.stack import AmplyStack

RELEASES = (
    LogAlarm(
        alarm="k-anon-violations",
        event="k_anon_violation",
        metric="KAnonViolations",
        meaning="Something was to be released in which people could be told apart; it was not released.",
        severity=Severity.PAGE,
    ),
    LogAlarm(
        alarm="files-set-aside",
        event="file_set_aside",
        metric="FilesSetAside",
        meaning="A file that came in is not what its dataset's policy says, and is not released.",
    ),
    LogAlarm(
        alarm="releases-failing",
        event="release_failed",
        metric="ReleasesFailed",
        # A turn may take two hours, and the pause after it comes on top: three of them are within five.
        minutes=300,
        period=20,
        periods=3,
        meaning="A release has failed again and again.",
    ),
    LogAlarm(
        alarm="releases-refused",
        event="release_refused",
        metric="ReleasesRefused",
        meaning="A dataset was not released, since its description or what came in cannot be used as it is.",
    ),
)
"""By the lines of the process that makes them."""


def watch_arrivals(
    stack: AmplyStack, *, waiting: sqs.Queue, set_aside: sqs.Queue, log: logs.ILogGroup
) -> None:
    """By what makes releases, and by the queue it takes from."""
    pager = make_pager(stack, make_topics(stack, Severity.PAGE, Severity.NOTICE))
    numbers = MetricFilters(stack, "Numbers", log=log, namespace=f"amply/{stack.settings.name}")
    make_log_alarms(pager, numbers, RELEASES)
    ring_when_set_aside(
        pager,
        "arrivals-set-aside",
        set_aside,
        meaning="A message about something that came in could not be taken, and waits for a person.",
    )
    ring_when_waiting(
        pager,
        "arrivals-waiting",
        waiting,
        6 * 3600,
        minutes=15,
        period=5,
        meaning="The oldest message about something that came in has waited for more than six hours.",
    )
