"""`admin donation offline …`: records gifts that did not pass through the payment processor.

All need the worker's settings: its database user and its commitment key.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import IO

import click

from amply.entrypoints.admin_database import also_concerns
from amply.entrypoints.admin_database import opened_database as _database
from amply.entrypoints.admin_offline_details import details_given
from amply.infra import logging
from amply.infra.settings import CommitmentSettings, SiteSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import Money, currency_of
from amply.modules import donations, ledger, mail

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_OWN_EYES = 0o600


@click.group()
def offline() -> None:
    """Cash, cheques, bank transfers and things: what the organisation received itself."""


@offline.command()
@click.option("--organization", "organization_id", required=True, help="the organisation, org_…")
@click.option(
    "--method", required=True, type=click.Choice([method.value for method in donations.OfflineMethod])
)
@click.option(
    "--amount", required=True, help="as people write it, such as 50.00; of a thing, what it is booked at"
)
@click.option("--currency", required=True, help="EUR, GBP, …")
@click.option("--received", required=True, type=_DAY, help="the day, in the organisation's time zone")
@click.option("--fund", "fund_id", help="what it is given for, fund_…; public, in the log too")
@click.option(
    "--anonymity",
    type=click.Choice([donations.Anonymity.NONE.value, donations.Anonymity.PUBLIC.value]),
    default=donations.Anonymity.PUBLIC.value,
    show_default=True,
    help="public: nobody but the organisation is told who gave; none: the donor may be named",
)
@click.option(
    "--from",
    "file",
    type=click.File("rb"),
    help="JSON that says who gave, and what came with the gift; - for standard input",
)
@click.option("--uploaded", help="the same for a task: its name in the bucket of exports, below operators/")
def record(
    *,
    organization_id: str,
    method: str,
    amount: str,
    currency: str,
    received: datetime,
    fund_id: str | None,
    anonymity: str,
    file: IO[bytes] | None,
    uploaded: str | None,
) -> None:
    """Record a gift, book it, and owe the donor a receipt; prints the donation's id.

    Who gave stands in a file (docs/books.md), since what stands in a command is kept by AWS. One that was uploaded is
    removed once the gift is recorded.
    """
    given = _amount(amount, currency)
    logging.configure(service="offline")
    with details_given(file, uploaded) as said:
        gift = said.gift(
            organization_id=organization_id,
            method=donations.OfflineMethod(method),
            amount=given,
            received_on=received.date(),
            fund_id=fund_id,
            anonymity=donations.Anonymity(anonymity),
        )
        with _database() as database:
            made = donations.record_offline(database, _secrets(), gift=gift, now=system_clock())
        also_concerns(made)
        click.echo(json.dumps({"id": made, "channel": "offline", "method": method}))


@offline.command()
@click.argument("donation_id")
@click.option(
    "--reason",
    required=True,
    type=click.Choice([reason.value for reason in donations.ReversalReason]),
    help="public in the log",
)
def reverse(*, donation_id: str, reason: str) -> None:
    """Take DONATION_ID out of the books again, because it was recorded wrongly or did not hold; its receipt is void."""
    logging.configure(service="offline")
    with _database() as database:
        changed = donations.reverse_offline(
            database,
            _secrets(),
            donation_id=donation_id,
            reason=donations.ReversalReason(reason),
            now=system_clock(),
        )
    click.echo(json.dumps({"id": donation_id, "reversed": True, "now": changed}))


@offline.command("print")
@click.argument("donation_id")
@click.option(
    "--out", "directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), show_default=True
)
def print_receipt(*, donation_id: str, directory: Path) -> None:
    """Write the receipt of DONATION_ID as PDF, with the ledger's proof, for a donor without an e-mail address."""
    logging.configure(service="offline")
    with _database() as database:
        parts = donations.ReceiptDependencies(
            database=database,
            mailer=_NotSent(),
            secrets=_secrets(),
            ledger_page=f"{SiteSettings().edge_url}/ledger/",
        )
        letter = donations.printed_receipt(parts, donation_id=donation_id, now=system_clock())
    directory.mkdir(parents=True, exist_ok=True)
    files = [_write(directory / each.filename, each.content) for each in letter.attachments]
    click.echo(json.dumps({"id": donation_id, "files": files}))


class _NotSent:
    """A mailer that sends nothing, for printing."""

    def send(self, *, mail: mail.Mail) -> str:
        raise NotImplementedError(mail.subject)


def _amount(amount: str, currency: str) -> Money:
    currency_of(currency)
    try:
        return Money.from_decimal(amount, currency=currency)
    except ValueError:
        raise click.UsageError("Write --amount as digits above zero, such as 50.00.") from None


def _secrets() -> ledger.CommitmentSecrets:
    return ledger.CommitmentSecrets.from_settings(CommitmentSettings())


def _write(path: Path, content: bytes) -> str:
    """What names a donor is for whoever runs the command."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWN_EYES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return str(path)
