"""Policy statements with their location, and matching of actions as IAM does it."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.infrastructure.assembly import Deployed, Resource

Statement = Mapping[str, Any]

IDENTITIES = (
    "AWS::IAM::Policy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::User",
    "AWS::IAM::UserPolicy",
    "AWS::IAM::Group",
    "AWS::IAM::GroupPolicy",
)
KEY = "AWS::KMS::Key"


def matches(patterns: str | list[str], action: str) -> bool:
    """IAM compares actions without regard to case; `*` and `?` stand for anything."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in many(patterns))


def covers(statement: Statement, action: str) -> bool:
    """Whether the statement is about this action, by naming it, by a pattern, or by naming what it is not about."""
    if "NotAction" in statement:
        return not matches(statement["NotAction"], action)
    return matches(statement.get("Action", []), action)


def many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def grants(deployed: Deployed) -> Iterator[tuple[Resource, Statement]]:
    """Every statement of every policy that gives someone something: identities', roles' own, keys'."""
    for resource in deployed.resources(*IDENTITIES, KEY):
        properties = resource.properties
        documents = [properties[name] for name in ("PolicyDocument", "KeyPolicy") if name in properties]
        documents += [inline["PolicyDocument"] for inline in properties.get("Policies", [])]
        for document in documents:
            for statement in statements(document):
                yield resource, statement


def statements(document: Mapping[str, Any]) -> list[Statement]:
    """A policy with one statement may leave the list out."""
    found = document["Statement"]
    return [found] if isinstance(found, Mapping) else list(found)


def granted_actions(deployed: Deployed) -> set[str]:
    """Every action that a role is allowed, as the policy spells it."""
    return {
        action
        for resource in deployed.resources("AWS::IAM::Policy", "AWS::IAM::Role")
        for document in [
            *([resource.properties["PolicyDocument"]] if "PolicyDocument" in resource.properties else []),
            *(inline["PolicyDocument"] for inline in resource.properties.get("Policies", [])),
        ]
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in many(statement["Action"])
    }
