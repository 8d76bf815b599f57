"""Detects manual changes (CloudFormation drift): `python -m operations.drift ENVIRONMENT`.

Asks CloudFormation to compare every stack of an environment with what is there, and prints each property that differs.
What could not be looked at is as loud as a difference: `cdk drift` passes over it in silence, and the role that looks may
read little on purpose (`bootstrap/lookup.json`), so a right that is missing there must be seen. What AWS moves by itself,
as it was told to, is printed with the reason and does not fail (`drift_known.py`).
Exit codes: 0 as deployed, 1 something differs, 2 something could not be looked at.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

import click
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_cloudformation.client import CloudFormationClient
from mypy_boto3_cloudformation.type_defs import (
    DescribeStackResourceDriftsInputTypeDef,
    StackResourceDriftTypeDef,
)

from operations.assembly import Deployed, NoAssemblyError
from operations.drift_known import known
from operations.locations import AccountRegion, NoSuchEnvironmentError, environment_of, in_order, place_of
from operations.lookup import cloudformation

_EVERY_SECONDS: Final = 5
_LOOKS_MAX: Final = 120
"""Ten minutes a stack; the largest take one or two."""


Client = Callable[[AccountRegion], CloudFormationClient]


class Exit(IntEnum):
    AS_DEPLOYED = 0
    DIFFERS = 1
    NOT_LOOKED_AT = 2


class NotLookedAtError(Exception):
    """CloudFormation could not compare a stack; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One resource that is not as deployed, or could not be looked at, in a sentence or a few lines."""

    exit: Exit
    """What it means for the night; `AS_DEPLOYED` when all of it is known and harmless."""
    words: str


def drift(
    deployed: Deployed,
    client: Client,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Finding]:
    """Every finding of every stack, in the order the stacks are deployed."""
    for stack in in_order(deployed):
        name = f"{deployed.name}-{stack}"
        try:
            yield from look_at(client(place_of(deployed, stack)), name, pause)
        except (NotLookedAtError, BotoCoreError, ClientError) as reason:
            yield Finding(exit=Exit.NOT_LOOKED_AT, words=f"{name}: {reason}")


def look_at(there: CloudFormationClient, stack: str, pause: Callable[[float], None]) -> Iterator[Finding]:
    """The findings of one stack. Types that CloudFormation cannot compare are none: they are the same every night.

    Raises:
        NotLookedAtError: It took too long.
    """
    detection = there.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    if reason := _fault(there, detection, pause):
        yield Finding(exit=Exit.NOT_LOOKED_AT, words=f"{stack}: {reason}")
    # Not filtered by the service: a page of what was left out could be empty and still not be the last.
    asked: DescribeStackResourceDriftsInputTypeDef = {"StackName": stack}
    while True:
        page = there.describe_stack_resource_drifts(**asked)
        yield from filter(None, (finding_of(stack, found) for found in page["StackResourceDrifts"]))
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]


def _fault(there: CloudFormationClient, detection: str, pause: Callable[[float], None]) -> str | None:
    """Waits, and says why something could not be compared; the rest of the stack was all the same."""
    for _ in range(_LOOKS_MAX):
        asked = there.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if asked["DetectionStatus"] == "DETECTION_FAILED":
            return asked.get("DetectionStatusReason", "CloudFormation does not say why it could not compare.")
        if asked["DetectionStatus"] == "DETECTION_COMPLETE":
            return None
        pause(_EVERY_SECONDS)
    raise NotLookedAtError(f"not compared within {_EVERY_SECONDS * _LOOKS_MAX} seconds; run it again.")


def finding_of(stack: str, found: StackResourceDriftTypeDef) -> Finding | None:
    """What one compared resource means; None when it is as deployed, or nobody can compare its type."""
    what = f"{stack}: {found['ResourceType']} {found['LogicalResourceId']}"
    match found["StackResourceDriftStatus"]:
        case "DELETED":
            return Finding(exit=Exit.DIFFERS, words=f"{what} is gone")
        case "MODIFIED":
            return _changed(what, found)
        case "UNKNOWN":
            reason = found.get("DriftStatusReason", "CloudFormation does not say why")
            return Finding(exit=Exit.NOT_LOOKED_AT, words=f"{what} could not be looked at: {reason}")
        case _:
            return None


def _changed(what: str, found: StackResourceDriftTypeDef) -> Finding:
    harmless = known(found)
    differences = found.get("PropertyDifferences", [])
    lines = [
        f"\n  {it['PropertyPath']}: {it['ExpectedValue']} became {it['ActualValue']}"
        + (f" (known: {harmless[it['PropertyPath']]})" if it["PropertyPath"] in harmless else "")
        for it in differences
    ]
    # Changed, and nobody says in what: that is known to no list.
    meant = bool(differences) and all(it["PropertyPath"] in harmless for it in differences)
    return Finding(
        exit=Exit.AS_DEPLOYED if meant else Exit.DIFFERS,
        words=f"{what} {'moved by itself' if meant else 'was changed'}{''.join(lines)}",
    )


@click.command()
@click.argument("environment")
@click.option("--assembly", type=click.Path(path_type=Path), default=Path("cdk.out"), show_default=True)
def cli(environment: str, assembly: Path) -> None:
    """Compare ENVIRONMENT with what it was deployed as."""
    try:
        deployed = environment_of(assembly, environment)
    except (NoAssemblyError, NoSuchEnvironmentError) as error:
        click.echo(f"Not looked at: {error}", err=True)
        sys.exit(Exit.NOT_LOOKED_AT)
    status = Exit.AS_DEPLOYED
    for finding in drift(deployed, cloudformation):
        click.echo(finding.words)
        status = max(status, finding.exit)
    if status is Exit.AS_DEPLOYED:
        click.echo(f"{environment} is as it was deployed.")
    sys.exit(status)


if __name__ == "__main__":
    cli()
