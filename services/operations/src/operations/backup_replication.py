"""Checks that the database's backups are replicated to the second region: `python -m operations.backup_replication
ENVIRONMENT`.

CloudFormation begins the copying when it makes the instance. One that was restored, or became the database in an upgrade, was made
outside of it: its template says that it is copied, and nothing is. So every night the copies of the instance that is there now are looked at.
Exit codes: 0 minutes behind, or no second region; 1 not copied; 2 could not be looked at.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import click
from botocore.exceptions import BotoCoreError, ClientError

from operations.assembly import Deployed, NoAssemblyError
from operations.locations import AccountRegion, NoSuchEnvironmentError, environment_of, place_of
from operations.lookup import rds

LAG_MAX: Final = timedelta(hours=1)
"""Copies are minutes behind; an hour without a new one is no delay any more."""
_DATABASE: Final = "AWS::RDS::DBInstance"
_RUNBOOK: Final = 'docs/runbooks/restore.md, step 4 of "The database"'


class Rds(Protocol):
    """What is asked of RDS in each of the two regions."""

    def describe_db_instances(self, **request: Any) -> Mapping[str, Any]: ...

    def describe_db_instance_automated_backups(self, **request: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Report:
    """A sentence, and whether all is as it should be."""

    is_replicated: bool
    words: str


def check(deployed: Deployed, client: Callable[[AccountRegion], Rds], *, now: datetime) -> Report:
    """Ask where the database stands which one it is, and where its copies should be how old they are."""
    copied = [
        it for it in deployed.resources(_DATABASE) if "AutomaticBackupReplicationRegion" in it.properties
    ]
    if not copied:
        return Report(is_replicated=True, words=f"{deployed.name} keeps no copy in a second region.")
    (database,) = copied
    name = str(database.properties["DBInstanceIdentifier"])
    here = place_of(deployed, database.stack.partition("/")[2])
    second = AccountRegion(
        account=here.account, region=database.properties["AutomaticBackupReplicationRegion"]
    )
    (instance,) = client(here).describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    backups = client(second).describe_db_instance_automated_backups(DbiResourceId=instance["DbiResourceId"])
    moments = [it.get("RestoreWindow", {}).get("LatestTime") for it in backups["DBInstanceAutomatedBackups"]]
    # One that has just begun has none yet.
    newest = max((it for it in moments if it is not None), default=None)
    return _judged(f"{name} ({instance['DbiResourceId']})", second.region, newest, now=now)


def _judged(database: str, region: str, newest: datetime | None, *, now: datetime) -> Report:
    if newest is None:
        words = f"{database} has no copy in {region} yet: see that the copying was begun, {_RUNBOOK}."
    elif now - newest > LAG_MAX:
        words = f"The copy of {database} in {region} ends at {newest.isoformat()}: see {_RUNBOOK}."
    else:
        return Report(
            is_replicated=True, words=f"{database} is copied to {region}, up to {newest.isoformat()}."
        )
    return Report(is_replicated=False, words=words)


@click.command()
@click.argument("environment")
@click.option("--assembly", type=click.Path(path_type=Path), default=Path("cdk.out"), show_default=True)
def cli(environment: str, assembly: Path) -> None:
    """See whether the backups of ENVIRONMENT reach its second region."""
    try:
        report = check(environment_of(assembly, environment), rds, now=datetime.now(tz=UTC))
    except (NoAssemblyError, NoSuchEnvironmentError, BotoCoreError, ClientError) as error:
        click.echo(f"Not looked at: {error}", err=True)
        sys.exit(2)
    click.echo(report.words)
    sys.exit(0 if report.is_replicated else 1)


if __name__ == "__main__":
    cli()
