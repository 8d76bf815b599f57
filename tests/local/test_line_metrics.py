"""Lines become points of metrics as the filters say."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local_cloud.emulator.filter_patterns import NotUnderstoodError
from local_cloud.emulator.line_metrics import Counter, Filter, Understood

NOON = 1_800_000_000.0
"""The beginning of a minute."""
BOOKED = '{"event": "gift_booked"}'


def described(event: str, **transformation: Any) -> dict[str, Any]:
    """A filter as DescribeMetricFilters has it."""
    made = {"metricNamespace": "amply/local", "metricName": "counted", "metricValue": "1", **transformation}
    return {
        "filterName": "Filter",
        "logGroupName": "group",
        "filterPattern": f'{{ $.event = "{event}" }}',
        "metricTransformations": [made],
    }


def counted(
    filters: Sequence[Mapping[str, Any]], *lines: str, taken_after: float = 1.0
) -> list[dict[str, Any]]:
    """What PutMetricData gets for lines of noon."""
    counter = Counter()
    counter.count([Filter.of(each) for each in filters], lines, at=NOON)
    return [datum for point in counter.take(now=NOON + taken_after) for datum in point.data()]


def test_lines_that_match_are_one_point_that_says_how_many() -> None:
    (datum,) = counted([described("gift_booked")], BOOKED, '{"event": "other"}', "no JSON", BOOKED)
    assert datum == {
        "MetricName": "counted",
        "Dimensions": [],
        "Timestamp": NOON,
        "Unit": "None",
        "Values": [1.0],
        "Counts": [2.0],
    }


def test_a_number_is_read_out_of_the_line() -> None:
    measured = described("measured", metricValue="$.late.seconds", unit="Seconds")
    lines = [json.dumps({"event": "measured", "late": {"seconds": told}}) for told in (7, 0.5, 7)]
    (datum,) = counted([measured], *lines)
    assert (datum["Values"], datum["Counts"], datum["Unit"]) == ([7.0, 0.5], [2.0, 1.0], "Seconds")


@pytest.mark.parametrize(
    "told", ['"7"', "true", "null", "NaN", "[7]", pytest.param("9" * 400, id="larger than any float")]
)
def test_what_is_no_number_is_no_point(told: str) -> None:
    assert counted([described("measured", metricValue="$.n")], f'{{"event": "measured", "n": {told}}}') == []


def test_a_dimension_is_read_out_of_the_line_and_without_it_there_is_no_point() -> None:
    by_service = described("gift_booked", dimensions={"Service": "$.service"})
    (datum,) = counted([by_service], BOOKED, '{"event": "gift_booked", "service": "api"}')
    assert datum["Dimensions"] == [{"Name": "Service", "Value": "api"}]
    assert datum["Counts"] == [1.0]


def test_a_minute_with_lines_of_which_none_matches_has_the_default_value_once_it_is_over() -> None:
    quiet = described("gift_booked", defaultValue=0)
    assert counted([quiet], "another line", taken_after=59) == []
    (datum,) = counted([quiet], "another line", "and one more", taken_after=60)
    assert (datum["Values"], datum["Counts"]) == ([0.0], [1.0])
    assert NOON <= datum["Timestamp"] < NOON + 60


def test_a_minute_with_a_match_has_no_default_value() -> None:
    (datum,) = counted([described("gift_booked", defaultValue=0)], "another", BOOKED, taken_after=60)
    assert datum["Values"] == [1.0]


def test_each_minute_has_its_own_default_value_and_a_minute_without_lines_none() -> None:
    counter = Counter()
    quiet = [Filter.of(described("gift_booked", defaultValue=0))]
    for minute in (0, 1, 3):
        counter.count(quiet, ["another line"], at=NOON + 60 * minute)
    points = counter.take(now=NOON + 240)
    assert [int(point.at - NOON) // 60 for point in points] == [0, 1, 3]
    assert counter.take(now=NOON + 600) == []


def test_what_was_taken_is_not_taken_again() -> None:
    counter = Counter()
    counter.count([Filter.of(described("gift_booked"))], [BOOKED], at=NOON)
    assert len(counter.take(now=NOON)) == 1
    assert counter.take(now=NOON) == []


def test_a_call_gets_no_more_values_of_a_metric_than_it_takes() -> None:
    lines = [f'{{"event": "measured", "n": {number}}}' for number in range(151)]
    data = counted([described("measured", metricValue="$.n")], *lines)
    assert [len(datum["Values"]) for datum in data] == [150, 1]


def test_a_value_that_is_neither_a_number_nor_a_field_is_refused() -> None:
    with pytest.raises(NotUnderstoodError, match="use a number, or a field"):
        Filter.of(described("gift_booked", metricValue="many"))


def test_a_filter_that_is_not_understood_is_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A former version of this emulator may have kept one."""
    unreadable = {**described("gift_booked"), "filterPattern": "%gift%", "filterName": "Unreadable"}
    unnumbered = {**described("gift_booked", defaultValue="none"), "filterName": "Unnumbered"}
    understood = Understood()
    for _ in range(2):
        (found,) = understood.by_group([unreadable, unnumbered, described("gift_booked")])["group"]
        assert found.name == "Filter"
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "nothing is counted by the metric filter Unreadable of group",
        "nothing is counted by the metric filter Unnumbered of group",
    ]
