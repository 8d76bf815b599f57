"""`admin data settle`, `reverse`, `paid`, `sent-back`, `pass-on`, `settlements`: monthly settlements of released data, and
payments noted for them.

What books needs the worker's settings: its database user, its commitment key, and the tables it is told of.
"""

import json
from datetime import datetime
from typing import Final

import click

from amply.entrypoints.admin_data import CONTRACT, contracts_of_buyers, priced, required_settings
from amply.entrypoints.admin_database import also_concerns, opened_database, opened_session
from amply.entrypoints.revenue_tasks import settlement_dependencies
from amply.infra import logging
from amply.infra.settings import CommitmentSettings
from amply.kernel.clock import system_clock
from amply.kernel.money import Money
from amply.modules import ledger, marketplace

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_AMOUNT = click.option("--amount", required=True, help="as people write it, such as 500.00")
_CURRENCY = click.option("--currency", required=True, help="EUR, GBP, …")
_REFERENCE = click.option("--reference", required=True, help="the bank's; the same one is noted once")
_ON = click.option("--on", "day", type=_DAY, required=True, help="the day the bank moved it")
_IS_NEW = click.option(
    "--is-new", is_flag=True, help="it is none of those that a restored database has in its books alone"
)
_IN_BOOKS = click.option(
    "--in-books",
    help="after a restoration: what the books alone have of the contract, as owed for months that were lost and as sent back, "
    "such as 100.00; 0 where there is nothing",
)
_ALSO_OF_ANOTHER = click.option(
    "--also-of-another",
    is_flag=True,
    help="one transfer of the bank was for two contracts; the amount is this one's part",
)


@click.command("settle")
@CONTRACT
@click.argument("month")
@click.option("--owed", help="an agreed amount in place of what the terms say; with --reason")
@click.option("--reason", help="a code for why, such as volume_disputed; public, and kept for ever")
def settle(*, contract_id: str, month: str, owed: str | None, reason: str | None) -> None:
    """Settle MONTH (2026-11) of CONTRACT_ID and print the settlement; one that stands stays. The worker does it by itself.

    After `data reverse` this is the only way: what was disputed is not settled again by itself.
    """
    if (owed is None) != (reason is None):
        raise click.UsageError("Give --owed and --reason together, or neither.")
    logging.configure(service="settle")
    settings = required_settings()
    with opened_database() as database:
        parts = settlement_dependencies(database, _secrets(), settings)
        if parts is None:
            raise marketplace.DataSalesNotOffered(
                "This task is told of contracts alone; run it with the worker's settings."
            )
        contract = _contract(parts.contracts, contract_id)
        agreed = (
            None
            if owed is None or reason is None
            else marketplace.AgreedAmount(
                owed=priced(owed, contract.currency, option="--owed"), reason=reason
            )
        )
        now = system_clock()
        period = marketplace.Period.parse(month)
        settled, created = marketplace.settle(parts, contract, period, agreed=agreed, now=now)
    also_concerns(settled)
    click.echo(json.dumps({"settlement": settled, "created": created}))


@click.command("reverse")
@click.argument("settlement_id")
@click.option("--reason", required=True, help="a code for why, such as volume_disputed; public")
def reverse(*, settlement_id: str, reason: str) -> None:
    """Take SETTLEMENT_ID (dst_…) back, whole, by entries that name its own; then `data settle` the month anew, if at all."""
    logging.configure(service="reverse")
    with opened_database() as database:
        reversed_now = marketplace.reverse_settlement(
            database, _secrets(), settlement_id=settlement_id, reason=reason, now=system_clock()
        )
    click.echo(json.dumps({"settlement": settlement_id, "reversed": True, "now": reversed_now}))


@click.command("paid")
@CONTRACT
@_AMOUNT
@_CURRENCY
@_REFERENCE
@_ON
@_IS_NEW
@_ALSO_OF_ANOTHER
def paid(
    *, contract_id: str, amount: str, currency: str, reference: str, day: datetime, **flags: bool
) -> None:
    """Note that the buyer of CONTRACT_ID paid, and print what is still open; below zero where it was too much."""
    _note(marketplace.TransferKind.RECEIVED, contract_id, _amount(amount, currency), reference, day, **flags)


@click.command("sent-back")
@CONTRACT
@_AMOUNT
@_CURRENCY
@_REFERENCE
@_ON
@_IS_NEW
@_ALSO_OF_ANOTHER
@_IN_BOOKS
def sent_back(
    *,
    contract_id: str,
    amount: str,
    currency: str,
    reference: str,
    day: datetime,
    in_books: str | None,
    **flags: bool,
) -> None:
    """Note that the buyer of CONTRACT_ID was sent back what it paid too much, or part of it, and print what is still open.

    All its months that are over have to be settled.
    """
    owed = None if in_books is None else priced(in_books, currency, option="--in-books")
    back = _amount(amount, currency)
    _note(marketplace.TransferKind.SENT_BACK, contract_id, back, reference, day, owed, **flags)


@click.command("pass-on")
@click.option("--organization", "organization_id", required=True, help="whom, org_…")
@_AMOUNT
@_CURRENCY
@_REFERENCE
@_ON
@_IS_NEW
def pass_on(
    *, organization_id: str, amount: str, currency: str, reference: str, day: datetime, is_new: bool
) -> None:
    """Note that an organisation was sent what it is owed, or part of it, and print what is still open."""
    _note(
        marketplace.TransferKind.PASSED_ON,
        organization_id,
        _amount(amount, currency),
        reference,
        day,
        is_new=is_new,
    )


@click.command("settlements")
@click.argument("month")
@click.option("--contract", "contract_id", help="of one contract, dct_…")
def settlements(*, month: str, contract_id: str | None) -> None:
    """Print the settlements of MONTH (2026-11) with all that they were worked out from, reversed ones too; one a line."""
    with opened_session() as session:
        found = marketplace.settlements_of(
            session, period=marketplace.Period.parse(month), contract_id=contract_id
        )
    for each in found:
        click.echo(json.dumps(each, ensure_ascii=False))


COMMANDS: Final = (settle, reverse, paid, sent_back, pass_on, settlements)


def _note(
    way: marketplace.TransferKind,
    party: str,
    amount: Money,
    reference: str,
    day: datetime,
    in_books: Money | None = None,
    /,
    *,
    is_new: bool,
    also_of_another: bool = False,
) -> None:
    logging.configure(service="payments")
    contract = _contract(contracts_of_buyers(), party) if way is marketplace.TransferKind.SENT_BACK else None
    with opened_database() as database:
        noted = marketplace.note_payment(
            database,
            _secrets(),
            marketplace.Payment(
                way=way, party=party, amount=amount, reference=reference.strip(), happened_on=day.date()
            ),
            is_new=is_new,
            also_of_another=also_of_another,
            contract=contract,
            in_books=in_books,
            now=system_clock(),
        )
    also_concerns(noted.id)
    click.echo(json.dumps({"payment": noted.id, "created": noted.created, "open_minor": noted.open_minor}))


def _contract(contracts: marketplace.Contracts, contract_id: str) -> marketplace.Contract:
    found = contracts.get(contract_id)
    if found is None:
        raise marketplace.ContractNotFound(
            f"There is no contract {contract_id}; `data contract list` shows all."
        )
    return found


def _amount(amount: str, currency: str) -> Money:
    found = priced(amount, currency, option="--amount")
    if not found.minor_units:
        raise click.UsageError("Write --amount as digits above zero, such as 500.00.")
    return found


def _secrets() -> ledger.CommitmentSecrets:
    return ledger.CommitmentSecrets.from_settings(CommitmentSettings())
