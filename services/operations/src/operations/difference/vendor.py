"""Runs CDK's own diff library, which knows for each property whether it replaces the resource.

It is a Node package (`@aws-cdk/cloudformation-diff`), so one short script beside this file prints its answers as JSON.
Reading what it knows of 1,800 types is most of its time, so one process answers for all environments.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Timer
from typing import Any, Final, Self

from operations.difference.outcome import CannotCompareError

Template = Mapping[str, Any]

_SCRIPT: Final = Path(__file__).with_name("compare.mjs")
_LONGEST_SECONDS: Final = 120
"""For one question; a healthy answer takes about one."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One stack before and after; an absent stack is an empty template."""

    before: Template
    after: Template


class Impact(StrEnum):
    """What an update does to the physical resource, in the library's own words."""

    CREATE = "WILL_CREATE"
    UPDATE = "WILL_UPDATE"
    REPLACE = "WILL_REPLACE"
    MAY_REPLACE = "MAY_REPLACE"
    DESTROY = "WILL_DESTROY"
    ORPHAN = "WILL_ORPHAN"
    NONE = "NO_CHANGE"
    """Also the answer for a property the library does not know, such as any of a custom resource."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What happens to one resource; `attributes` are what changes beside its properties, such as DeletionPolicy."""

    logical_id: str
    impact: Impact
    properties: Mapping[str, Impact]
    attributes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """An IAM statement that comes or goes. `negative` ones take rights away (Deny, or Allow of all but something)."""

    added: bool
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...]
    condition: str
    negative: bool


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A managed policy that comes to or leaves a role."""

    added: bool
    identity: str
    policy: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A security group's rule that comes or goes; `direction` is `in` or `out`."""

    added: bool
    direction: str
    group: str
    protocol: str
    peer: str


@dataclass(frozen=True, kw_only=True)
class StackDiff:
    """All the library says of one stack."""

    effects: tuple[Effect, ...]
    statements: tuple[Statement, ...]
    attachments: tuple[Attachment, ...]
    rules: tuple[Rule, ...]


class Library:
    """CDK's diff library in a subprocess, for the duration of the `with` block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed with the block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._complaints.close()

    def compare(self, pairs: Mapping[str, Pair]) -> Mapping[str, StackDiff]:
        """Compare every pair, by stack.

        Raises:
            CannotCompareError: Node or the package is missing, or the library refuses a template.
        """
        if not pairs:
            return {}
        asked = {stack: {"before": pair.before, "after": pair.after} for stack, pair in pairs.items()}
        return {stack: _stack_diff(found) for stack, found in self._ask(asked).items()}

    def _ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        self._process = self._process or self._start()
        hears, says = self._process.stdin, self._process.stdout
        if hears is None or says is None:  # it was started with both
            raise AssertionError
        watchdog = Timer(_LONGEST_SECONDS, self._process.kill)
        watchdog.start()
        try:
            hears.write(f"{json.dumps(question)}\n")
            hears.flush()
            answer = says.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            raise CannotCompareError(self._reason())
        found: Mapping[str, Any] = json.loads(answer)
        return found

    def _start(self) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(  # noqa: S603 -- our own script, and nothing of a template on the command line
                ["node", str(_SCRIPT)],  # noqa: S607 -- whichever Node the contributor has
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                text=True,
            )
        except FileNotFoundError as missing:
            raise CannotCompareError("Node.js is missing: install Node 20 or newer.") from missing

    def _reason(self) -> str:
        if self._process is not None:
            self._process.wait(timeout=_LONGEST_SECONDS)
        self._complaints.seek(0)
        complaint = self._complaints.read()
        if "ERR_MODULE_NOT_FOUND" in complaint:
            return "The vendor's library for differences is not installed; install it: make setup"
        lines = [line.strip() for line in complaint.splitlines() if "Error" in line]
        return f"The vendor's library for differences failed: {lines[0] if lines else 'it gave no reason'}"


def _stack_diff(found: Mapping[str, Any]) -> StackDiff:
    return StackDiff(
        effects=tuple(map(_effect, found["resources"])),
        statements=tuple(map(_statement, found["statements"])),
        attachments=tuple(Attachment(**attachment) for attachment in found["attachments"]),
        rules=tuple(Rule(**rule) for rule in found["rules"]),
    )


def _effect(found: Mapping[str, Any]) -> Effect:
    return Effect(
        logical_id=found["id"],
        impact=Impact(found["impact"]),
        properties={name: Impact(impact) for name, impact in found["properties"].items()},
        attributes=tuple(found["attributes"]),
    )


def _statement(found: Mapping[str, Any]) -> Statement:
    lists = {name: tuple(found[name]) for name in ("actions", "resources", "principals")}
    return Statement(**{**found, **lists})
