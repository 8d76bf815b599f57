"""`admin audit`: lists audit records and verifies their hash chain."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import click

from amply.adapters.s3 import S3AuditArchive
from amply.entrypoints.admin_database import opened_database, opened_session
from amply.infra.settings import ArchiveSettings
from amply.modules import audit as records

_MOMENT: Final = click.DateTime(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"])
_LIMIT: Final = click.IntRange(min=1, max=records.LISTED_MAX)
_NOT_WHAT_WAS_WRITTEN: Final = 1


@click.group()
def audit() -> None:
    """The audit log. Records hold ids and digests; see docs/runbooks/who-did-what.md."""


@audit.command()
@click.option("--organization", "organization_id", help="what was done in this organisation, org_…")
@click.option("--actor", help="kind and id, such as person:usr_… or operator:task/…")
@click.option("--action", type=click.Choice([each.value for each in records.Action]))
@click.option("--since", type=_MOMENT, help="from then on, UTC")
@click.option("--until", type=_MOMENT, help="before then, UTC")
@click.option("--cursor", help="the last line of the page before")
@click.option("--limit", type=_LIMIT, default=100, show_default=True)
def search(
    *,
    organization_id: str | None,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    cursor: str | None,
    limit: int,
) -> None:
    """Print records as JSON lines, the newest first; where more follow, the last line holds the `next_cursor`."""
    wanted = records.Search(
        organization_id=organization_id,
        actor=actor,
        action=action,
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) if until else None,
    )
    with opened_session() as session:
        page = records.search(session, wanted, cursor=cursor, limit=limit)
    for said in page.items:
        click.echo(json.dumps(said))
    if page.next_cursor:
        click.echo(json.dumps({"next_cursor": page.next_cursor}))


@audit.command()
@click.option(
    "--archive", "with_archive", is_flag=True, help="also hold it against every file of the archive"
)
def verify(*, with_archive: bool) -> None:
    """Recompute the whole chain; exits with 1 when it is not what was written.

    Records that somebody removed from the end, or a chain that somebody made anew, are found with --archive alone.
    """
    archive = S3AuditArchive(bucket=ArchiveSettings().archive_bucket) if with_archive else None
    with opened_database() as database:
        try:
            found = records.verify(database, archive)
        except (records.ChainBroken, records.ArchiveDiffers) as error:
            click.echo(f"{error} See docs/runbooks/who-did-what.md.", err=True)
            sys.exit(_NOT_WHAT_WAS_WRITTEN)
    click.echo(json.dumps(asdict(found)))
