"""`admin erase`: forgetting people, and forgetting them again in a database that was restored."""

import json
from dataclasses import asdict

import click

from amply.adapters.s3 import S3Erasures
from amply.entrypoints.admin_database import also_concerns, opened_database
from amply.infra import logging
from amply.infra.database import Database
from amply.infra.settings import ArchiveSettings, CommitmentSettings
from amply.kernel.clock import system_clock
from amply.modules import donations, exports, giving, ledger, recurring, sharing


@click.group()
def erase() -> None:
    """Forget people."""


@erase.command()
@click.option(
    "--email-sha256", help="SHA-256, in hex, of the address the donor gave, in lower case; all their gifts"
)
@click.option("--gift", "donation_id", help="one gift, don_…, where no address is known")
def donor(*, email_sha256: str | None, donation_id: str | None) -> None:
    """Delete all we hold of a donor and print what was removed; running it again removes what has come since.

    It takes no address, since commands stand in CloudTrail and ECS for months; docs/runbooks/erase-a-donor.md makes the
    digest. The ledger stays valid, and the donor's own receipt still verifies. Needs the worker's settings.
    """
    logging.configure(service="erase")
    listed = S3Erasures(bucket=ArchiveSettings().archive_bucket)
    with opened_database() as database:
        done = _erase(database, email_sha256=email_sha256, donation_id=donation_id, listed=listed)
    if done.id is not None:
        also_concerns(done.id)
    click.echo(json.dumps(asdict(done)))
    if done.events_under_way:
        click.echo(
            f"{done.events_under_way} events about these gifts are still under way; each is forgotten once handled.",
            err=True,
        )


@erase.command()
def again() -> None:
    """Erase what was erased before, in a database that was restored to a moment before that; print how much.

    Reads the list in the archive, which a restore does not reach. Needs the worker's settings. Where nothing was restored it
    finds nothing.
    """
    logging.configure(service="erase")
    digests = donations.noted(S3Erasures(bucket=ArchiveSettings().archive_bucket))
    with opened_database() as database:
        with database.transaction() as session:
            found = donations.still_there(session, digests)
        done = [_erase(database, email_sha256=None, donation_id=each, listed=None) for each in found.gifts]
        with database.transaction() as session:
            donations.forget_told(session, donation_ids=found.told)
    also_concerns(*(each.id for each in done if each.id is not None))
    click.echo(
        json.dumps(
            {
                "noted": len(digests),
                "gifts": sum(each.gifts for each in done),
                "entries": sum(each.entries for each in done),
                "dedications": len(found.told),
            }
        )
    )


def _erase(
    database: Database,
    *,
    email_sha256: str | None,
    donation_id: str | None,
    listed: donations.ErasureList | None,
) -> donations.Erasure:
    secrets = ledger.CommitmentSecrets.from_settings(CommitmentSettings())
    with database.transaction() as session:
        giving.forget(session, email_sha256=email_sha256, donation_id=donation_id)
        sharing.forget(session, email_sha256=email_sha256, donation_id=donation_id, now=system_clock())
        recurring.forget(session, email_sha256=email_sha256, donation_id=donation_id, now=system_clock())
    return donations.erase_donor(
        database,
        secrets,
        email_sha256=email_sha256,
        donation_id=donation_id,
        now=system_clock(),
        listed=listed,
        also=lambda session, of: exports.withdraw(session, organization_ids=of),
    )
