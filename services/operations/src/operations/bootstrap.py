"""Prepares an account for deployments: `python -m operations.bootstrap ENVIRONMENT`, by people, once and after changes.

Writes the policies of `bootstrap/` into the account, then calls `cdk bootstrap` with them in every region the
environment has a stack in. Needs an administrator's credentials; nothing that deploys later does.
Exit codes: 0 prepared, 2 not prepared.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_iam.client import IAMClient

from operations.assembly import NoAssemblyError
from operations.places import NoSuchEnvironmentError, Place, environment_of, places

BOUNDARY: Final = "amply-boundary"
_VERSIONS_KEPT: Final = 5
"""IAM keeps no more of one policy."""


def documents(folder: Path, *, account: str, environment: str) -> dict[str, str]:
    """Every policy of `bootstrap/` by the name it gets in the account, filled in."""
    files = {
        f"amply-{environment}-{file.stem}": file for file in sorted((folder / "execution").glob("*.json"))
    }
    return {
        name: file.read_text().replace("${ACCOUNT}", account).replace("${ENVIRONMENT}", environment)
        for name, file in ({BOUNDARY: folder / "boundary.json"} | files).items()
    }


def write_policy(iam: IAMClient, *, account: str, name: str, document: str) -> str:
    """Create the policy, or make this its default version; answers "created", "updated" or "unchanged"."""
    arn = policy_arn(account, name)
    try:
        iam.create_policy(PolicyName=name, PolicyDocument=document)
    except iam.exceptions.EntityAlreadyExistsException:
        return _renew(iam, arn, document)
    return "created"


def policy_arn(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:policy/{name}"


def _renew(iam: IAMClient, arn: str, document: str) -> str:
    current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    held = iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"]
    if held == json.loads(document):
        return "unchanged"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    if len(versions) >= _VERSIONS_KEPT:
        oldest = min(
            (version for version in versions if not version["IsDefaultVersion"]),
            key=lambda version: version["CreateDate"],
        )
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    return "updated"


def command(found: Sequence[Place], *, policies: Sequence[str]) -> list[str]:
    """The call of the CDK's command line; without its default policy, which is AdministratorAccess."""
    return [
        "node_modules/.bin/cdk",
        "bootstrap",
        *(place.address for place in found),
        "--cloudformation-execution-policies",
        ",".join(policies),
    ]


@click.command()
@click.argument("environment")
@click.option("--assembly", type=click.Path(path_type=Path), default=Path("cdk.out"), show_default=True)
@click.option("--policies", type=click.Path(path_type=Path), default=Path("bootstrap"), show_default=True)
@click.option("--dry-run", is_flag=True, help="Say what would be written and called; needs no credentials.")
def cli(environment: str, assembly: Path, policies: Path, *, dry_run: bool) -> None:
    """Prepare the account of ENVIRONMENT."""
    try:
        _prepare(environment, assembly, policies, dry_run=dry_run)
    except (NoAssemblyError, NoSuchEnvironmentError, BotoCoreError, ClientError) as error:
        click.echo(f"Not prepared: {error}", err=True)
        sys.exit(2)


def _prepare(environment: str, assembly: Path, policies: Path, *, dry_run: bool) -> None:
    found = places(environment_of(assembly, environment))
    account = found[0].account
    written = documents(policies, account=account, environment=environment)
    call = command(found, policies=[policy_arn(account, name) for name in written if name != BOUNDARY])
    if dry_run:
        for name in written:
            click.echo(f"would write {policy_arn(account, name)}")
        click.echo(f"would call  {' '.join(call)}")
        return
    iam = boto3.client("iam")
    for name, document in written.items():
        click.echo(f"{name}: {write_policy(iam, account=account, name=name, document=document)}")
    if subprocess.run(call, check=False).returncode:  # noqa: S603 -- our own command line, no input of others
        click.echo("Not prepared: cdk bootstrap failed, see above.", err=True)
        sys.exit(2)


if __name__ == "__main__":
    cli()
