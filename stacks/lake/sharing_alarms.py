"""Alarms on consents, shared facts or ingested data that do not reach the lake."""

from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.alarms import Pager
from constructs_lib.log_alarms import LogAlarm, make_log_alarms
from constructs_lib.metric_filters import MetricFilters

SHARED = (
    LogAlarm(
        alarm="consents-untold",
        event="consent_not_told",
        minutes=30,
        period=15,
        meaning="For half an hour the lake's table could not be told of what donors decided about sharing.",
    ),
    LogAlarm(
        alarm="facts-unwritten",
        event="facts_not_written",
        threshold=1,
        minutes=180,
        period=180,
        meaning="Within three hours files of facts that donors share could not be written more than once.",
    ),
)
"""The worker tries again every ten minutes what it could not tell, and every hour what it could not write."""

HANDED_IN = (
    LogAlarm(
        alarm="datasets-untold",
        event="dataset_not_told",
        minutes=30,
        period=15,
        meaning="For half an hour the lake's table could not be told of sellers' datasets, closed ones among them.",
    ),
    LogAlarm(
        alarm="files-unread",
        event="file_not_read",
        minutes=120,
        period=60,
        meaning="In two hours running a file that was handed in could not be read; after five attempts it is given up.",
    ),
    LogAlarm(
        alarm="files-given-up",
        event="file_given_up",
        meaning="A file that was handed in could not be read in five attempts, and its sender was told to write to us.",
    ),
)
"""A dataset is told again after ten minutes at most; a file is read again after ten minutes, then ever later, five times."""


def watch_shared_data(scope: Construct, pager: Pager, *, worker_log: logs.ILogGroup, namespace: str) -> None:
    """Beside the platform's other alarms: the worker's log is read, and a stack of the lake that read it would have to go first."""
    numbers = MetricFilters(scope, "Shared", log=worker_log, namespace=namespace)
    make_log_alarms(pager, numbers, (*SHARED, *HANDED_IN))
