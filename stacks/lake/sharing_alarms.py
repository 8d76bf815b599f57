"""What rings when donors' decisions, or facts of their gifts, do not reach the lake."""

from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.alarms import Pager
from constructs_lib.line_alarms import RingingLine, ring_by_lines
from constructs_lib.log_numbers import LogNumbers

SHARED = (
    RingingLine(
        alarm="consents-untold",
        event="consent_not_told",
        minutes=30,
        period=15,
        meaning="For half an hour the lake's table could not be told of what donors decided about sharing.",
    ),
    RingingLine(
        alarm="facts-unwritten",
        event="facts_not_written",
        threshold=1,
        minutes=180,
        period=180,
        meaning="Within three hours files of facts that donors share could not be written more than once.",
    ),
)
"""The worker tries again every ten minutes what it could not tell, and every hour what it could not write."""


def watch_shared_data(scope: Construct, pager: Pager, *, worker_log: logs.ILogGroup, namespace: str) -> None:
    """Beside the platform's other alarms: the worker's log is read, and a stack of the lake that read it would have to go first."""
    ring_by_lines(pager, LogNumbers(scope, "Shared", log=worker_log, namespace=namespace), SHARED)
