"""`admin payouts`: payouts with their items, and balance movements that the ledger does not explain."""

import json
from dataclasses import asdict

import click

from amply.entrypoints.admin_database import opened_session as _session
from amply.kernel.clock import system_clock
from amply.modules import payouts as sent

_LIMIT = click.IntRange(min=1, max=sent.LISTED_MAX)


@click.group()
def payouts() -> None:
    """Payouts of organisations, and whether books and processor agree."""


@payouts.command()
@click.option("--organization", "organization_id", help="only this one's, org_…")
@click.option("--limit", type=_LIMIT, default=100, show_default=True)
def unmatched(*, organization_id: str | None, limit: int) -> None:
    """What moved a balance at the processor and is in no books, the oldest first, as JSON lines.

    `not_booked`: the entry is missing. `amount_differs`: the entry moves another amount. `category_unknown`: nobody books
    such things. `currency_exchanged`: it was converted on its way. What the processor calls it is not kept; its dashboard
    shows the payout's items with the same amount and time.
    """
    with _session() as session:
        for movement in sent.unmatched(session, owner=organization_id, limit=limit):
            click.echo(json.dumps(asdict(movement), default=str))


@payouts.command()
@click.argument("movement_id")
@click.option("--reason", required=True, help="a code for why, such as paid_before_joining; kept for ever")
def resolve(*, movement_id: str, reason: str) -> None:
    """Say why MOVEMENT_ID (mov_…) is in no books: it leaves the queue, and its amount counts as outside of them."""
    with _session() as session:
        sent.explain(session, movement_id=movement_id, reason=reason, now=system_clock())
    click.echo(f"{movement_id} counts as outside the books: {reason}.")


@payouts.command()
@click.argument("payout_id")
@click.option(
    "--organization", "organization_id", help="whose it is, org_…, where no event has told of it yet"
)
def reconcile(*, payout_id: str, organization_id: str | None) -> None:
    """Let the worker ask the processor for PAYOUT_ID (po_…), book its steps, and list what it consists of.

    Repeating it changes nothing. The worker's line `payout_not_reconciled` says why, where it could not.
    """
    with _session() as session:
        sent.ask_for(session, payout_id=payout_id, organization_id=organization_id, now=system_clock())
    click.echo(f"{payout_id} is asked for; `payouts report {payout_id}` shows it in a minute.")


@payouts.command()
@click.argument("payout_id")
@click.option(
    "--format",
    "file_format",
    type=click.Choice([each.value for each in sent.ReportFormat]),
    default=sent.ReportFormat.CSV.value,
    show_default=True,
    help="csv: a line an item; journal: for Xero; quickbooks; disbursement: a line a gift",
)
def report(*, payout_id: str, file_format: str) -> None:
    """Print PAYOUT_ID (po_…) as a file for whoever keeps accounts. Refused where its items do not come to the payout."""
    with _session() as session:
        written = sent.report(session, payout_id=payout_id, file_format=sent.ReportFormat(file_format))
    click.echo(written, nl=False)
