"""Changes of IAM permissions and network access, from the findings of CDK's diff library."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from operations.difference.changes import Change, Comparison
from operations.difference.references import Names
from operations.difference.vendor import Attachment, Rule, Statement

UNREAD: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::EC2::VPCEndpoint": ("PolicyDocument",),
    "AWS::Events::EventBusPolicy": ("Action", "Condition", "Principal", "Statement"),
    "AWS::IAM::OIDCProvider": ("ClientIdList", "ThumbprintList", "Url"),
    "AWS::IAM::Role": ("PermissionsBoundary",),
}
"""Properties that decide about access and that the library reads as any other: named here, shown as they are."""

_ANYONE: Final = re.compile(r"^(AWS:)?\*$")
_WHOLE: Final = re.compile(r"^(\*|[A-Za-z0-9-]+:\*)$")
_KIND_OF_PRINCIPAL: Final = re.compile(r"^(AWS|Service|Federated|CanonicalUser):")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One added or removed IAM statement, with readable references; `wide` if it covers more than it names."""

    added: bool
    effect: str
    who: tuple[str, ...]
    actions: tuple[str, ...]
    targets: tuple[str, ...]
    condition: str
    wide: tuple[str, ...]

    @property
    def opens(self) -> bool:
        return self.added == (self.effect != "Deny")


@dataclass(frozen=True, kw_only=True)
class Door:
    """One added or removed security-group rule."""

    added: bool
    group: str
    direction: str
    protocol: str
    peer: str

    @property
    def wide(self) -> bool:
        return self.peer.startswith("Everyone") or self.protocol == "Everything"


@dataclass(frozen=True, kw_only=True)
class Access:
    """All that changes about access; `others` are properties shown as they are, by resource and property."""

    grants: tuple[Grant, ...]
    attachments: tuple[Attachment, ...]
    doors: tuple[Door, ...]
    others: tuple[tuple[str, str, Any, Any], ...]

    @property
    def changes(self) -> bool:
        return bool(self.grants or self.attachments or self.doors or self.others)


def access(comparison: Comparison) -> Access:
    """What the library found, stack by stack, in the names of the code; what opens something comes first."""
    names = comparison.names
    diffs = comparison.diffs.items()
    grants = [_grant(stack, names, it) for stack, diff in diffs for it in diff.statements]
    doors = [_door(stack, names, it) for stack, diff in diffs for it in diff.rules]
    return Access(
        grants=tuple(sorted(grants, key=lambda it: (not (it.wide and it.opens), not it.opens, it.who))),
        attachments=tuple(_attachment(stack, names, it) for stack, diff in diffs for it in diff.attachments),
        doors=tuple(sorted(doors, key=lambda it: (not (it.wide and it.added), not it.added, it.group))),
        others=tuple(_others(comparison.changes)),
    )


def _grant(stack: str, names: Names, found: Statement) -> Grant:
    who = tuple(names.spelled(stack, _KIND_OF_PRINCIPAL.sub("", it)) for it in found.principals)
    targets = tuple(names.spelled(stack, it) for it in found.resources)
    wide = []
    if found.effect != "Deny":
        wide += ["everyone"] if any(_ANYONE.match(it) for it in found.principals) else []
        wide += ["every action"] if any(_WHOLE.match(it) for it in found.actions) else []
        wide += ["every resource"] if "*" in found.resources else []
        wide += ["all but what it names"] if found.negative else []
    return Grant(
        added=found.added,
        effect=found.effect,
        who=who,
        actions=found.actions,
        targets=targets,
        condition=names.spelled(stack, found.condition),
        wide=tuple(wide),
    )


def _attachment(stack: str, names: Names, found: Attachment) -> Attachment:
    identity, policy = (names.spelled(stack, text) for text in (found.identity, found.policy))
    return Attachment(added=found.added, identity=identity, policy=policy)


def _door(stack: str, names: Names, found: Rule) -> Door:
    return Door(
        added=found.added,
        group=names.spelled(stack, found.group),
        direction=found.direction,
        protocol=found.protocol,
        peer=names.spelled(stack, found.peer),
    )


def _others(changes: tuple[Change, ...]) -> Iterator[tuple[str, str, Any, Any]]:
    for change in changes:
        was, becomes = (body.get("Properties", {}) for body in (change.before, change.after))
        for name in UNREAD.get(change.type, ()):
            if was.get(name) != becomes.get(name):
                yield change.name, name, was.get(name), becomes.get(name)
