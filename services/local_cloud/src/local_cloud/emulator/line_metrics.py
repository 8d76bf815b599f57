"""Turns log lines into metric data points by metric filters, as CloudWatch Logs does.

A line that matches is a point: a number of the filter's own, or one that stands in the line. A filter with a default value has that
for each minute in which its log group got lines and none matched, so that a quiet minute of a log that speaks is a zero, not
silence. Nothing of MiniStack is imported here. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final, TypeGuard

from local_cloud.emulator.filter_patterns import Line, NotUnderstoodError, Pattern, Selector, parse

logger = logging.getLogger("amply.metric_filters")

_MINUTE_SECONDS: Final = 60
_VALUES_OF_A_DATUM_MAX: Final = 150
"""PutMetricData takes so many."""
_END_OF_A_MINUTE_SECONDS: Final = 59.999
"""Where a default value stands: it is known when the minute is over, and MiniStack's alarms look back from that moment."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One time series."""

    namespace: str
    name: str
    unit: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A metric's values at `at` (seconds since 1970), each with its count."""

    metric: Metric
    at: float
    values: Mapping[float, int]

    def data(self) -> Iterator[dict[str, Any]]:
        """As PutMetricData takes them."""
        values = list(self.values.items())
        for first in range(0, len(values), _VALUES_OF_A_DATUM_MAX):
            some = values[first : first + _VALUES_OF_A_DATUM_MAX]
            yield {
                "MetricName": self.metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in self.metric.dimensions],
                "Timestamp": self.at,
                "Unit": self.metric.unit,
                "Values": [value for value, _ in some],
                "Counts": [float(count) for _, count in some],
            }


@dataclass(frozen=True, kw_only=True)
class Transformation:
    """The metric value of a matching line."""

    namespace: str
    name: str
    unit: str
    value: float | Selector
    otherwise: float | None
    dimensions: tuple[tuple[str, Selector], ...]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Transformation":
        """One of DescribeMetricFilters. Raises NotUnderstoodError."""
        otherwise = described.get("defaultValue")
        return cls(
            namespace=described["metricNamespace"],
            name=described["metricName"],
            unit=described.get("unit", "None"),
            value=_value(str(described["metricValue"])),
            otherwise=None if otherwise is None else float(otherwise),
            dimensions=tuple(
                (name, Selector.parse(text)) for name, text in described.get("dimensions", {}).items()
            ),
        )

    def point(self, line: Line) -> tuple[Metric, float] | None:
        """None where the line has not the number, or not what a dimension asks for."""
        value = line.field(self.value) if isinstance(self.value, Selector) else self.value
        dimensions = tuple((name, line.field(selector)) for name, selector in self.dimensions)
        if not _is_number(value) or any(told is None for _, told in dimensions):
            return None
        return self.metric(tuple((name, str(told)) for name, told in dimensions)), float(value)

    def metric(self, dimensions: tuple[tuple[str, str], ...] = ()) -> Metric:
        return Metric(namespace=self.namespace, name=self.name, unit=self.unit, dimensions=dimensions)


def _value(text: str) -> float | Selector:
    if text.startswith("$"):
        return Selector.parse(text)
    try:
        return float(text)
    except ValueError:
        raise NotUnderstoodError(
            f"The laptop cloud does not understand the metric value {text!r}: use a number, or a field as in $.key."
        ) from None


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether a point can hold it: a line may have a whole number that is larger than any float."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return isfinite(value)
    except OverflowError:
        return False


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One metric filter of one log group."""

    name: str
    group: str
    pattern: Pattern
    transformations: tuple[Transformation, ...]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Filter":
        """One of DescribeMetricFilters. Raises NotUnderstoodError."""
        return cls(
            name=described["filterName"],
            group=described["logGroupName"],
            pattern=parse(described.get("filterPattern", "")),
            transformations=tuple(
                Transformation.of(each) for each in described.get("metricTransformations", ())
            ),
        )


class Understood:
    """Filters that can be counted by, of all that are deployed. Of any other is said once that it is left out."""

    def __init__(self) -> None:
        self._left_out: set[tuple[str, str]] = set()

    def by_group(self, deployed: Iterable[Mapping[str, Any]]) -> dict[str, list[Filter]]:
        found: dict[str, list[Filter]] = defaultdict(list)
        for described in deployed:
            try:
                found[described["logGroupName"]].append(Filter.of(described))
            except (NotUnderstoodError, LookupError, TypeError, ValueError) as error:
                self._leave_out(described, error)
        return found

    def _leave_out(self, described: Mapping[str, Any], error: Exception) -> None:
        named = (str(described.get("logGroupName")), str(described.get("filterName")))
        if named not in self._left_out:
            self._left_out.add(named)
            logger.error("nothing is counted by the metric filter %s of %s: %s", *reversed(named), error)


@dataclass
class _Minute:
    """One minute of a log group as one transformation with a default value saw it."""

    number: int
    has_matched: bool = False


@dataclass
class Counter:
    """Points that nobody has taken yet: one for each value a metric had, however many lines said it."""

    _points: dict[Metric, dict[float, int]] = field(default_factory=dict)
    _newest: dict[Metric, float] = field(default_factory=dict)
    _minutes: dict[tuple[str, str, Transformation], _Minute] = field(default_factory=dict)
    _quiet: list[Point] = field(default_factory=list)

    def count(self, filters: Iterable[Filter], texts: Sequence[str], *, at: float) -> None:
        """Lines that one log group got at a moment, by its filters."""
        if not texts:
            return
        lines = [Line(text) for text in texts]
        for each in filters:
            matching = [line for line in lines if each.pattern.matches(line)]
            for transformation in each.transformations:
                self._hear(each, transformation, at=at, has_matched=bool(matching))
                for line in matching:
                    self._add(transformation.point(line), at)

    def take(self, *, now: float) -> list[Point]:
        """What was counted since the last time, and the default values of minutes that are over."""
        for key, minute in list(self._minutes.items()):
            if minute.number < _minute_of(now):
                self._end(key)
        points = [
            Point(metric=metric, at=self._newest[metric], values=values)
            for metric, values in self._points.items()
        ]
        points += self._quiet
        self._points, self._newest, self._quiet = {}, {}, []
        return points

    def _add(self, point: tuple[Metric, float] | None, at: float) -> None:
        if point is None:
            return
        metric, value = point
        values = self._points.setdefault(metric, {})
        values[value] = values.get(value, 0) + 1
        self._newest[metric] = max(at, self._newest.get(metric, at))

    def _hear(self, filter_: Filter, transformation: Transformation, *, at: float, has_matched: bool) -> None:
        if transformation.otherwise is None:
            return
        key = (filter_.group, filter_.name, transformation)
        if key in self._minutes and self._minutes[key].number < _minute_of(at):
            self._end(key)
        minute = self._minutes.setdefault(key, _Minute(_minute_of(at)))
        minute.has_matched |= has_matched

    def _end(self, key: tuple[str, str, Transformation]) -> None:
        minute, transformation = self._minutes.pop(key), key[2]
        if not minute.has_matched and transformation.otherwise is not None:
            at = minute.number * _MINUTE_SECONDS + _END_OF_A_MINUTE_SECONDS
            values = {transformation.otherwise: 1}
            self._quiet.append(Point(metric=transformation.metric(), at=at, values=values))


def _minute_of(at: float) -> int:
    return int(at // _MINUTE_SECONDS)
