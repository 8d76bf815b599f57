"""What must not change by accident: the ids of what holds data, and what each container is told.

After a change on purpose: `AMPLY_WRITE_GOLDEN=1 pytest tests/infrastructure/test_golden.py`, and read the diff.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from operations.difference.holdings import HOLDINGS
from stacks.contracts import CONTAINERS, Parameter, TaskName
from tests.infrastructure.assembly import ROOT, Deployed, Resource, kind

GOLDEN = Path(__file__).with_name("golden")
KEPT_BY_ITS_WRITER = "AWS::Logs::LogGroup"
"""A log stands in the part that writes it, and moves when that does: new lines go on elsewhere, old ones stay."""


def compare(name: str, found: object) -> None:
    file = GOLDEN / name
    text = json.dumps(found, indent=2, sort_keys=True) + "\n"
    if os.environ.get("AMPLY_WRITE_GOLDEN"):
        file.write_text(text)
    assert json.loads(text) == json.loads(file.read_text())


def _holding_data(environments: Mapping[str, Deployed]) -> Mapping[str, list[str]]:
    return {
        name: sorted(f"{resource.where} {resource.type}" for resource in deployed.resources(*HOLDINGS))
        for name, deployed in environments.items()
    }


def _nested(deployed: Deployed) -> list[str]:
    """Paths that are deeper than `environment/stack/Name`; a log may be one deeper."""
    return [
        resource.path
        for resource in deployed.resources(*HOLDINGS)
        if _construct(resource).count("/") > (3 if resource.type == KEPT_BY_ITS_WRITER else 2)
    ]


def _construct(resource: Resource) -> str:
    """The path without what the construct library adds below: `Resource`, or the type's own name."""
    above, _, last = resource.path.rpartition("/")
    return above if last in {"Resource", resource.type.rpartition("::")[2]} else resource.path


def test_what_holds_data_keeps_its_logical_id(environments: Mapping[str, Deployed]) -> None:
    """A changed id is a new, empty resource beside (or instead of) the one with the data."""
    compare("data.json", _holding_data(environments))


def test_what_holds_data_stands_near_the_root_of_its_stack(deployed: Deployed) -> None:
    """Ids follow from paths, and these have nothing in between that could be moved."""
    assert _nested(deployed) == []


def _moved(deployed: Deployed, stack: str, kind: str) -> Deployed:
    """As if somebody had wrapped each resource of a kind in one more construct."""
    resources: dict[str, Any] = {}
    for name, body in deployed.templates[stack]["Resources"].items():
        path = body["Metadata"]["aws:cdk:path"].replace(f"/{stack}/", f"/{stack}/Wrapped/")
        moved = {f"Wrapped{name}": {**body, "Metadata": {"aws:cdk:path": path}}}
        resources |= moved if body["Type"] == kind else {name: body}
    templates = {**deployed.templates, stack: {**deployed.templates[stack], "Resources": resources}}
    return Deployed(deployed.name, templates, deployed.manifests)


def test_a_database_that_was_moved_in_the_code_is_noticed(
    environments: Mapping[str, Deployed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMPLY_WRITE_GOLDEN", raising=False)
    moved = _moved(environments["production"], "database", "AWS::RDS::DBInstance")
    with pytest.raises(AssertionError, match="production"):
        compare("data.json", _holding_data({**environments, "production": moved}))
    assert _nested(moved) == ["production/database/Wrapped/Instance/Resource"]


def test_a_log_that_was_moved_away_from_its_writer_is_noticed(environments: Mapping[str, Deployed]) -> None:
    moved = _moved(environments["production"], "workers", KEPT_BY_ITS_WRITER)
    assert "production/workers/Wrapped/Worker/Log/Resource" in _nested(moved)


def test_a_variable_that_nobody_agreed_on_is_noticed(
    environments: Mapping[str, Deployed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AMPLY_WRITE_GOLDEN", raising=False)
    told = {name: dict(_told(task)) for name, task in _tasks(environments["production"]).items()}
    told["worker"]["environment"] = ["AMPLY_NEWS"]
    with pytest.raises(AssertionError, match="AMPLY_NEWS"):
        compare("containers.json", told)


def _told(task: Resource) -> Mapping[str, object]:
    (container,) = task.properties["ContainerDefinitions"]
    return {
        "command": container["Command"],
        "health_check": container.get("HealthCheck", {}).get("Command"),
        "environment": sorted(variable["Name"] for variable in container["Environment"]),
        "secrets": sorted(secret["Name"] for secret in container.get("Secrets", [])),
    }


def _tasks(deployed: Deployed) -> Mapping[str, Resource]:
    tasks = list(deployed.resources("AWS::ECS::TaskDefinition"))
    return {task.properties["Family"].removeprefix(f"{deployed.name}-"): task for task in tasks}


def _absent(deployed: Deployed) -> set[TaskName]:
    """Nothing is restored where no backups are kept; and what comes with a flag is held by test_lake.py."""
    without_backups = set() if kind(deployed) in {"production", "staging"} else {TaskName.REHEARSE}
    return {TaskName.RELEASES, *without_backups}


def test_containers_are_told_what_was_agreed(
    environments: Mapping[str, Deployed], synthesised: Mapping[str, Deployed]
) -> None:
    agreed = {name: _told(task) for name, task in _tasks(environments["production"]).items()}
    compare("containers.json", agreed)
    for deployed in synthesised.values():
        told = {name: _told(task) for name, task in _tasks(deployed).items()}
        assert told == {name: agreed[name] for name in agreed if name not in _absent(deployed)}, deployed.name


def test_there_is_one_task_definition_for_each_contract(deployed: Deployed) -> None:
    assert set(_tasks(deployed)) == set(CONTAINERS) - _absent(deployed)
    assert set(CONTAINERS) == set(TaskName)


def test_a_container_carries_the_name_of_its_task(deployed: Deployed) -> None:
    for name, task in _tasks(deployed).items():
        assert [container["Name"] for container in task.properties["ContainerDefinitions"]] == [name]


def test_only_production_tells_its_containers_that_money_is_real(deployed: Deployed) -> None:
    for task_name, task in _tasks(deployed).items():
        (container,) = task.properties["ContainerDefinitions"]
        told = {variable["Name"]: variable["Value"] for variable in container["Environment"]}
        if "AMPLY_LIVEMODE" in CONTAINERS[TaskName(task_name)].environment:
            assert told["AMPLY_LIVEMODE"] == ("true" if deployed.name == "production" else "false")


def test_queues_hide_messages_as_long_as_the_worker_counts_on(deployed: Deployed) -> None:
    source = (
        ROOT / "services" / "backend" / "src" / "amply" / "adapters" / "sqs" / "__init__.py"
    ).read_text()
    (seconds,) = re.findall(r"^VISIBILITY_SECONDS: Final = (\d+)$", source, re.MULTILINE)
    working = [
        queue for queue in deployed.resources("AWS::SQS::Queue") if "RedrivePolicy" in queue.properties
    ]
    assert {queue.properties["VisibilityTimeout"] for queue in working} == {int(seconds)}


def test_every_agreed_parameter_is_written(deployed: Deployed) -> None:
    """But for those that another region keeps: tests/infrastructure/test_recovering.py."""
    written = {
        resource.properties["Name"]
        for resource in deployed.resources("AWS::SSM::Parameter")
        if not resource.stack.endswith("/recovery")
    }
    assert written == {parameter.path(deployed.name) for parameter in Parameter}
