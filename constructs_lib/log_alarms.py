"""Alarms on log lines: which line counts, the threshold, and what the alarm means."""

from collections.abc import Iterable
from dataclasses import dataclass

from constructs_lib.alarms import Pager, Severity
from constructs_lib.metric_filters import MetricFilters


@dataclass(frozen=True, kw_only=True)
class LogAlarm:
    """Rings when each of `periods` consecutive periods of `minutes` has more than `threshold` lines with `event`."""

    alarm: str
    event: str
    meaning: str
    metric: str | None = None
    """What its lines are counted as; by the event's own name where nothing is said."""
    severity: Severity = Severity.NOTICE
    threshold: int = 0
    minutes: int = 1
    period: int = 1
    periods: int | None = None


def make_log_alarms(pager: Pager, numbers: MetricFilters, lines: Iterable[LogAlarm]) -> None:
    """Create a metric filter and an alarm for each."""
    for line in lines:
        pager.above(
            line.alarm,
            numbers.count(line.event, line.metric or line.event),
            line.threshold,
            minutes=line.minutes,
            period=line.period,
            periods=line.periods,
            meaning=line.meaning,
            severity=line.severity,
        )
