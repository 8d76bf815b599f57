"""`admin books`: account balances, whether the ledger balances, and which organisations' accounts are closed to entries."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy.orm import Session

from amply.entrypoints.admin_database import opened_session
from amply.kernel.clock import system_clock
from amply.kernel.money import format_minor_units
from amply.modules import ledger

_MOMENT: Final = click.DateTime(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"])
_NOT_BALANCED: Final = 1


@click.group()
def books() -> None:
    """The ledger's accounts. All commands only read, but for the two that close and reopen one."""


@books.command()
@click.option(
    "--size",
    type=click.IntRange(min=0),
    help="after so many entries of the log; default: the newest checkpoint",
)
@click.option(
    "--every-checkpoint",
    is_flag=True,
    help="at each published checkpoint, one line a currency and checkpoint",
)
@click.option(
    "--recount", is_flag=True, help="also add up every transfer again and compare; reads all of them"
)
def trial_balance(*, size: int | None, every_checkpoint: bool, recount: bool) -> None:
    """Do debits equal credits, per currency? Exits with 1 when they do not."""
    wrong = 0
    with opened_session() as session:
        sizes = ledger.published_sizes(session) if every_checkpoint else [_size(session, size)]
        for each in sizes:
            for trial in ledger.trial_balance(session, size=each):
                wrong += not trial.sums.is_balanced
                click.echo(json.dumps({"size": each, "currency": trial.currency, **asdict(trial.sums)}))
        for account, currency in ledger.misfolded(session, size=max(sizes, default=0)) if recount else []:
            wrong += 1
            click.echo(f"{account} {currency}: the balance is not the sum of its transfers.", err=True)
    if wrong:
        click.echo("The books do not balance; see docs/runbooks/books-do-not-balance.md.", err=True)
        sys.exit(_NOT_BALANCED)


@books.command()
@click.argument("owner")
@click.option("--size", type=click.IntRange(min=0), help="after so many entries of the log")
@click.option(
    "--at", "moment", type=_MOMENT, help="as the newest checkpoint had it that was public then, UTC"
)
def balances(*, owner: str, size: int | None, moment: datetime | None) -> None:
    """What the accounts of OWNER (org_…, biz_… or platform) hold, as JSON, one line an account."""
    with opened_session() as session:
        if moment is not None:
            size = ledger.size_at(session, moment=moment.replace(tzinfo=UTC))
        for balance in ledger.balances_of(session, owner=owner, size=size):
            line = {
                "account": balance.account,
                "balance": format_minor_units(balance.minor_units, balance.currency),
                "currency": balance.currency,
                "minor_units": str(balance.minor_units),
                "available_minor_units": str(balance.available_minor_units),
            }
            click.echo(json.dumps(line))


@books.command()
@click.argument("account")
@click.argument("currency")
@click.option(
    "--from", "from_size", type=click.IntRange(min=0), default=0, help="from this index of the log on"
)
@click.option("--until", "until_size", type=click.IntRange(min=0), help="up to, not including, this index")
def statement(*, account: str, currency: str, from_size: int, until_size: int | None) -> None:
    """Opening balance, every line and closing balance of ACCOUNT (owner/code) in CURRENCY, as JSON lines."""
    with opened_session() as session:
        until = ledger.sequenced_size(session) if until_size is None else until_size
        cursor: str | None = None
        while True:
            page = ledger.statement(
                session,
                account=account,
                currency=currency,
                from_size=from_size,
                until_size=until,
                cursor=cursor,
            )
            if cursor is None:
                click.echo(json.dumps({"opening_minor_units": str(page.opening.minor_units)}))
            for line in page.lines:
                click.echo(json.dumps(asdict(line), default=str))
            cursor = page.next_cursor
            if cursor is None:
                click.echo(json.dumps({"closing_minor_units": str(page.closing.minor_units)}))
                return


@books.command()
@click.argument("account")
@click.argument("currency")
@click.option("--reason", required=True, help="a code for why, such as left_the_platform; kept for ever")
def close_account(*, account: str, currency: str, reason: str) -> None:
    """Let ACCOUNT (owner/code) take nothing more in CURRENCY. Refused while money is reserved on it.

    A verified fact that comes later is refused too, and waits: close what is really over.
    """
    with opened_session() as session:
        ledger.close_account(session, account=account, currency=currency, reason=reason, now=system_clock())
    click.echo(f"{account} {currency} takes nothing more.")


@books.command()
@click.argument("account")
@click.argument("currency")
@click.option("--reason", required=True, help="a code for why, such as closed_by_mistake; kept for ever")
def reopen_account(*, account: str, currency: str, reason: str) -> None:
    """Let a closed ACCOUNT (owner/code) be booked on again. A new one opens by itself, with its first transfer."""
    with opened_session() as session:
        ledger.reopen_account(session, account=account, currency=currency, reason=reason, now=system_clock())
    click.echo(f"{account} {currency} is open again.")


def _size(session: Session, size: int | None) -> int:
    return ledger.published_size(session) if size is None else size
