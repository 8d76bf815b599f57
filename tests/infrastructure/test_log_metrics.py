"""Filters count what the services really write: the event, the key of the number, and whose log it is in."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from local_cloud.emulator.filter_patterns import FieldIs
from local_cloud.emulator.line_metrics import Filter
from stacks.log_metrics import (
    ATTACKED_ORGANIZATIONS,
    AWAITED_EVENTS,
    BOOKINGS_PAUSED,
    COUNTED_BY_API,
    COUNTED_BY_WORKER,
    DIFFERENCES,
    EXHAUSTED,
    FAILING_EVENTS,
    LATE_APPLICATIONS,
    LATE_PLANS,
    LEDGER_AGE,
    PAYOUT_DIFFERENCES,
    PUBLISHING,
    RECONCILED_SECONDS,
    UNARCHIVED_SEALS,
    UNDELIVERED_EVENTS,
    UNMATCHED_MOVEMENTS,
    UNNOTED_ERASURES,
    UNPUBLISHED_EVENTS,
    WITNESS_CONTRADICTS,
    WITNESSES_MISSING,
)
from tests.infrastructure.alarms import alarms_of
from tests.infrastructure.assembly import ROOT, Deployed, Resource

FILTER = "AWS::Logs::MetricFilter"
MEASURED = {
    *(
        LEDGER_AGE,
        ATTACKED_ORGANIZATIONS,
        RECONCILED_SECONDS,
        BOOKINGS_PAUSED,
        AWAITED_EVENTS,
        FAILING_EVENTS,
        PAYOUT_DIFFERENCES,
        UNMATCHED_MOVEMENTS,
        LATE_PLANS,
        UNARCHIVED_SEALS,
        UNNOTED_ERASURES,
        UNPUBLISHED_EVENTS,
        UNDELIVERED_EVENTS,
        LATE_APPLICATIONS,
    ),
    *EXHAUSTED,
}
BACKEND = ROOT / "services" / "backend" / "src" / "amply"

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


def _event(found: Resource) -> str:
    """The event a filter selects: the one form of pattern used here is a key of the line that equals a string."""
    asked = re.fullmatch(r'\{ \$\.event = "([\w ]+)" \}', found.properties["FilterPattern"])
    assert asked, found.properties["FilterPattern"]
    return asked[1]


def _filters(deployed: Deployed) -> Mapping[str, Resource]:
    """Filters by the name of their metric."""
    found = {}
    for resource in deployed.resources(FILTER):
        (transformation,) = resource.properties["MetricTransformations"]
        assert transformation["MetricNamespace"] == f"amply/{deployed.name}"
        found[transformation["MetricName"]] = resource
    return found


def _value(found: Resource) -> Mapping[str, Any]:
    (transformation,) = found.properties["MetricTransformations"]
    return dict(transformation)


def test_every_filter_of_the_backlog_finds_its_number_in_the_schedulers_line(
    deployed: Deployed, line: Mapping[str, Any]
) -> None:
    read_out = {}
    for key in MEASURED:
        found = _filters(deployed)[key]
        assert _event(found) == line["event"]
        assert _value(found)["MetricValue"] == f"$.{key}"
        read_out[key] = line[key]

    assert sorted(read_out.values()) == [100 + place for place in range(len(MEASURED))], (
        "numbers, and each its own"
    )


def test_every_number_the_scheduler_writes_is_watched(line: Mapping[str, Any]) -> None:
    assert {key for key, value in line.items() if isinstance(value, int | float)} == MEASURED


def _is_read_from_the_line_of(deployed: Deployed, entrypoint: str, key: str, *, named: str) -> None:
    """The filter's event is the entrypoint's constant of that name, and its number is one the entrypoint writes."""
    source = (BACKEND / "entrypoints" / f"{entrypoint}.py").read_text()
    found = _filters(deployed)[key]

    assert f'{named}: Final = "{_event(found)}"' in source
    assert f"{key}=" in source
    assert _value(found)["MetricValue"] == f"$.{key}"


def test_the_publishers_seconds_are_read_from_the_line_it_writes(deployed: Deployed) -> None:
    _is_read_from_the_line_of(deployed, "publisher", PUBLISHING, named="PUBLISHED")


def test_missing_witnesses_are_read_from_the_line_the_publisher_writes(deployed: Deployed) -> None:
    _is_read_from_the_line_of(deployed, "publisher", WITNESSES_MISSING, named="WITNESSED")


def test_a_difference_is_read_from_the_line_the_worker_writes_and_wakes_people(deployed: Deployed) -> None:
    _is_read_from_the_line_of(deployed, "worker", DIFFERENCES, named="RECONCILED")
    alarm = alarms_of(deployed)["books-differ"].properties
    assert (alarm["MetricName"], alarm["Threshold"], alarm["EvaluationPeriods"]) == (DIFFERENCES, 0, 1)


def test_a_witness_that_contradicts_alone_is_told(deployed: Deployed) -> None:
    source = (BACKEND / "modules" / "ledger" / "witnessing.py").read_text()
    found = _filters(deployed)[WITNESS_CONTRADICTS]

    assert f'_log.error("{_event(found)}"' in source
    alarm = alarms_of(deployed)["witness-contradicts"].properties
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == (WITNESS_CONTRADICTS, "Sum", 0)


@pytest.mark.parametrize(("name", "event"), [*COUNTED_BY_API.items(), *COUNTED_BY_WORKER.items()])
def test_a_counted_line_is_one_the_backend_writes(name: str, event: str, deployed: Deployed) -> None:
    found = _filters(deployed)[name]

    assert _event(found) == event
    assert (_value(found)["MetricValue"], _value(found)["DefaultValue"]) == ("1", 0)
    assert any(f'"{event}"' in file.read_text() for file in BACKEND.rglob("*.py")), "nobody writes it"


def test_filters_read_the_logs_of_the_services_that_write(deployed: Deployed) -> None:
    writers = {
        *((name, "scheduler") for name in MEASURED),
        *((name, "api") for name in COUNTED_BY_API),
        *((name, "worker") for name in COUNTED_BY_WORKER),
        *((name, "publisher") for name in (PUBLISHING, WITNESSES_MISSING, WITNESS_CONTRADICTS)),
        (DIFFERENCES, "worker"),
    }
    services = {}
    for task in deployed.resources("AWS::ECS::TaskDefinition"):
        (container,) = task.properties["ContainerDefinitions"]
        services[container["LogConfiguration"]["Options"]["awslogs-group"]["Ref"]] = container["Name"]

    read = {
        (_value(found)["MetricName"], service)
        for found in deployed.resources(FILTER)
        for log, service in services.items()
        if log in json.dumps(found.properties["LogGroupName"])
    }

    assert read == writers


def test_the_laptop_cloud_counts_by_every_filter(
    environments: Mapping[str, Deployed], extended: Deployed
) -> None:
    """Those of the data platform's flags included."""
    found = [*environments["local"].resources(FILTER), *extended.resources(FILTER)]
    read = [Filter.of(_as_described(each.properties)) for each in found]
    assert all(isinstance(each.pattern, FieldIs) for each in read)
    assert {made.name for each in read for made in each.transformations} >= {*MEASURED, "KAnonViolations"}


def _as_described(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """A template's filter as DescribeMetricFilters has it."""

    def named(these: Mapping[str, Any]) -> dict[str, Any]:
        return {key[0].lower() + key[1:]: value for key, value in these.items()}

    return {
        **named(properties),
        "filterName": "any",
        "metricTransformations": [named(each) for each in properties["MetricTransformations"]],
    }
