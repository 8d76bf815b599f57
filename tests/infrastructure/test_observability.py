"""Alarms see what the scheduler really writes, and say what to do."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.observability import EXHAUSTED, LEDGER_AGE
from tests.infrastructure.assembly import ROOT, Deployed, Resource

ALARM, FILTER = "AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter"
MEASURED = {LEDGER_AGE, *EXHAUSTED}

WRITE_A_LINE = """
import dataclasses
from amply.entrypoints import backlog
from amply.infra import logging

logging.configure(service="scheduler")
numbers = {field.name: 100 + place for place, field in enumerate(dataclasses.fields(backlog.Backlog))}
backlog.report(backlog.Backlog(**numbers))
"""


@pytest.fixture(scope="session")
def line() -> Mapping[str, Any]:
    """A line as the scheduler's container writes it, each of its numbers another one."""
    written = subprocess.run(
        [sys.executable, "-c", WRITE_A_LINE],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    parsed: dict[str, Any] = json.loads(written.stdout)
    return parsed


def _selects(pattern: str, line: Mapping[str, Any]) -> bool:
    """The one form of filter pattern used here: a key of the line equals a string."""
    asked = re.fullmatch(r'\{ \$\.(\w+) = "(\w+)" \}', pattern)
    assert asked, pattern
    return bool(line.get(asked[1]) == asked[2])


def _alarms(deployed: Deployed) -> Mapping[str, Resource]:
    prefix = f"amply-{deployed.name}-"
    return {alarm.properties["AlarmName"].removeprefix(prefix): alarm for alarm in deployed.resources(ALARM)}


def _watching(deployed: Deployed, key: str) -> Resource:
    """The only alarm on the metric a filter makes of this key."""
    (found,) = (
        alarm
        for alarm in deployed.resources(ALARM)
        if (alarm.properties["Namespace"], alarm.properties["MetricName"]) == (f"amply/{deployed.name}", key)
    )
    return found


def test_every_filter_finds_its_number_in_the_schedulers_line(
    deployed: Deployed, line: Mapping[str, Any]
) -> None:
    read_out = {}
    for found in deployed.resources(FILTER):
        assert _selects(found.properties["FilterPattern"], line), found.where
        (transformation,) = found.properties["MetricTransformations"]
        key = transformation["MetricValue"].removeprefix("$.")
        assert transformation["MetricName"] == key
        assert transformation["MetricNamespace"] == f"amply/{deployed.name}"
        read_out[key] = line[key]

    assert set(read_out) == MEASURED
    assert sorted(read_out.values()) == [100, 101, 102, 103, 104], "numbers, and each its own"


def test_every_number_the_scheduler_writes_is_watched(line: Mapping[str, Any]) -> None:
    assert {key for key, value in line.items() if isinstance(value, int | float)} == MEASURED


def test_another_line_is_not_taken_for_the_measure(deployed: Deployed, line: Mapping[str, Any]) -> None:
    for found in deployed.resources(FILTER):
        assert not _selects(found.properties["FilterPattern"], {**line, "event": "job failed"})


def test_filters_read_the_schedulers_log_and_no_other(deployed: Deployed) -> None:
    (task,) = (
        task
        for task in deployed.resources("AWS::ECS::TaskDefinition")
        if task.properties["Family"] == f"{deployed.name}-scheduler"
    )
    (container,) = task.properties["ContainerDefinitions"]
    log = container["LogConfiguration"]["Options"]["awslogs-group"]["Ref"]
    for found in deployed.resources(FILTER):
        assert log in json.dumps(found.properties["LogGroupName"]), found.where


def test_a_ledger_that_stands_still_or_says_nothing_pages_within_two_minutes(deployed: Deployed) -> None:
    alarm = _watching(deployed, LEDGER_AGE).properties

    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (60, "GreaterThanThreshold")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (60, 2, "Maximum")
    assert alarm["TreatMissingData"] == "breaching"


@pytest.mark.parametrize("key", EXHAUSTED)
def test_one_exhausted_row_pages(key: str, deployed: Deployed) -> None:
    alarm = _watching(deployed, key).properties

    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (60, 1, "Maximum")


def test_an_idle_deployment_pages_nobody_for_its_silence(idle: Deployed) -> None:
    breaching = {
        name for name, alarm in _alarms(idle).items() if alarm.properties["TreatMissingData"] == "breaching"
    }

    assert breaching == {"database-disk"}, "the database runs"


def test_every_alarm_tells_the_topic_when_it_starts_and_when_it_ends(deployed: Deployed) -> None:
    (topic,) = deployed.resources("AWS::SNS::Topic")
    for name, alarm in _alarms(deployed).items():
        assert alarm.properties["AlarmActions"] == [{"Ref": topic.logical_id}], name
        assert alarm.properties["OKActions"] == [{"Ref": topic.logical_id}], name


def test_an_alarm_names_runbooks_that_exist(deployed: Deployed) -> None:
    named = {
        path
        for alarm in deployed.resources(ALARM)
        for path in re.findall(r"docs/[\w/-]+\.md", alarm.properties["AlarmDescription"])
    }
    assert named
    assert [path for path in named if not (ROOT / Path(path)).is_file()] == []


def test_a_description_is_one_sentence_that_fits(deployed: Deployed) -> None:
    for name, alarm in _alarms(deployed).items():
        description = alarm.properties["AlarmDescription"]
        assert re.fullmatch(r"[A-Z].*[.)]", description), name
        assert len(description) <= 1024, name
