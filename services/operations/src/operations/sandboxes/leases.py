"""Derives named sandboxes and their expiry from an account's stacks. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

ENVIRONMENT_TAG, OWNER_TAG, EXPIRES_TAG = "amply:environment", "amply:owner", "amply:expires"
_NAMED = "sandbox-"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A deployed stack. `id` is its ARN: a stack of the same name made later is another one."""

    id: str
    name: str
    region: str
    tags: Mapping[str, str]
    is_protected: bool


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A named sandbox with every stack that says it belongs to it."""

    name: str
    owner: str
    expires: date
    """The last day it is there. Where its stacks name several, the latest."""
    stacks: tuple[Stack, ...]

    def has_expired(self, today: date) -> bool:
        return self.expires < today

    @property
    def protected(self) -> tuple[Stack, ...]:
        return tuple(stack for stack in self.stacks if stack.is_protected)


def named_sandboxes(stacks: Iterable[Stack]) -> list[Sandbox]:
    """By name. A stack that lacks a tag, or whose tags and name contradict each other, belongs to none."""
    together: dict[str, list[Stack]] = {}
    for stack in stacks:
        if _lease(stack) is not None:
            together.setdefault(stack.tags[ENVIRONMENT_TAG], []).append(stack)
    return [_sandbox(name, members) for name, members in sorted(together.items())]


def _sandbox(name: str, members: list[Stack]) -> Sandbox:
    longest = max(members, key=lambda stack: _lease(stack) or date.min)
    return Sandbox(
        name=name,
        owner=longest.tags[OWNER_TAG],
        expires=_lease(longest) or date.max,
        stacks=tuple(sorted(members, key=lambda stack: (stack.name, stack.region))),
    )


def _lease(stack: Stack) -> date | None:
    """Its last day; None for what is no named sandbox's."""
    environment = stack.tags.get(ENVIRONMENT_TAG, "")
    is_named = environment.startswith(_NAMED) and environment != _NAMED
    if not is_named or not stack.name.startswith(f"{environment}-") or not stack.tags.get(OWNER_TAG):
        return None
    try:
        return date.fromisoformat(stack.tags.get(EXPIRES_TAG, ""))
    except ValueError:
        return None


def producers(template: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The stacks whose outputs this template reads, as (region, name); the region is empty where it is its own.

    Stacks are bound by `Fn::GetStackOutput`, which lets a producer be deleted under its consumers: the order is ours
    to keep. See docs/adr/0010-weak-references-between-stacks.md.
    """
    found: set[tuple[str, str]] = set()
    _collect(template, found)
    return found


def _collect(node: object, found: set[tuple[str, str]]) -> None:
    if isinstance(node, Mapping):
        read = node.get("Fn::GetStackOutput")
        if isinstance(read, Mapping) and isinstance(read.get("StackName"), str):
            found.add((str(read.get("Region", "")), read["StackName"]))
        for value in node.values():
            _collect(value, found)
    elif isinstance(node, list):
        for value in node:
            _collect(value, found)
