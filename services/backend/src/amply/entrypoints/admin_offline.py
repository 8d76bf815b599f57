"""`admin donation offline …`: gifts that came without the processor, for the organisation's staff.

All need the worker's settings: its database user and its commitment key.
"""

import json
import os
from datetime import datetime
from pathlib import Path

import click
from email_validator import EmailNotValidError, validate_email

from amply.entrypoints.admin_database import also_concerns
from amply.entrypoints.admin_database import opened_database as _database
from amply.infra import logging
from amply.infra.settings import CommitmentSettings, SiteSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import Money, currency_of
from amply.modules import donations, ledger, mail, receipts

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
@click.option(
    "--reference", required=True, help="the cheque's number, the bank's reference, the slip's number"
)
@click.option("--donor-name", required=True)
@click.option("--donor-email", help="without one, print the receipt")
@click.option("--address", multiple=True, help="the donor's, a line; once for each, without city and country")
@click.option("--city")
@click.option("--postal-code", default="")
@click.option("--country", help="two-letter ISO code")
@click.option("--language", type=click.Choice([language.value for language in receipts.Language]))
@click.option("--description", help="of a thing")
@click.option("--appraiser", help="who valued the thing, with address (Canada)")
@click.option("--fund", "fund_id", help="what it is given for, fund_…; public, in the log too")
@click.option(
    "--anonymity",
    type=click.Choice([donations.Anonymity.NONE.value, donations.Anonymity.PUBLIC.value]),
    default=donations.Anonymity.PUBLIC.value,
    show_default=True,
    help="public: nobody but the organisation is told who gave; none: the donor may be named",
)
@click.option("--company", help="the company that gives; the receipt is made out to it")
@click.option("--company-tax-id", help="as the company writes it")
@click.option("--in-honour-of", help="who the gift is for")
@click.option("--in-memory-of", help="the same, of somebody who has died")
@click.option("--notify-name", help="who is told of a gift for somebody, once, and never how much")
@click.option("--notify-email", help="their address")
@click.option("--message", help="what the donor wrote with it")
def record(
    *, amount: str, currency: str, method: str, received: datetime, donor_email: str | None, **said: object
) -> None:
    """Record a gift, book it, and owe the donor a receipt; prints the donation's id."""
    gift = donations.OfflineGift(
        organization_id=str(said["organization_id"]),
        method=donations.OfflineMethod(method),
        amount=_amount(amount, currency),
        received_on=received.date(),
        reference=str(said["reference"]),
        donor_name=str(said["donor_name"]),
        donor_email=_address(donor_email, option="--donor-email"),
        description=_text(said["description"]),
        appraiser=_text(said["appraiser"]),
        message=_text(said["message"]),
        options=donations.GiftOptions(
            fund_id=_text(said["fund_id"]),
            anonymity=donations.Anonymity(str(said["anonymity"])),
            dedication=_dedication(said),
        ),
        for_receipt=_for_receipt(said),
    )
    logging.configure(service="offline")
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
    """Printing hands nothing to a mail service."""

    def send(self, *, mail: mail.Mail) -> str:
        raise NotImplementedError(mail.subject)


def _amount(amount: str, currency: str) -> Money:
    currency_of(currency)
    try:
        return Money.from_decimal(amount, currency=currency)
    except ValueError:
        raise click.UsageError("Write --amount as digits above zero, such as 50.00.") from None


def _address(email: str | None, *, option: str) -> str | None:
    if email is None:
        return None
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError:
        raise click.UsageError(f"Write {option} like name@example.org, or leave it out.") from None


def _dedication(said: dict[str, object]) -> donations.Dedication | None:
    honoured, remembered = _text(said["in_honour_of"]), _text(said["in_memory_of"])
    name, email = _text(said["notify_name"]), _address(_text(said["notify_email"]), option="--notify-email")
    if honoured and remembered:
        raise click.UsageError("Give --in-honour-of or --in-memory-of, not both.")
    if (name is None) != (email is None):
        raise click.UsageError("Give --notify-name and --notify-email together.")
    honouree = honoured or remembered
    if honouree is None:
        if name is not None:
            raise click.UsageError("Say with --in-honour-of or --in-memory-of what they are told of.")
        return None
    kind = donations.DedicationKind.IN_HONOUR_OF if honoured else donations.DedicationKind.IN_MEMORY_OF
    notify = donations.Recipient(name=name, email=email) if name and email else None
    return donations.Dedication(kind=kind, honouree=honouree, notify=notify)


def _company(said: dict[str, object]) -> receipts.Company | None:
    name, tax_id = _text(said["company"]), _text(said["company_tax_id"])
    if name is None and tax_id is not None:
        raise click.UsageError("Give --company with --company-tax-id.")
    return None if name is None else receipts.Company(name=name, tax_id=tax_id or "")


def _for_receipt(said: dict[str, object]) -> receipts.DonorFacts:
    lines, city, country = said["address"], _text(said["city"]), _text(said["country"])
    is_there = isinstance(lines, tuple) and bool(lines)
    if is_there != bool(city) or is_there != bool(country):
        raise click.UsageError("Give --address, --city and --country together.")
    language = _text(said["language"])
    address = receipts.PostalAddress(
        lines=tuple(str(line) for line in lines) if isinstance(lines, tuple) else (),
        city=city or "",
        postal_code=str(said["postal_code"]),
        country=country or "",
    )
    return receipts.DonorFacts(
        language=receipts.Language(language) if language else None,
        address=address if is_there else None,
        company=_company(said),
    )


def _text(value: object) -> str | None:
    return (str(value).strip() or None) if value else None


def _secrets() -> ledger.CommitmentSecrets:
    return ledger.CommitmentSecrets.from_settings(CommitmentSettings())


def _write(path: Path, content: bytes) -> str:
    """What names a donor is for whoever runs the command."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWN_EYES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return str(path)
