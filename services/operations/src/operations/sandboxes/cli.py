"""The commands `list` and `reap`."""

import json
import sys
from datetime import UTC, date, datetime

import click
from rich.console import Console
from rich.table import Table

from operations.sandboxes.cloud import Cloud, CloudFormation, NotRemovedError, UnreachableError, parameter
from operations.sandboxes.leases import Sandbox, named_sandboxes
from operations.sandboxes.reaping import order, take_away

REGIONS = ("eu-west-1", "us-east-1")
"""Where a sandbox has stacks: its own region, and where CloudFront's certificates live."""
NOT_REMOVED, UNREACHABLE = 1, 3
WIDTH = 120

_regions = click.option("--region", "regions", multiple=True, default=REGIONS, show_default=True)


@click.group()
def cli() -> None:
    """Named sandboxes of the account whose credentials are used.

    Exit status: 0 done, 1 something that has expired is still there, 3 the account could not be asked.
    """


@cli.command(name="list")
@_regions
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def show(regions: tuple[str, ...], *, as_json: bool) -> None:
    """Every named sandbox, whose it is and how long it stays."""
    found = _found(CloudFormation(regions))
    if as_json:
        click.echo(json.dumps([_as_object(sandbox, today()) for sandbox in found]))
        return
    Console(width=WIDTH).print(_table(found, today()))


@cli.command(name="expired")
@_regions
def show_expired(regions: tuple[str, ...]) -> None:
    """The names of those whose last day is over, in one line, as a workflow takes its outputs."""
    click.echo(f"sandboxes={json.dumps([sandbox.name for sandbox in _expired(CloudFormation(regions))])}")


@cli.command()
@_regions
@click.option(
    "--only", metavar="NAME", help="This one alone, by the name that `list` shows, if it has expired."
)
@click.option("--dry-run", is_flag=True, help="Say what would be taken away, in which order.")
def reap(regions: tuple[str, ...], only: str | None, *, dry_run: bool) -> None:
    """Take away every named sandbox whose last day is over."""
    cloud = CloudFormation(regions)
    expired = [sandbox for sandbox in _expired(cloud) if only in {None, sandbox.name}]
    if not expired:
        click.echo(f"{only or 'No named sandbox'} has {'not ' if only else ''}expired.")
    stayed = [sandbox.name for sandbox in expired if not _is_taken_away(sandbox, cloud, dry_run=dry_run)]
    if stayed:
        sys.exit(NOT_REMOVED)


@cli.command()
@click.argument("environment")
@click.option("--region", default=REGIONS[0], show_default=True)
def addresses(environment: str, region: str) -> None:
    """Where ENVIRONMENT (sandbox-NAME, or any other) is reached, and its log's name and key, as assignments for a shell."""
    names = ("api/url", "edge/url", "ledger/origin", "ledger/signing-key-arn")
    try:
        api, edge, origin, key = (parameter(f"/amply/{environment}/{name}", region=region) for name in names)
    except UnreachableError as reason:
        click.echo(str(reason), err=True)
        sys.exit(UNREACHABLE)
    click.echo(f"API={api} EDGE={edge} LOG={edge}/log ORIGIN={origin} SIGNING_KEY={key}")


def today() -> date:
    """A day ends everywhere in the world some time; here it ends at midnight UTC."""
    return datetime.now(UTC).date()


def _expired(cloud: Cloud) -> list[Sandbox]:
    return [sandbox for sandbox in _found(cloud) if sandbox.has_expired(today())]


def _found(cloud: Cloud) -> list[Sandbox]:
    try:
        return named_sandboxes(cloud.stacks())
    except UnreachableError as reason:
        click.echo(str(reason), err=True)
        sys.exit(UNREACHABLE)


def _is_taken_away(sandbox: Sandbox, cloud: Cloud, *, dry_run: bool) -> bool:
    """Whether nothing of it is left; a dry run answers whether it could be tried. One failure does not stop the others."""
    click.echo(f"{sandbox.name} of {sandbox.owner} expired on {sandbox.expires}")
    try:
        if dry_run:
            for stack in order(sandbox, cloud):
                click.echo(f"  {stack.name} ({stack.region}) would be deleted")
        else:
            take_away(sandbox, cloud, click.echo)
    except (NotRemovedError, UnreachableError) as reason:
        click.echo(str(reason), err=True)
        return False
    return True


def _table(found: list[Sandbox], now: date) -> Table:
    drawn = Table(title=f"{len(found)} named sandboxes", title_justify="left")
    for heading in ("sandbox", "owner", "last day", "days left", "stacks"):
        drawn.add_column(heading)
    for sandbox in found:
        left = "expired" if sandbox.has_expired(now) else str((sandbox.expires - now).days)
        row = (sandbox.name, sandbox.owner, sandbox.expires.isoformat(), left, str(len(sandbox.stacks)))
        drawn.add_row(*row)
    return drawn


def _as_object(sandbox: Sandbox, now: date) -> dict[str, object]:
    return {
        "name": sandbox.name,
        "owner": sandbox.owner,
        "expires": sandbox.expires.isoformat(),
        "has_expired": sandbox.has_expired(now),
        "stacks": [stack.name for stack in sandbox.stacks],
    }
