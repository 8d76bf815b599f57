"""Reads a cloud assembly from disk: what `cdk deploy` would send, environment by environment."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from stacks.build import build

ROOT = Path(__file__).parents[2]
CONTEXT: Mapping[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]


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


def small_site(folder: Path) -> Path:
    """The least a built site has."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Amply</title>")
    (folder / "assets" / "button.0123456789abcdef.js").write_text("void 0;")
    return folder


def synthesise(folder: Path, **context: object) -> Path:
    """Write the assembly of all environments below `folder`, without validation: the gate does that once."""
    app = cdk.App(
        context={**CONTEXT, "aws:cdk:enable-path-metadata": True, **context},
        outdir=str(folder / "cdk.out"),
        builtin_cloud_formation_validation=False,
    )
    build(app, site=small_site(folder / "site"))
    return Path(app.synth().directory)


def read(assembly: Path) -> Mapping[str, Deployed]:
    found = {}
    for nested in sorted(assembly.glob("assembly-*")):
        name = nested.name.removeprefix("assembly-")
        artifacts = json.loads((nested / "manifest.json").read_text())["artifacts"].values()
        stacks = [artifact for artifact in artifacts if artifact["type"] == "aws:cloudformation:stack"]
        ids = {str(stack["properties"]["stackName"]).removeprefix(f"{name}-"): stack for stack in stacks}
        found[name] = Deployed(
            name=name,
            templates={
                stack_id: json.loads((nested / stack["properties"]["templateFile"]).read_text())
                for stack_id, stack in ids.items()
            },
            manifests=ids,
        )
    return found
