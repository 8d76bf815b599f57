"""Downloads the deployed templates in the form of an assembly: `python -m operations.deployed ENVIRONMENT --to FOLDER`.

So that the programs which compare two assemblies can compare a change with what runs today. Stacks are found by their
names, not by the assembly's list: one that left the app is still there to be seen. Regions are the assembly's, so give
it the one the change started from. Runs beside pull requests, so it asks for no more than the role `diff` may: names of
stacks, and what the environment's own were made from. Exit codes: 0 written, 2 not.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_cloudformation.client import CloudFormationClient

from operations.assembly import Deployed, NoAssemblyError
from operations.difference.outcome import CannotCompareError
from operations.locations import AccountRegion, NoSuchEnvironmentError, environment_of, places
from operations.lookup import WrongAccountError, own_cloudformation

_NOTHING_THERE: Final = {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
"""Gone, or only a change set that nobody executed yet."""


def download(
    deployed: Deployed, to: Path, client: Callable[[AccountRegion], CloudFormationClient]
) -> list[str]:
    """Write an assembly of what runs; answers the names of its stacks."""
    stage = to / f"assembly-{deployed.name}"
    stage.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, Any] = {}
    for place in places(deployed):
        there = client(place)
        for name in _names(there, deployed.name):
            (stack,) = there.describe_stacks(StackName=name)["Stacks"]
            # The stubs promise a mapping; what was uploaded as YAML comes back as text.
            template: object = there.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
            file = stage / f"{name}.template.json"
            file.write_text(template if isinstance(template, str) else json.dumps(template))
            artifacts[name] = {
                "type": "aws:cloudformation:stack",
                "environment": place.address,
                "properties": {
                    "stackName": name,
                    "templateFile": file.name,
                    "terminationProtection": stack.get("EnableTerminationProtection", False),
                },
            }
    (stage / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return sorted(artifacts)


def running(deployed: Deployed, client: Callable[[AccountRegion], CloudFormationClient]) -> Deployed:
    """What runs of an environment now, as an assembly would hold it; empty where nothing was deployed yet.

    Raises:
        CannotCompareError: A stack of it was not made from JSON, so not by the CDK.
    """
    with TemporaryDirectory() as folder:
        download(deployed, Path(folder), client)
        try:
            return environment_of(Path(folder), deployed.name)
        except ValueError as broken:
            raise CannotCompareError(
                f"A stack of {deployed.name} was made from something else than JSON, so not by the CDK ({broken}); see "
                f"which: aws cloudformation list-stacks."
            ) from broken


def _names(there: CloudFormationClient, environment: str) -> Iterator[str]:
    """From the list, which says no more than names and states: outputs of other stacks are none of our business."""
    for page in there.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            if belongs(stack["StackName"], environment) and stack["StackStatus"] not in _NOTHING_THERE:
                yield stack["StackName"]


def belongs(name: str, environment: str) -> bool:
    """`sandbox-network` is the sandbox's; `sandbox-ada-network` is that of a sandbox named `ada`."""
    stack = name.removeprefix(f"{environment}-")
    return stack != name and "-" not in stack


@click.command()
@click.argument("environment")
@click.option("--assembly", type=click.Path(path_type=Path), default=Path("cdk.out"), show_default=True)
@click.option("--to", type=click.Path(path_type=Path), default=Path("deployed.out"), show_default=True)
def cli(environment: str, assembly: Path, to: Path) -> None:
    """Download the templates of ENVIRONMENT."""
    try:
        found = download(environment_of(assembly, environment), to, own_cloudformation)
    except (
        NoAssemblyError,
        NoSuchEnvironmentError,
        WrongAccountError,
        BotoCoreError,
        ClientError,
    ) as error:
        click.echo(f"Not downloaded: {error}", err=True)
        sys.exit(2)
    click.echo(f"{len(found)} stacks of {environment} in {to}")


if __name__ == "__main__":
    cli()
