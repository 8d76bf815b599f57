"""Stores ECS task definitions completely: MiniStack renames top-level container keys, but not nested ones.

CloudFormation writes `ValueFrom`, the ECS API answers `valueFrom`; without this, `DescribeTaskDefinition`
shows containers without their secrets.
"""

from typing import Any

from local_cloud.emulator import handlers
from local_cloud.emulator.handlers import Properties

_FREE_FORM = frozenset({"DockerLabels", "Options", "DriverOpts", "Labels"})
"""Maps whose keys are the author's own words."""


def install() -> None:
    handlers.before("AWS::ECS::TaskDefinition", _with_api_names)


def _with_api_names(properties: Properties) -> Properties:
    containers = [
        {key: value if key in _FREE_FORM else _api_names(value) for key, value in container.items()}
        for container in properties.get("ContainerDefinitions", [])
    ]
    volumes = [_api_names(volume) for volume in properties.get("Volumes", [])]
    return {**properties, "ContainerDefinitions": containers, "Volumes": volumes}


def _api_names(value: Any) -> Any:
    if isinstance(value, list):
        return [_api_names(item) for item in value]
    if isinstance(value, dict):
        return {
            key[:1].lower() + key[1:]: inner if key in _FREE_FORM else _api_names(inner)
            for key, inner in value.items()
        }
    return value
