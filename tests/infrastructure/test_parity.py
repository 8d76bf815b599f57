"""Staging is production but for what `staging.toml` lists, so that what passed there can be trusted here."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from constructs_lib.waiver import SHORTEST_REASON
from tests.infrastructure.assembly import Deployed
from tests.infrastructure.parity import differences, listed, stale, unlisted


@pytest.fixture(scope="module")
def found(environments: Mapping[str, Deployed]) -> list[str]:
    return list(differences(environments["production"], environments["staging"]))


def test_staging_differs_where_it_is_listed_and_nowhere_else(found: list[str]) -> None:
    extra = unlisted(found, listed())
    assert not extra, "Not listed in staging.toml:\n" + "\n".join(extra)


def test_what_is_listed_still_differs(found: list[str]) -> None:
    assert stale(found, listed()) == []


def test_every_listed_difference_has_a_reason() -> None:
    assert [path for path, reason in listed().items() if len(reason) < SHORTEST_REASON] == []


def test_a_listed_path_that_no_longer_differs_is_noticed(found: list[str]) -> None:
    assert stale(found, {"queues AWS::SQS::Queue High *": "It did once."}) == [
        "queues AWS::SQS::Queue High *"
    ]


def _changed(deployed: Deployed, stack: str, kind: str, **properties: object) -> Deployed:
    templates: dict[str, Any] = {**deployed.templates, stack: copy.deepcopy(dict(deployed.templates[stack]))}
    for body in templates[stack]["Resources"].values():
        if body["Type"] == kind:
            body["Properties"].update(properties)
    return Deployed(deployed.name, templates, deployed.manifests)


def _unlisted(environments: Mapping[str, Deployed], staging: Deployed) -> list[str]:
    return unlisted(list(differences(environments["production"], staging)), listed())


def test_a_difference_in_one_property_is_named_by_its_path(environments: Mapping[str, Deployed]) -> None:
    staging = _changed(environments["staging"], "database", "AWS::RDS::DBInstance", StorageType="io2")
    assert _unlisted(environments, staging) == [
        "database AWS::RDS::DBInstance Instance Properties.StorageType"
    ]


def test_a_difference_in_what_a_container_is_told_is_named_by_the_variable(
    environments: Mapping[str, Deployed],
) -> None:
    staging = environments["staging"]
    templates: dict[str, Any] = copy.deepcopy(dict(staging.templates))
    for body in templates["api"]["Resources"].values():
        if body["Type"] == "AWS::ECS::TaskDefinition":
            for variable in body["Properties"]["ContainerDefinitions"][0]["Environment"]:
                if variable["Name"] == "AMPLY_CACHE_TLS":
                    variable["Value"] = "false"
    changed = Deployed("staging", templates, staging.manifests)
    (path,) = _unlisted(environments, changed)
    assert path.endswith("Properties.ContainerDefinitions.api.Environment.AMPLY_CACHE_TLS.Value")


def test_a_resource_that_is_missing_is_named(environments: Mapping[str, Deployed]) -> None:
    staging = environments["staging"]
    templates: dict[str, Any] = copy.deepcopy(dict(staging.templates))
    resources = templates["observability"]["Resources"]
    alarms = [name for name, body in resources.items() if body["Type"] == "AWS::CloudWatch::Alarm"]
    del resources[alarms[0]]
    missing = _unlisted(environments, Deployed("staging", templates, staging.manifests))
    assert len(missing) == 1
    assert missing[0].endswith("(only in production)")


def test_a_stack_that_is_missing_is_named(environments: Mapping[str, Deployed]) -> None:
    staging = environments["staging"]
    templates = {name: template for name, template in staging.templates.items() if name != "mail"}
    found = _unlisted(environments, Deployed("staging", templates, staging.manifests))
    assert found == ["mail (only in production)"]
