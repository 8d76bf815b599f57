"""Prepares an account for deployments: `python -m operations.bootstrap ENVIRONMENT`, by people, once and after changes.

Writes the policies of `bootstrap/` into the account, then calls `cdk bootstrap` with them in every region the
environment has a stack in: what deploys gets the policies of `execution/` in place of AdministratorAccess, and the role
that looks gets `lookup.json` in place of ReadOnlyAccess, which would read data. Needs an administrator's credentials;
nothing that deploys later does.
Exit codes: 0 prepared, 2 not prepared.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_iam.client import IAMClient

from operations.assembly import NoAssemblyError
from operations.locations import AccountRegion, NoSuchEnvironmentError, environment_of, places
from operations.lookup import WrongAccountError, refuse_other_account

BOUNDARY: Final = "amply-boundary"
LOOKUP: Final = "lookup"
REPLICAS: Final = "replicas"
"""Reading and writing items of tables, which DynamoDB asks of whoever makes a replica: for environments that have one."""
_CDK: Final = "node_modules/.bin/cdk"
_READS_EVERYTHING: Final = "iam::aws:policy/ReadOnlyAccess"
"""What the CDK's own template gives the role that looks: also objects, messages, logs and tables."""
_VERSIONS_KEPT: Final = 5
"""IAM keeps no more of one policy."""


class ForeignTemplateError(Exception):
    """The CDK's bootstrap template is not as this program knows it; the message says what to look at."""


def documents(folder: Path, *, account: str, environment: str, has_replicas: bool) -> dict[str, str]:
    """Every policy of `bootstrap/` that the environment needs, by the name it gets in the account, filled in."""
    every = (folder / f"{LOOKUP}.json", *sorted((folder / "execution").glob("*.json")))
    needed = [file for file in every if has_replicas or file.stem != REPLICAS]
    files = {policy_name(environment, file.stem): file for file in needed}
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


def policy_name(environment: str, what: str) -> str:
    return f"amply-{environment}-{what}"


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


def narrowed(template: str, *, policy: str) -> str:
    """The CDK's bootstrap template with our policy on the role that looks, in place of ReadOnlyAccess.

    Raises:
        ForeignTemplateError: It gives ReadOnlyAccess to no role, or to several.
    """
    before, *after = template.split(_READS_EVERYTHING)
    if len(after) != 1 or "LookupRole:" not in before:
        raise ForeignTemplateError(
            "The CDK's bootstrap template no longer gives ReadOnlyAccess to its lookup role alone; compare "
            "`cdk bootstrap --show-template` with operations/bootstrap.py."
        )
    return f"{before}iam::${{AWS::AccountId}}:policy/{policy}{after[0]}"


def command(found: Sequence[AccountRegion], *, policies: Sequence[str], template: str) -> list[str]:
    """The call of the CDK's command line; without its default policy, which is AdministratorAccess."""
    return [
        _CDK,
        "bootstrap",
        *(place.address for place in found),
        "--cloudformation-execution-policies",
        ",".join(policies),
        "--template",
        template,
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
    except (
        NoAssemblyError,
        NoSuchEnvironmentError,
        ForeignTemplateError,
        WrongAccountError,
        BotoCoreError,
        ClientError,
    ) as error:
        click.echo(f"Not prepared: {error}", err=True)
        sys.exit(2)


def _prepare(environment: str, assembly: Path, policies: Path, *, dry_run: bool) -> None:
    deployed = environment_of(assembly, environment)
    found = places(deployed)
    account = found[0].account
    has_replicas = any(deployed.resources("AWS::DynamoDB::GlobalTable"))
    written = documents(policies, account=account, environment=environment, has_replicas=has_replicas)
    looks = policy_name(environment, LOOKUP)
    deploys = [policy_arn(account, name) for name in written if name not in {BOUNDARY, looks}]
    if dry_run:
        for name in written:
            click.echo(f"would write {policy_arn(account, name)}")
        called = command(found, policies=deploys, template="TEMPLATE")
        click.echo(f"would call  {' '.join(called)}")
        click.echo(f"TEMPLATE is the CDK's own, with {looks} in place of ReadOnlyAccess on the lookup role")
        return
    refuse_other_account(found[0])
    template = narrowed(_template_of_the_cdk(), policy=looks)
    iam = boto3.client("iam")
    for name, document in written.items():
        click.echo(f"{name}: {write_policy(iam, account=account, name=name, document=document)}")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(template)
        file.flush()
        call = command(found, policies=deploys, template=file.name)
        done = subprocess.run(call, check=False)  # noqa: S603 -- our own command line, no input of others
    if done.returncode:
        click.echo("Not prepared: cdk bootstrap failed, see above.", err=True)
        sys.exit(2)


def _template_of_the_cdk() -> str:
    """Of the pinned command line; asks no account."""
    done = subprocess.run(  # noqa: S603 -- our own command line, no input of others
        [_CDK, "bootstrap", "--show-template"], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise ForeignTemplateError(f"cdk bootstrap --show-template failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    cli()
