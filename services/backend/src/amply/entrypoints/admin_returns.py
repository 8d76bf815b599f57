"""`admin donation refund` and `admin disputes`: refunds, and disputes opened by donors' banks."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Final

import click

from amply.adapters.stripe import StripeProcessor
from amply.entrypoints.admin_database import also_concerns, opened_database, opened_session
from amply.infra import logging
from amply.infra.settings import CommitmentSettings, SiteSettings, StripeSettings
from amply.kernel.clock import system_clock
from amply.modules import donations, ledger, payments

_LIMIT: Final = click.IntRange(min=1, max=payments.LISTED_MAX)
_REASONS: Final = click.Choice([reason.value for reason in payments.RefundReason])
_OWN_EYES: Final = 0o600
_OWN_FOLDER: Final = 0o700


@click.group()
def donation() -> None:
    """Gifts."""


@donation.command()
@click.argument("donation_id")
@click.option("--amount", help="such as 5.00, in the gift's currency; default: all that is left of it")
@click.option("--reason", required=True, type=_REASONS, help="public in the log, with the refund's entry")
def refund(*, donation_id: str, amount: str | None, reason: str) -> None:
    """Give some or all of DONATION_ID (don_…) back, and print the refund as JSON.

    Reserved in the books first, which refuse more than was given; then the processor is asked, and its event books it.
    `fraudulent` also puts the card on the processor's block lists. Needs the worker's settings.
    """
    logging.configure(service="refund")
    with opened_database() as database:
        done = donations.refund(
            donations.RefundDependencies(
                database=database,
                processor=StripeProcessor(StripeSettings()),
                secrets=ledger.CommitmentSecrets.from_settings(CommitmentSettings()),
                clock=system_clock,
            ),
            donation_id=donation_id,
            amount=amount,
            reason=payments.RefundReason(reason),
        )
    also_concerns(done.id)
    line = {
        "id": done.id,
        "donation_id": done.donation_id,
        "minor_units": str(done.amount.minor_units),
        "currency": done.amount.currency,
        "status": done.status,
    }
    click.echo(json.dumps(line))


@click.group()
def disputes() -> None:
    """What donors' banks want back, and what card issuers warn of."""


@disputes.command(name="list")
@click.option("--all", "everything", is_flag=True, help="decided ones too")
@click.option("--limit", type=_LIMIT, default=100, show_default=True)
def list_(*, everything: bool, limit: int) -> None:
    """Disputes as JSON lines, those whose evidence is due first at the front; those not decided unless --all.

    A status that begins with `warning_` is an inquiry: the bank asks, and nothing has moved.
    """
    with opened_session() as session:
        for each in payments.list_disputes(session, is_open=not everything, limit=limit):
            line = asdict(each) | {
                "amount": {"minor_units": str(each.amount.minor_units), "currency": each.amount.currency}
            }
            click.echo(json.dumps(line, default=str))


@disputes.command()
@click.option("--limit", type=_LIMIT, default=100, show_default=True)
def warnings(*, limit: int) -> None:
    """Card issuers' early warnings of fraud as JSON lines, the newest first. Nothing is refunded by itself."""
    with opened_session() as session:
        for each in payments.list_warnings(session, limit=limit):
            click.echo(json.dumps(asdict(each), default=str))


@disputes.command()
@click.argument("dispute_id")
@click.option(
    "--out",
    "directory",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="an empty folder, or one to be made",
)
def evidence(*, dispute_id: str, directory: Path) -> None:
    """Write what we know of the gift that DISPUTE_ID (dsp_…) is about into files: facts, a statement, the ledger's proof.

    They name the donor: give them to who answers the bank, and delete them. Needs the worker's settings.
    """
    if directory.exists() and any(directory.iterdir()):
        raise click.UsageError(f"{directory} holds files already; name an empty folder with --out.")
    logging.configure(service="evidence")
    with opened_database() as database:
        secrets = ledger.CommitmentSecrets.from_settings(CommitmentSettings())
        files = donations.evidence(
            database, secrets, dispute_id=dispute_id, ledger_page=f"{SiteSettings().edge_url}/ledger/"
        )
    _write(directory, files)
    click.echo(json.dumps({"dispute": dispute_id, "files": sorted(files)}))


@disputes.command()
@click.argument("dispute_id")
@click.option(
    "--statement",
    required=True,
    type=click.File(encoding="utf-8"),
    help="a file of words, such as the bundle's statement.txt",
)
@click.option("--submit", is_flag=True, help="hand it to the bank, which reads once: nothing can be added")
def answer(*, dispute_id: str, statement: IO[str], submit: bool) -> None:
    """Lay a statement beside DISPUTE_ID (dsp_…) at the processor, where the organisation can still change it.

    Only with --submit it goes to the bank. Needs the worker's settings.
    """
    logging.configure(service="answer")
    with opened_database() as database:
        status = donations.answer_dispute(
            database,
            StripeProcessor(StripeSettings()),
            dispute_id=dispute_id,
            words=statement.read(),
            submits=submit,
        )
    click.echo(json.dumps({"dispute": dispute_id, "status": status, "submitted": submit}))


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    directory.mkdir(mode=_OWN_FOLDER, parents=True, exist_ok=True)
    for name, content in files.items():
        descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN_EYES)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
