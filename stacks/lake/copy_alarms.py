"""Alarms on cross-region replication lag of the lake's buckets (S3) and tables (DynamoDB)."""

import re
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb

from constructs_lib.alarms import Pager, Severity
from stacks.paging import make_pager, make_topics
from stacks.stack import AmplyStack

PAGE: Final = "lake-copies"
LATE_MILLISECONDS: Final = 5 * 60_000
"""A second is the rule."""


def make_copies_pager(stack: AmplyStack) -> Pager:
    """Nobody is woken: releases wait for what is not copied, and say so, before anybody sees them."""
    return make_pager(stack, make_topics(stack, Severity.NOTICE), construct_id="CopyAlarms")


def watch_bucket(pager: Pager, what: str, failed: cloudwatch.Metric) -> None:
    """S3 does not try again by itself what it gave up: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html."""
    pager.above(
        f"{PAGE}-{_dashed(what)}",
        failed,
        0,
        minutes=5,
        period=5,
        meaning="S3 could not copy something of the lake into the second region, and does not try again.",
        severity=Severity.NOTICE,
        page=PAGE,
    )


def watch_table(pager: Pager, name: str, table: dynamodb.ITable, *, elsewhere: str) -> None:
    """DynamoDB measures what arrived: a table that is not written to is silent, which is no sign of anything.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_monitoring.html
    """
    pager.above(
        f"{PAGE}-table-{_dashed(name)}",
        cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name="ReplicationLatency",
            dimensions_map={"TableName": table.table_name, "ReceivingRegion": elsewhere},
            statistic="Maximum",
        ),
        LATE_MILLISECONDS,
        minutes=15,
        period=5,
        meaning="For a quarter of an hour the second region has had writes to a table of the lake more than five minutes late.",
        severity=Severity.NOTICE,
        page=PAGE,
    )


def _dashed(name: str) -> str:
    """`RevenueShare` as `revenue-share`, and prefixes of names likewise."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[^a-zA-Z]+", "-", name).lower()
