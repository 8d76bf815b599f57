"""Alarms on missing settlements and revenue shares. None is urgent."""

from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.alarms import Pager
from constructs_lib.log_alarms import LogAlarm, make_log_alarms
from constructs_lib.metric_filters import MetricFilters

SOLD = (
    LogAlarm(
        alarm="data-unsettled",
        event="data_not_settled",
        minutes=240,
        period=120,
        meaning="For four hours a contract's month could not be settled, so that nobody owes or earns what it comes to.",
    ),
    LogAlarm(
        alarm="data-contracts-unreadable",
        event="data_contract_unreadable",
        minutes=120,
        period=120,
        meaning="A row of the table of contracts is not as commands write it, and none of its months is settled.",
    ),
    LogAlarm(
        alarm="data-shares-untold",
        event="data_share_not_told",
        minutes=240,
        period=120,
        meaning="For four hours the table of revenue could not be told of shares that are in the books.",
    ),
)
"""The worker tries each of them again every hour, so that two hours without such a line are an end of it."""


def watch_sold_data(scope: Construct, pager: Pager, *, worker_log: logs.ILogGroup, namespace: str) -> None:
    """Beside the platform's other alarms, as those of shared data."""
    make_log_alarms(pager, MetricFilters(scope, "Sold", log=worker_log, namespace=namespace), SOLD)
