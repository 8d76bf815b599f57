"""`admin erase`: erases people's data, and repeats earlier erasures in a restored database."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Final

import click

from amply.adapters.s3 import S3Erasures
from amply.entrypoints.admin_database import also_concerns, opened_database
from amply.entrypoints.member_directory import people_leaving
from amply.entrypoints.personal_data import of_donors
from amply.infra import erasures, logging
from amply.infra.database import Database
from amply.infra.settings import ArchiveSettings, CommitmentSettings, PeopleSettings
from amply.infra.vault import DONORS, keyring_of
from amply.infra.vault.shredding import Closing, close, finish, finish_what_was_left
from amply.kernel.clock import system_clock
from amply.modules import donations, exports, giving, ledger, payments, people, recurring, sharing
from amply.modules.access import LastOwner

_STILL_AT_WORK: Final = timedelta(minutes=10)
"""Longer than an erasure takes between closing and deleting a leaf."""


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

    What their rows were sealed under is cut out at last, so that no copy of them opens in any backup. Killed before that, the
    worker finishes it an hour later; named by their address, the command again does at once.

    It takes no address, since commands stand in CloudTrail and ECS for months; docs/runbooks/erase-a-donor.md makes the
    digest. The ledger stays valid, and the donor's own receipt still verifies. Needs the worker's settings.
    """
    logging.configure(service="erase")
    listed = S3Erasures(bucket=ArchiveSettings().archive_bucket)
    with opened_database() as database:
        done, closed = _erase(database, email_sha256=email_sha256, donation_id=donation_id, listed=listed)
    if done.id is not None:
        also_concerns(done.id)
    click.echo(json.dumps({**asdict(done), "keys_cut": len(closed)}))
    if done.events_under_way:
        click.echo(
            f"{done.events_under_way} events about these gifts are still under way; each is forgotten once handled.",
            err=True,
        )


@erase.command()
def again() -> None:
    """Erase what was erased before, in a database that was restored to a moment before that; print how much.

    Reads the list in the archive, which a restore does not reach. Needs the worker's settings. Where nothing was restored it
    finds nothing. `needed` are people who would leave an organisation to nobody: make another owner, and run it again. `waiting`
    are gifts with a refund that is not answered yet, or that are about to be ended: run it again once they are. Killed, run it again ten minutes later: it cuts what it left as well.
    """
    logging.configure(service="erase")
    digests = erasures.noted(S3Erasures(bucket=ArchiveSettings().archive_bucket))
    with opened_database() as database:
        with database.transaction() as session:
            found = donations.still_there(session, digests)
        done, waiting = _erase_all(database, found.gifts)
        _forget_told(database, found.told)
        with database.transaction() as session:
            returned = people.still_there(session, digests)
        needed = [each for each in returned if not _forget_again(database, each)]
        # Left by an earlier, killed run of this command, whose removed rows cannot be found any more.
        finish_what_was_left(database, of_donors(), now=system_clock(), left_behind=_STILL_AT_WORK)
    also_concerns(*(each.id for each in done if each.id is not None), *sorted({*returned} - {*needed}))
    click.echo(
        json.dumps(
            {
                "noted": len(digests),
                "gifts": sum(each.gifts for each in done),
                "entries": sum(each.entries for each in done),
                "dedications": len(found.told),
                "people": len(returned) - len(needed),
                "needed": needed,
                "waiting": waiting,
            }
        )
    )


def _forget_again(database: Database, person_id: str) -> bool:
    """Forget somebody who was forgotten before, without another letter; False where an organisation would be left to nobody."""
    try:
        with database.transaction() as session:
            people.forget(
                session,
                person_id=person_id,
                key=people.PeopleKey.from_settings(PeopleSettings(), keyring=keyring_of(session)),
                leaving=people_leaving,
                now=system_clock(),
                says_goodbye=False,
            )
    except LastOwner:
        return False
    return True


def _erase(
    database: Database,
    *,
    email_sha256: str | None,
    donation_id: str | None,
    listed: erasures.ErasureList | None,
) -> tuple[donations.Erasure, list[Closing]]:
    """What was removed, and the keys that went with it: closed before anything is looked for, cut when all is gone.

    Raises:
        DonorNotNamed: Nothing has changed.
    """
    donations.require_named(email_sha256=email_sha256, donation_id=donation_id)
    secrets = ledger.CommitmentSecrets.from_settings(CommitmentSettings())
    whose = [email_sha256] if email_sha256 is not None else _whose(database, [donation_id or ""])
    closed = close(database, of_donors(), scope=DONORS, whose=whose, now=system_clock()) if whose else []
    done = _remove(
        database, secrets, email_sha256=email_sha256, donation_id=donation_id, listed=listed, searched=None
    )
    finish(database, of_donors(), closed, now=system_clock())
    return done, closed


def _erase_all(database: Database, donation_ids: Sequence[str]) -> tuple[list[donations.Erasure], list[str]]:
    """The same of gifts that are on the list, and which of them wait for the answer to a refund or for their end: the ledger is searched once for
    all of them, and the tree is cut once.
    """
    if not donation_ids:
        return [], []
    secrets = ledger.CommitmentSecrets.from_settings(CommitmentSettings())
    whose = _whose(database, donation_ids)
    closed = close(database, of_donors(), scope=DONORS, whose=whose, now=system_clock())
    searched = donations.search_openings(database, secrets, donation_ids=donation_ids)
    done: list[donations.Erasure] = []
    waiting: list[str] = []
    for each in donation_ids:
        try:
            done.append(
                _remove(
                    database, secrets, email_sha256=None, donation_id=each, listed=None, searched=searched
                )
            )
        except (payments.RefundUnderWay, payments.EndingUnderWay):
            waiting.append(each)
    finish(database, of_donors(), closed, now=system_clock())
    return done, waiting


def _forget_told(database: Database, donation_ids: Sequence[str]) -> None:
    """Who was to be told of these gifts, and the keys that go with them."""
    if not donation_ids:
        return
    with database.transaction() as session:
        whose = donations.told_of_gifts(session, donation_ids=donation_ids)
    closed = close(database, of_donors(), scope=DONORS, whose=whose, now=system_clock())
    with database.transaction() as session:
        donations.forget_told(session, donation_ids=donation_ids)
    finish(database, of_donors(), closed, now=system_clock())


def _whose(database: Database, donation_ids: Sequence[str]) -> list[str]:
    with database.transaction() as session:
        found = (donations.sealed_for(session, donation_id=each) for each in donation_ids)
        return [each for each in found if each is not None]


def _remove(
    database: Database,
    secrets: ledger.CommitmentSecrets,
    *,
    email_sha256: str | None,
    donation_id: str | None,
    listed: erasures.ErasureList | None,
    searched: ledger.UnassignedOpenings | None,
) -> donations.Erasure:
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
        searched=searched,
    )
