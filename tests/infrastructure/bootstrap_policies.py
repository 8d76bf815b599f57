"""Evaluates the policies of `bootstrap/`."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infrastructure.assembly import ROOT, Deployed
from tests.infrastructure.grants import covers

FOLDER = ROOT / "bootstrap"
FUNCTION_CALL = ("lambda:InvokeFunction",)
NOTHING = ("AWS::CDK::Metadata",)
REFERENCE = "Fn::GetStackOutput"
"""How stacks read each other; CloudFormation asks for the output with the role that deploys the reading one."""


@dataclass(frozen=True)
class Policy:
    """One document; conditions and resources are read by people, actions are matched here."""

    name: str
    statements: Sequence[Mapping[str, Any]]

    def allows(self, action: str) -> bool:
        return any(covers(statement, action) for statement in self._with("Allow"))

    def denies(self, action: str) -> bool:
        """Denied whatever the resource; a denial of some resources leaves the others."""
        return any(
            covers(statement, action) for statement in self._with("Deny") if statement["Resource"] == "*"
        )

    def _with(self, effect: str) -> Iterator[Mapping[str, Any]]:
        return (statement for statement in self.statements if statement["Effect"] == effect)


def read_policy(file: Path) -> Policy:
    return Policy(file.stem, json.loads(file.read_text())["Statement"])


def execution_policies() -> list[Policy]:
    return [read_policy(file) for file in sorted((FOLDER / "execution").glob("*.json"))]


def boundary() -> Policy:
    return read_policy(FOLDER / "boundary.json")


def lookup() -> Policy:
    return read_policy(FOLDER / "lookup.json")


def rooms() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """`types.toml` by its headings."""
    return tomllib.loads((FOLDER / "types.toml").read_text())


def actions_by_type() -> Mapping[str, Sequence[str]]:
    return {kind: actions for room in rooms().values() for kind, actions in room.items()}


def not_deployable(deployed: Deployed, policies: Sequence[Policy]) -> Iterator[str]:
    """A sentence for each type the deployment could not create: one nobody mapped, or one that lacks an action.

    And one for each macro: what it makes when CloudFormation expands it stands in no template, so no gate has seen it,
    its roles carry no boundary, and a change set of a nested stack is another action than any stack of ours takes.
    """
    yield from _made_elsewhere(deployed)
    known = actions_by_type()
    references = (
        {REFERENCE} if any(REFERENCE in json.dumps(each) for each in deployed.templates.values()) else set()
    )
    for kind in sorted({resource.type for resource in deployed.resources()} - set(NOTHING) | references):
        actions = FUNCTION_CALL if kind.startswith("Custom::") else known.get(kind)
        if actions is None:
            yield f"{kind} in {deployed.name}: say in bootstrap/types.toml which actions it takes."
            continue
        for action in actions:
            if not allowed(action, policies):
                yield f"{kind} in {deployed.name}: no policy of bootstrap/execution/ allows {action}."


def _made_elsewhere(deployed: Deployed) -> Iterator[str]:
    for stack, template in deployed.templates.items():
        macros = {str(name) for name in _each(template.get("Transform", []))}
        macros |= {str(name) for name in _macros_inside(template.get("Resources", {}))}
        for macro in sorted(macros):
            yield f"{macro} in {deployed.name}/{stack}: what a macro makes is in no template; write it out."


def _macros_inside(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        if "Fn::Transform" in value:
            yield value["Fn::Transform"]["Name"]
        for inner in value.values():
            yield from _macros_inside(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _macros_inside(inner)


def _each(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def allowed(action: str, policies: Sequence[Policy]) -> bool:
    return any(policy.allows(action) for policy in policies) and not any(
        policy.denies(action) for policy in policies
    )
