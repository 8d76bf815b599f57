"""Price rules of monitoring: logs, metrics, alarms, dashboards, canaries, traces."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from operations.cost.charge import HOURS, Charge, Priced, Rule
from operations.cost.errors import UnpricedError

_DAYS_A_MONTH = Decimal(30)
_STORED_SHARE = Decimal("0.15")
"""Of a log's size what is billed for keeping it: CloudWatch stores compressed, https://aws.amazon.com/cloudwatch/pricing/."""
_METRICS_OF_AN_ANOMALY = 3
"""The metric and the two edges of its band."""
_EVERY = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_FREE_PERCENT = Decimal(1)
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_HIGH_RESOLUTION_BELOW = 60
_CANARY_MEMORY_MB = 1000
"""What a canary's function gets when nothing is said."""


def log_group(it: Priced) -> Iterator[Charge]:
    kind = it.properties.get("LogGroupClass", "STANDARD")
    gb, months = it.assumed("log_gb"), it.number("RetentionInDays") / _DAYS_A_MONTH
    yield Charge(price=f"logs/{kind}/ingested", quantity=gb, what=f"{it.name}: written")
    yield Charge(price="logs/stored", quantity=gb * months * _STORED_SHARE, what=f"{it.name}: kept")


def metric_filter(it: Priced) -> Iterator[Charge]:
    metrics = len(it.properties["MetricTransformations"])
    yield Charge(price="metric", quantity=Decimal(metrics), what="metric read from a log")


def alarm(it: Priced) -> Iterator[Charge]:
    """Billed for each metric an alarm looks at."""
    measured = [entry for entry in it.properties.get("Metrics", []) if "MetricStat" in entry]
    periods = [entry["MetricStat"]["Period"] for entry in measured] or [it.properties.get("Period", 60)]
    metrics = max(1, len(measured))
    if "ThresholdMetricId" in it.properties:
        metrics *= _METRICS_OF_AN_ANOMALY
    fast = min(periods) < _HIGH_RESOLUTION_BELOW
    price = "alarm/high-resolution" if fast else "alarm"
    yield Charge(price=price, quantity=Decimal(metrics), what="alarm")


def composite_alarm(_it: Priced) -> Iterator[Charge]:
    yield Charge(price="alarm/composite", quantity=Decimal(1), what="composite alarm")


def dashboard(_it: Priced) -> Iterator[Charge]:
    yield Charge(price="dashboard", quantity=Decimal(1), what="dashboard")


def canary(it: Priced) -> Iterator[Charge]:
    """Each run, and the function it runs in."""
    every = _EVERY.fullmatch(str(it.properties["Schedule"]["Expression"]))
    if every is None:
        raise UnpricedError(it.resource.where, "its schedule is no rate of minutes, hours or days")
    runs = HOURS * 60 / (int(every[1]) * _MINUTES[every[2]])
    memory = Decimal(it.properties.get("RunConfig", {}).get("MemoryInMB", _CANARY_MEMORY_MB)) / 1024
    yield Charge(price="canary/run", quantity=runs, what=f"{it.name}: runs")
    yield Charge(
        price="lambda/x86_64",
        quantity=runs * memory * it.assumed("canary_seconds"),
        what=f"{it.name}: run time",
    )


def transaction_search(it: Priced) -> Iterator[Charge]:
    """Spans are kept as a log by AWS's own group; of their summaries in X-Ray the first per cent is free."""
    gb, months = it.assumed("span_gb"), it.assumed("span_months")
    indexed = max(Decimal(0), it.number("IndexingPercentage") - _FREE_PERCENT) / 100
    yield Charge(price="spans/ingested", quantity=gb, what="spans: written")
    yield Charge(price="logs/stored", quantity=gb * months * _STORED_SHARE, what="spans: kept")
    yield Charge(
        price="spans/indexed", quantity=it.assumed("spans_millions") * indexed, what="spans: summarised"
    )


RULES: Mapping[str, Rule] = {
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::CloudWatch::CompositeAlarm": composite_alarm,
    "AWS::CloudWatch::Dashboard": dashboard,
    "AWS::Logs::LogGroup": log_group,
    "AWS::Logs::MetricFilter": metric_filter,
    "AWS::Synthetics::Canary": canary,
    "AWS::XRay::TransactionSearchConfig": transaction_search,
}
