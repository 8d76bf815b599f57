"""The permissions of each role, read from the templates and formatted for review."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.waivers import Granted
from stacks.environments import ENVIRONMENTS
from tests.infrastructure.assembly import Deployed, Resource, settings

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Policy:
    """The statements of one resource, and the role they are for, as `stack/Path`."""

    role: str
    resource: Resource
    statements: Sequence[Statement]


class Reader:
    """Turns references into the paths of what they mean, within one environment."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self._settings = settings(deployed)
        self._functions: Mapping[str, Callable[[Any, str], str]] = {
            "Ref": self._reference,
            "Fn::GetAtt": self._attribute,
            "Fn::Join": self._joined,
            "Fn::Sub": lambda text, _stack: str(text).replace("${AWS::Partition}", "aws"),
            "Fn::GetStackOutput": self._output,
        }

    def roles(self) -> Iterator[tuple[str, Resource]]:
        for role in self._deployed.resources("AWS::IAM::Role"):
            yield self._place(role.stack, role.logical_id), role

    def policies(self) -> Iterator[Policy]:
        for name, role in self.roles():
            for inline in role.properties.get("Policies", []):
                yield Policy(name, role, inline["PolicyDocument"]["Statement"])
        for policy in self._deployed.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for role in policy.properties.get("Roles", []):
                statements = policy.properties["PolicyDocument"]["Statement"]
                yield Policy(self.words(role, policy.stack), policy, statements)

    def words(self, value: object, stack: str) -> str:
        """`ENV`, `ACCOUNT`, `REGION` and `REGISTRY` stand for what differs between environments by definition."""
        text = self._resolve(value, stack)
        registry = self._settings.image.repository.partition(".")[0]
        for what, word in (
            (f"arn:aws:ecr:{self._settings.region}:{registry}", "arn:aws:ecr:REGION:REGISTRY"),
            (self._settings.account, "ACCOUNT"),
            (self._settings.region, "REGION"),
            (self._deployed.name, "ENV"),
        ):
            text = text.replace(what, word)
        return text

    def _resolve(self, value: object, stack: str) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, dict) and len(value) == 1:
            ((function, argument),) = value.items()
            if function in self._functions:
                return self._functions[function](argument, stack)
        return json.dumps(value, sort_keys=True)

    def _reference(self, name: str, stack: str) -> str:
        if name.startswith("AWS::"):
            return {"AWS::Partition": "aws", "AWS::AccountId": "ACCOUNT", "AWS::Region": "REGION"}.get(
                name, name
            )
        return self._place(stack, name)

    def _attribute(self, argument: list[str], stack: str) -> str:
        place = self._place(stack, argument[0])
        return place if argument[1] == "Arn" else f"{place}.{argument[1]}"

    def _joined(self, argument: list[Any], stack: str) -> str:
        separator, parts = argument
        return str(separator).join(self._resolve(part, stack) for part in parts)

    def _output(self, argument: Mapping[str, str], _stack: str) -> str:
        """Read in the template of the stack that puts it out."""
        there = argument["StackName"].removeprefix(f"{self._deployed.name}-")
        found = self._deployed.templates[there]["Outputs"][argument["OutputName"]]["Value"]
        return self._resolve(found, f"{self._deployed.name}/{there}")

    def _place(self, stack: str, logical_id: str) -> str:
        """`workers/PublisherRole`: the construct's path without the environment and the library's own levels."""
        stack_id = stack.partition("/")[2]
        body = self._deployed.templates[stack_id].get("Resources", {}).get(logical_id)
        if body is None:
            return f"{stack_id}/{logical_id}"
        path = Resource(stack, logical_id, body).path
        return path.removeprefix(f"{self._deployed.name}/").removesuffix("/Resource")


def grants(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """Role and line, one for each action on each thing."""
    reader = Reader(deployed)
    for name, role in reader.roles():
        yield from ((name, line) for line in _who_takes_it_on(reader, role))
        for managed in role.properties.get("ManagedPolicyArns", []):
            yield name, f"has AWS's policy {reader.words(managed, role.stack).rpartition(':policy/')[2]}"
    for policy in reader.policies():
        for statement in policy.statements:
            yield from ((policy.role, line) for line in _lines(reader, policy.resource.stack, statement))


def _who_takes_it_on(reader: Reader, role: Resource) -> Iterator[str]:
    for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
        for kind, value in statement["Principal"].items():
            for one in _many(value):
                who = reader.words(one, role.stack)
                yield f"is taken on by {kind.lower()} {who}{_condition(reader, role.stack, statement)}"


def _lines(reader: Reader, stack: str, statement: Statement) -> Iterator[str]:
    verb = "may" if statement["Effect"] == "Allow" else "may never"
    for action in _many(statement["Action"]):
        for resource in _many(statement["Resource"]):
            place = reader.words(resource, stack)
            yield f"{verb} {action} on {place}{_condition(reader, stack, statement)}"


def _condition(reader: Reader, stack: str, statement: Statement) -> str:
    said = [
        f"{key} {operator} {', '.join(sorted(reader.words(one, stack) for one in _many(value)))}"
        for operator, keys in sorted(statement.get("Condition", {}).items())
        for key, value in sorted(keys.items())
    ]
    return f", if {' and '.join(said)}" if said else ""


def _many(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


HEADER = """\
# What each role may do

Read from the templates of every environment; a line that holds in some of them names them. Every role also ends at the
permissions boundary (`bootstrap/boundary.json`), whatever stands here. Written by
`AMPLY_WRITE_GOLDEN=1 pytest tests/infrastructure/test_permissions.py`: a changed line is a changed permission.
"""


def document(environments: Mapping[str, Deployed]) -> str:
    """The golden file: a heading a role, a line a grant."""
    held: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in ENVIRONMENTS:
        for grant in sorted(set(grants(environments[name]))):
            held[grant].append(name)
    text = [HEADER]
    for role in sorted({role for role, _ in held}):
        present = {name for (of, _), names in held.items() if of == role for name in names}
        text.append(f"\n## {role}{_only(present, set(ENVIRONMENTS))}\n\n")
        lines = sorted(line for of, line in held if of == role)
        text.extend(f"- {line}{_only(set(held[role, line]), present)}\n" for line in lines)
    return "".join(text)


CHOSEN = """\
# What roles may do that an environment can choose beside its database

Staging, had it chosen a rotation of ours, a replica and a proxy (`extended` in conftest.py). Written by
`AMPLY_WRITE_GOLDEN=1 pytest tests/infrastructure/test_rotation.py`: a changed line is a changed permission.
"""


LAKE = """\
# What the roles of the data platform may do

Staging, had it turned the platform on (`extended` in conftest.py). Written by
`AMPLY_WRITE_GOLDEN=1 pytest tests/infrastructure/test_lake.py`: a changed line is a changed permission.
"""


def document_of(deployed: Deployed, *stacks: str, header: str = CHOSEN) -> str:
    """The golden file of some stacks' roles in one environment."""
    held: dict[str, set[str]] = defaultdict(set)
    for role, line in grants(deployed):
        if role.startswith(tuple(f"{stack}/" for stack in stacks)):
            held[role].add(line)
    text = [
        f"\n## {role}\n\n" + "".join(f"- {line}\n" for line in sorted(held[role])) for role in sorted(held)
    ]
    return header + "".join(text)


def _only(names: set[str], of: set[str]) -> str:
    return "" if names == of else f" ({', '.join(name for name in ENVIRONMENTS if name in names)} only)"


def unexplained_wildcards(deployed: Deployed, waivers: Sequence[Granted]) -> Iterator[str]:
    """A sentence for each resource with a `*` that no waiver at the role or above quotes."""
    for policy in Reader(deployed).policies():
        for statement in policy.statements:
            for resource in _many(statement["Resource"]) if statement["Effect"] == "Allow" else []:
                quoted = _as_the_checker_writes(resource)
                rule = f"AwsSolutions-IAM5[Resource::{quoted}]"
                path = policy.resource.path
                if "*" in quoted and not any(one.rule == rule and one.covers(path) for one in waivers):
                    yield f"{policy.resource.where}: {quoted} without a waiver"


def _as_the_checker_writes(value: object) -> str:
    match value:
        case str():
            return value
        case {"Fn::Join": ["", list(parts)]}:
            return "".join(map(_as_the_checker_writes, parts))
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case _:
            return json.dumps(value, separators=(",", ":"))
