"""The command line. Exit codes are in `outcome`; an internal error never looks like a verdict."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import click

from operations.restore.instance import From, find_backup
from operations.restore.migrations import read_migrations
from operations.restore.outcome import Exit
from operations.restore.rehearsal import IN_THE_WAY, Cloud, Plan, rehearse
from operations.restore.waiting import Patience

_MIGRATIONS = Path("services/backend/src/amply/migrations/versions")
_TLS_ROOTS = "/etc/ssl/certs/rds-global-bundle.pem"
_EPILOG = """\b
Exit codes: 0 restored, checked, right and taken away  2 wrong usage
  10 restored and wrong  20 could not be checked  30 right, but the instance is still there
"""


@click.group()
def cli() -> None:
    """Prove that an environment's database can be restored."""


@cli.command(name="rehearse", epilog=_EPILOG)
@click.option(
    "--environment",
    required=True,
    envvar="AMPLY_ENVIRONMENT",
    help="Whose database; credentials are those of the shell.",
)
@click.option(
    "--key",
    required=True,
    envvar="AMPLY_LOG_KEYS",
    help="The log's verifier key, as people pin it: itself, several on lines, or a file with them.",
)
@click.option(
    "--from", "way", type=click.Choice([way.value for way in From]), default="moment", show_default=True
)
@click.option("--through", type=int, help="A port of this machine that leads to the instance (a tunnel's).")
@click.option("--minutes", default=90, show_default=True, help="How long to wait for the instance.")
@click.option("--tls-roots", default=_TLS_ROOTS, show_default=True, help="RDS's certificate authorities.")
@click.option("--migrations", type=click.Path(path_type=Path), default=_MIGRATIONS, show_default=True)
@click.option("--dry-run", is_flag=True, help="Look and say what would be done; restore and check nothing.")
def rehearse_command(*, environment: str, way: str, dry_run: bool, **options: Any) -> None:
    """Restore to a throw-away instance, check what is in it, delete it again."""
    try:
        plan = _plan(environment, From(way), **options)
        if dry_run:
            click.echo(
                f"Would restore {plan.backup.source} as of {plan.backup.taken_at.isoformat()} "
                f"({plan.backup.snapshot or 'latest moment'}) to {plan.name}, check it against {plan.archive}, "
                "and delete it. Nothing was restored, and nothing is proved."
            )
            return
        cloud = Cloud(rds=boto3.client("rds"), s3=boto3.client("s3"), secrets=boto3.client("secretsmanager"))
    except IN_THE_WAY as reason:
        click.echo(f"not checked: {reason}", err=True)
        sys.exit(Exit.NOT_CHECKED)
    sys.exit(rehearse(cloud, plan, click.echo))


def _plan(
    environment: str,
    way: From,
    *,
    key: str,
    through: int | None,
    minutes: int,
    tls_roots: str,
    migrations: Path,
) -> Plan:
    parameter = f"/amply/{environment}/storage/archive-bucket"
    return Plan(
        environment=environment,
        name=f"{environment}-rehearsal-{datetime.now(UTC):%Y%m%d%H%M%S}",
        migrations=read_migrations(migrations),
        backup=find_backup(boto3.client("rds"), environment=environment, way=way),
        archive=boto3.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"],
        key=key,
        tls_roots=tls_roots,
        through=through,
        arriving=Patience(minutes_max=minutes),
        leaving=Patience(minutes_max=30),
    )
