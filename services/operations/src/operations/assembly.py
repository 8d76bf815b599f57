"""Reads a cloud assembly from disk: what `cdk deploy` would send, environment by environment.

An assembly is what `cdk synth` writes (`cdk.out`): a folder `assembly-ENVIRONMENT` a stage, in it a manifest and one
template a stack. https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STACK = "aws:cloudformation:stack"


class NoAssemblyError(Exception):
    """The folder holds no assembly; the message says what to do."""


@dataclass(frozen=True)
class Resource:
    """One resource of a template; `where` reads `environment/stack/LogicalId`."""

    stack: str
    logical_id: str
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["Type"])

    @property
    def properties(self) -> Mapping[str, Any]:
        return dict(self.body.get("Properties", {}))

    @property
    def path(self) -> str:
        """Where it stands in the construct tree; empty when the assembly was written without metadata."""
        return str(self.body.get("Metadata", {}).get("aws:cdk:path", ""))

    @property
    def where(self) -> str:
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Deployed:
    """One environment: its templates by stack id, and what the manifest says of each stack."""

    name: str
    templates: Mapping[str, Mapping[str, Any]]
    manifests: Mapping[str, Mapping[str, Any]]

    def resources(self, *types: str) -> Iterator[Resource]:
        """All resources, or those of the given types."""
        for stack, template in self.templates.items():
            for logical_id, body in template.get("Resources", {}).items():
                if not types or body["Type"] in types:
                    yield Resource(f"{self.name}/{stack}", logical_id, body)

    def the(self, kind: str) -> Resource:
        """The only resource of its type."""
        (found,) = self.resources(kind)
        return found


def read(assembly: Path) -> Mapping[str, Deployed]:
    """Every environment of an assembly, by name.

    Raises:
        NoAssemblyError: There is none in this folder.
    """
    found = {stage.name.removeprefix("assembly-"): stage for stage in sorted(assembly.glob("assembly-*"))}
    if not found:
        raise NoAssemblyError(f"{assembly} holds no cloud assembly; write one first: make synth")
    return {name: _read_stage(name, stage) for name, stage in found.items()}


def _read_stage(name: str, stage: Path) -> Deployed:
    artifacts = json.loads((stage / "manifest.json").read_text())["artifacts"].values()
    stacks = [artifact for artifact in artifacts if artifact["type"] == _STACK]
    ids = {str(stack["properties"]["stackName"]).removeprefix(f"{name}-"): stack for stack in stacks}
    return Deployed(
        name=name,
        templates={
            stack_id: json.loads((stage / stack["properties"]["templateFile"]).read_text())
            for stack_id, stack in ids.items()
        },
        manifests=ids,
    )
