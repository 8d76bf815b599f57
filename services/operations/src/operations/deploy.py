"""Deploys an assembly, stack by stack: `python -m operations.deploy ENVIRONMENT [--up-to STACK]`.

First the whole environment is compared with what runs, and nothing is deployed when something that holds data would end
without an approval. Then each stack's change set is prepared, shown (what is replaced or removed first), read by the same
rule (`gate.py`) and executed. Stack by stack, because a change set prepared before the stack below it changed would carry
that stack's old values. `--up-to` stops after one stack and what it stands on: migrations run there, before the services
that count on them.
What the CDK's command line says is passed on line by line as it says it; a failure ends in one sentence.
Exit codes: 0 deployed, 1 a stack failed, 2 nothing could be deployed, 3 refused: it would lose data.
"""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_cloudformation.client import CloudFormationClient
from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef

from operations.assembly import Deployed, NoAssemblyError
from operations.deployed import running
from operations.difference.approved_replacements import read_approved_replacements
from operations.difference.outcome import CannotCompareError
from operations.gate import Gate, WouldLoseDataError
from operations.locations import (
    AccountRegion,
    NoSuchEnvironmentError,
    environment_of,
    in_order,
    needed_by,
    place_of,
)
from operations.lookup import cloudformation
from operations.losses import prepared
from operations.readiness import NotFinishedError, refuse_unfinished

CHANGE_SET: Final = "amply-delivery"
_CDK: Final = "node_modules/.bin/cdk"
_REMEMBERED: Final = 400
"""Lines; the last error is among them, and an hour of events need not be kept."""
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_FAILURE: Final = re.compile(r"❌|\b(?:failed|error)\b|Error:|_FAILED\b", re.IGNORECASE)
_NOTHING: Final = "(no changes)"
"""What the command line says of a stack that is already as the assembly wants it."""


class DeploymentFailedError(Exception):
    """A stack was not deployed; the message is the CDK's last error."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One environment of an assembly, with its clients."""

    deployed: Deployed
    assembly: Path
    cdk: str
    client: Callable[[AccountRegion], CloudFormationClient]
    gate: Gate

    def run(self, *, up_to: str | None) -> None:
        """Deploy the stacks in order.

        Raises:
            NoSuchEnvironmentError: There is no stack of this name.
            NotFinishedError: The environment still has placeholders that only people can fill, or no image was named.
            WouldLoseDataError: Refused, before anything was touched or before the change set that would lose data.
            DeploymentFailedError: The command line failed.
        """
        refuse_unfinished(self.deployed)
        stacks = self.stacks(up_to)
        self.gate.compare(self.deployed)
        for stack in stacks:
            self._one(stack)

    def stacks(self, up_to: str | None) -> list[str]:
        """All stacks in order, or one and those it stands on."""
        order = in_order(self.deployed)
        if up_to is None:
            return order
        if up_to not in order:
            raise NoSuchEnvironmentError(
                f"{self.deployed.name} has no stack {up_to!r}; it has {', '.join(order)}."
            )
        wanted = {up_to}
        for stack in reversed(order):
            if stack in wanted:
                wanted |= set(needed_by(self.deployed, stack))
        return [stack for stack in order if stack in wanted]

    def _one(self, stack: str) -> None:
        said = self._call(stack, "prepare-change-set")
        if _NOTHING in said:
            click.echo(f"{self.deployed.name}/{stack}: no changes")
            return
        there = self.client(place_of(self.deployed, stack))
        found = prepared(there, f"{self.deployed.name}-{stack}", CHANGE_SET)
        for line in changes(found):
            click.echo(f"{self.deployed.name}/{stack}: {line}")
        self.gate.read(self.deployed.name, stack, found)
        self._call(stack, "execute-change-set")

    def _call(self, stack: str, method: str) -> str:
        # Approval is the pipeline's: the job for production waits for people before it starts.
        command = [
            *(self.cdk, "deploy", f"{self.deployed.name}/{stack}", "--exclusively"),
            *("--app", str(self.assembly), "--require-approval", "never"),
            *("--method", method, "--change-set-name", CHANGE_SET),
            # A line an event, as in any log: a bar that moves needs a terminal.
            *("--progress", "events"),
        ]
        if method == "prepare-change-set":
            # A reference to another stack is the same text whatever it refers to now: an unchanged template is not
            # an unchanged stack. What is executed was prepared so; there the command line refuses the option.
            command.append("--force")
        name = f"{self.deployed.name}/{stack}"
        code, said = passed_on(command, name)
        if code:
            raise DeploymentFailedError(f"{name} failed ({method}): {last_error(said)}")
        return "\n".join(said)


def passed_on(command: Sequence[str], name: str) -> tuple[int, list[str]]:
    """Run it and print each line it says when it says it; answers its exit code, and the last lines without colours."""
    said: deque[str] = deque(maxlen=_REMEMBERED)
    with subprocess.Popen(  # noqa: S603 -- our own
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as running:
        for line in running.stdout or ():
            if plain := _COLOURS.sub("", line).strip():
                said.append(plain)
                click.echo(f"{name} | {plain}")
    return running.returncode, list(said)


def last_error(said: Sequence[str]) -> str:
    """The last line that speaks of a failure; without one, the last line there is."""
    failures = [line for line in said if _FAILURE.search(line)]
    last = (failures or said or ["it said nothing"])[-1]
    return last.removeprefix("❌").strip()


def changes(found: Sequence[ResourceChangeTypeDef]) -> Iterator[str]:
    """What the prepared change set would do, what hurts most first."""
    for change in sorted(found, key=_harm):
        verb = _VERBS.get(change["Action"], change["Action"].lower())
        if change.get("Replacement", "False") != "False":
            verb = "REPLACES" if change["Replacement"] == "True" else "may replace"
        yield f"{verb} {change['ResourceType']} {change['LogicalResourceId']}"


_VERBS: Final = {"Remove": "REMOVES", "Add": "adds", "Modify": "changes"}


def _harm(change: ResourceChangeTypeDef) -> tuple[int, str]:
    replaced = change.get("Replacement", "False")
    worst = 0 if change["Action"] == "Remove" or replaced == "True" else 1 if replaced != "False" else 2
    return worst, change["LogicalResourceId"]


@click.command()
@click.argument("environment")
@click.option("--assembly", type=click.Path(path_type=Path), default=Path("cdk.out"), show_default=True)
@click.option("--up-to", metavar="STACK", help="Stop after this stack.")
@click.option(
    "--replacements",
    "replacements_file",
    type=click.Path(path_type=Path),
    default=Path("stacks/replacements.toml"),
    show_default=True,
    help="Replacements agreed to.",
)
def cli(environment: str, assembly: Path, up_to: str | None, replacements_file: Path) -> None:
    """Deploy ENVIRONMENT."""
    try:
        gate = Gate(
            running=lambda deployed: running(deployed, cloudformation),
            approved=read_approved_replacements(replacements_file),
            today=datetime.now(tz=UTC).date(),
        )
        Deployment(
            deployed=environment_of(assembly, environment),
            assembly=assembly,
            cdk=_CDK,
            client=cloudformation,
            gate=gate,
        ).run(up_to=up_to)
    except DeploymentFailedError as failure:
        click.echo(failure, err=True)
        sys.exit(1)
    except WouldLoseDataError as refusal:
        click.echo(refusal, err=True)
        sys.exit(3)
    except (
        NoAssemblyError,
        NoSuchEnvironmentError,
        NotFinishedError,
        CannotCompareError,
        BotoCoreError,
        ClientError,
    ) as error:
        click.echo(f"Not deployed: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    cli()
