"""What rings when something that came in is not released as it should be."""

from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from constructs_lib.alarms import Pager, Severity, make_topic
from constructs_lib.log_numbers import LogNumbers
from stacks.contracts import RUNBOOKS
from stacks.stack import AmplyStack


def watch_arrivals(
    stack: AmplyStack, *, waiting: sqs.Queue, set_aside: sqs.Queue, log: logs.ILogGroup
) -> None:
    """Through topics of the stack's own: a flag that is off leaves nothing in the stacks below."""
    name, email = stack.settings.name, stack.settings.alarm_email
    pager = Pager(
        stack,
        "Alarms",
        topics={
            Severity.PAGE: make_topic(stack, "Topic", email=email),
            Severity.NOTICE: make_topic(stack, "Notices", email=email),
        },
        prefix=f"amply-{name}",
        runbooks=RUNBOOKS,
    )
    _watch_releases(pager, LogNumbers(stack, "Numbers", log=log, namespace=f"amply/{name}"))
    _watch_messages(pager, waiting=waiting, set_aside=set_aside)


def _watch_releases(pager: Pager, numbers: LogNumbers) -> None:
    """By the lines of the process that makes them."""
    pager.above(
        "k-anon-violations",
        numbers.count("k_anon_violation", "KAnonViolations"),
        0,
        minutes=1,
        meaning="Something was to be released in which people could be told apart; it was not released.",
        severity=Severity.PAGE,
    )
    pager.above(
        "files-set-aside",
        numbers.count("file_set_aside", "FilesSetAside"),
        0,
        minutes=1,
        meaning="A file that came in is not what its dataset's policy says, and is not released.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "releases-failing",
        numbers.count("release_failed", "ReleasesFailed"),
        0,
        minutes=60,
        period=20,
        meaning="A release has failed for an hour, again and again.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "releases-refused",
        numbers.count("release_refused", "ReleasesRefused"),
        0,
        minutes=1,
        meaning="A dataset was not released, since its description or what came in cannot be used as it is.",
        severity=Severity.NOTICE,
    )


def _watch_messages(pager: Pager, *, waiting: sqs.Queue, set_aside: sqs.Queue) -> None:
    """By the queue's own numbers."""
    pager.above(
        "arrivals-set-aside",
        set_aside.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        0,
        minutes=1,
        meaning="A message about something that came in could not be taken, and waits for a person.",
        severity=Severity.NOTICE,
    )
    pager.above(
        "arrivals-waiting",
        waiting.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        6 * 3600,
        minutes=15,
        period=5,
        meaning="The oldest message about something that came in has waited for more than six hours.",
        severity=Severity.NOTICE,
    )
