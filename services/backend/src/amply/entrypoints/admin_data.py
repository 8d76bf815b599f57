"""`admin data contract …`, `grant …`, `key …`: contracts, access grants and API keys of buyers of released data."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from amply.adapters.apigateway import GatewayKeys
from amply.adapters.dynamodb.control_plane import DynamoCatalogue, DynamoContracts, DynamoGrants
from amply.entrypoints.admin_database import also_concerns
from amply.entrypoints.admin_recorded import goes_on
from amply.infra.settings import MarketplaceSettings
from amply.kernel.clock import iso, iso_or_none, system_clock
from amply.kernel.money import Money, currency_of
from amply.modules import marketplace
from amply.modules.audit import Action

MOMENT = click.DateTime(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d"])
CONTRACT = click.argument("contract_id")
_DATASETS = click.option("--dataset", "datasets", multiple=True, help="its name; once for each")
_PER = click.Choice([each.value for each in marketplace.Per])


class KeysNotEnded(click.ClickException):
    """A contract is closed, and the gateway did not end its key."""


@click.group()
def data() -> None:
    """Released data that is sold: contracts, tokens, what is owed for months and whose it is."""


@data.group()
def contract() -> None:
    """What buyers may fetch, and for how much. Times are UTC; months are calendar months of UTC."""


@contract.command("open")
@click.option(
    "--buyer", required=True, help="a name such as acme-research; never a person's. Certificates show it"
)
@_DATASETS
@click.option("--price", required=True, help="as people write it, such as 500.00; 0 for none")
@click.option("--currency", required=True, help="EUR, GBP, …")
@click.option(
    "--per", type=_PER, required=True, help="month: each one begun; gib: each GiB that links were given to"
)
@click.option(
    "--share", "share_bp", type=int, required=True, help="the owners', in basis points: 7000 is 70 %"
)
@click.option("--bytes-a-month", type=int, required=True, help="how much a month may bring")
@click.option(
    "--from", "starts_at", type=MOMENT, required=True, help="this month or later; owed from then on"
)
@click.option("--until", "ends_at", type=MOMENT, required=True)
def open_contract(
    *, price: str, currency: str, per: str, share_bp: int, starts_at: datetime, ends_at: datetime, **said: Any
) -> None:
    """Make a contract and print it. Run again, it is refused: the buyer would owe twice."""
    made = marketplace.open_contract(
        _selling(),
        marketplace.NewContract(
            buyer=said["buyer"],
            datasets=said["datasets"],
            price=priced(price, currency, option="--price"),
            per=marketplace.Per(per),
            seller_share_bp=share_bp,
            bytes_a_month=said["bytes_a_month"],
            starts_at=starts_at.replace(tzinfo=UTC),
            ends_at=ends_at.replace(tzinfo=UTC),
        ),
        now=system_clock(),
    )
    also_concerns(made.contract_id)
    _print(_shown(made))


@contract.command("amend")
@CONTRACT
@_DATASETS
@click.option("--price", help="from the first of next month on")
@click.option("--per", type=_PER, help="from then on")
@click.option("--share", "share_bp", type=int, help="from then on, in basis points")
@click.option("--bytes-a-month", type=int, help="at once")
@click.option("--until", "ends_at", type=MOMENT, help="at once")
def amend_contract(
    *,
    contract_id: str,
    datasets: tuple[str, ...],
    price: str | None,
    per: str | None,
    share_bp: int | None,
    bytes_a_month: int | None,
    ends_at: datetime | None,
) -> None:
    """Change CONTRACT_ID (dct_…) and print it. A month that has begun keeps its price, share and datasets.

    Tokens keep their end, and are printed where the contract ends later. A dataset stays while a token would go on reading it.
    """
    parts = _selling()
    currency = marketplace.find_contract(parts, contract_id).currency
    now = system_clock()
    changed = marketplace.amend_contract(
        parts,
        contract_id,
        marketplace.Amendment(
            datasets=datasets or None,
            price=None if price is None else priced(price, currency, option="--price"),
            per=None if per is None else marketplace.Per(per),
            seller_share_bp=share_bp,
            bytes_a_month=bytes_a_month,
            ends_at=None if ends_at is None else ends_at.replace(tzinfo=UTC),
        ),
        now=now,
    )
    ending = sorted({each.grant_id for each in marketplace.ending_earlier(parts, changed, now=now)})
    _print({**_shown(changed), "grants_that_end_earlier": ending})


@contract.command("close")
@CONTRACT
def close_contract(*, contract_id: str) -> None:
    """End CONTRACT_ID (dct_…) and its key of the gateway now: the next request of its tokens is refused.

    The month it is closed in is still owed. Repeated, it ends what is left. `keys_ended` is null where the gateway did not answer.
    """
    closed = marketplace.close_contract(_selling(), contract_id, now=system_clock())
    plan = required_settings().usage_plan
    try:
        ended = _end_keys(GatewayKeys(plan=plan), contract_id) if plan else ()
    except (BotoCoreError, ClientError) as error:
        _print({**_shown(closed), "keys_ended": None})
        raise KeysNotEnded(
            f"{contract_id} is closed, and the gateway did not end its key ({type(error).__name__}); repeat this."
        ) from error
    _print({**_shown(closed), "keys_ended": list(ended)})


@contract.command("show")
@CONTRACT
def show_contract(*, contract_id: str) -> None:
    """Print CONTRACT_ID (dct_…) with the terms of all its months."""
    _print(_shown(marketplace.find_contract(_selling(), contract_id)))


@contract.command("list")
@click.option("--buyer", help="of one buyer")
def list_contracts(*, buyer: str | None) -> None:
    """Print all contracts, closed ones too, the oldest first; one a line."""
    found = sorted(_selling().contracts.all(), key=lambda each: each.contract_id)
    for each in found:
        if buyer in (None, each.buyer):
            _print(_shown(each))


@data.group()
def grant() -> None:
    """Tokens that read a contract's datasets."""


@grant.command("give")
@CONTRACT
@_DATASETS
@click.option("--until", "expires_at", type=MOMENT, help="default: the contract's end")
@click.option(
    "--token-sha256", "token_digest", help="of a token that the buyer made; then none is made or printed"
)
def give_grant(
    *, contract_id: str, datasets: tuple[str, ...], expires_at: datetime | None, token_digest: str | None
) -> None:
    """Make a token for datasets of CONTRACT_ID (all, unless named) and print it: this once, since only its digest is kept.

    With --token-sha256 it may be repeated, and adds what the token has not yet. A buyer's first token for a dataset orders a release
    to them: it reads nothing until that is made, within a minute as a rule.
    """
    given = marketplace.give_grant(
        _selling(),
        contract_id,
        marketplace.NewGrant(
            datasets=datasets,
            expires_at=None if expires_at is None else expires_at.replace(tzinfo=UTC),
            token_digest=token_digest,
        ),
        now=system_clock(),
    )
    also_concerns(given.grants[0].grant_id)
    _print({"token": given.token, "grants": [_shown_grant(each) for each in given.grants]})


@grant.command("revoke")
@CONTRACT
@click.option("--grant", "grant_id", help="grt_…; without it, all of the contract")
def revoke_grant(*, contract_id: str, grant_id: str | None) -> None:
    """Revoke a token of CONTRACT_ID, or all of them: the next request is refused. Links live five minutes longer."""
    revoked = marketplace.revoke_grants(_selling(), contract_id, grant_id=grant_id, now=system_clock())
    _print({"contract": contract_id, "revoked": sorted({each.grant_id for each in revoked})})


@grant.command("list")
@CONTRACT
def list_grants(*, contract_id: str) -> None:
    """Print the grants of CONTRACT_ID, revoked ones too; one a line. One of the last minute may be missing."""
    parts = _selling()
    marketplace.find_contract(parts, contract_id)
    for each in sorted(parts.grants.of(contract_id), key=lambda one: (one.grant_id, one.dataset_id)):
        _print(_shown_grant(each))


@data.group()
def key() -> None:
    """Keys by which the gateway counts a buyer's requests: one a contract. Clients of Delta Sharing need none."""


@key.command("make")
@CONTRACT
def make_key(*, contract_id: str) -> None:
    """Make the key of CONTRACT_ID and print its value: this once, since it is kept nowhere. One that is there stays.

    It opens nothing without a token, and is there until `data contract close` or `data key end`, also where the contract ran out.
    """
    given = marketplace.make_key(_selling(), _buyer_keys(), contract_id, now=system_clock())
    _print({"contract": contract_id, "key": given.key_id, "value": given.value})


@key.command("end")
@CONTRACT
def end_key(*, contract_id: str) -> None:
    """End the key of CONTRACT_ID, so that another can be made; `data contract close` does so by itself."""
    ended = marketplace.end_keys(_buyer_keys(), contract_id)
    _print({"contract": contract_id, "ended": list(ended)})


def priced(amount: str, currency: str, *, option: str) -> Money:
    """Parse an amount that may be zero."""
    currency_of(currency)
    if re.fullmatch(r"0+(\.0*)?", amount):
        return Money(minor_units=0, currency=currency)
    try:
        return Money.from_decimal(amount, currency=currency)
    except ValueError:
        raise click.UsageError(f"Write {option} as digits, such as 500.00, or 0.") from None


def required_settings() -> MarketplaceSettings:
    """Settings of the control plane's tables.

    Raises:
        DataSalesNotOffered: Nothing is sold in this environment.
    """
    settings = MarketplaceSettings()
    if not settings.contracts_table:
        raise marketplace.DataSalesNotOffered(
            "No data is sold in this environment; turn on the flag marketplace first (docs/data-platform.md)."
        )
    return settings


def contracts_of_buyers() -> marketplace.Contracts:
    """The table of contracts."""
    return DynamoContracts(table=required_settings().contracts_table)


def _selling() -> marketplace.ContractStores:
    settings = required_settings()
    return marketplace.ContractStores(
        contracts=DynamoContracts(table=settings.contracts_table),
        grants=DynamoGrants(table=settings.grants_table),
        catalogue=DynamoCatalogue(table=settings.datasets_table),
    )


def _buyer_keys() -> marketplace.BuyerKeys:
    plan = required_settings().usage_plan
    if not plan:
        raise marketplace.DataSalesNotOffered(
            "This task is not told of the gateway's usage plan; deploy marketplace, then administration."
        )
    return GatewayKeys(plan=plan)


def _end_keys(keys: marketplace.BuyerKeys, contract_id: str) -> Sequence[str]:
    """What a closing ends besides: recorded only where there is a key, or where nobody can know."""
    try:
        found = keys.of(contract_id)
    except (BotoCoreError, ClientError):
        goes_on(Action.DATA_KEY_ENDED)
        raise
    if not found:
        return ()
    goes_on(Action.DATA_KEY_ENDED)
    return marketplace.end_keys(keys, contract_id)


def _shown(contract: marketplace.Contract) -> Mapping[str, Any]:
    return {
        "id": contract.contract_id,
        "buyer": contract.buyer,
        "state": "active" if contract.is_active else "closed",
        "starts_at": iso(contract.starts_at),
        "ends_at": iso(contract.ends_at),
        "bytes_a_month": contract.bytes_a_month,
        "terms": [
            {
                "since": str(terms.since),
                "datasets": list(terms.datasets),
                "price_minor": terms.price.minor_units,
                "currency": terms.price.currency,
                "per": terms.per,
                "seller_share_bp": terms.seller_share_bp,
            }
            for terms in contract.terms
        ],
    }


def _shown_grant(grant: marketplace.Grant) -> Mapping[str, Any]:
    return {
        "grant": grant.grant_id,
        "dataset": grant.dataset_id,
        "contract": grant.contract_id,
        "expires_at": iso(grant.expires_at),
        "revoked_at": iso_or_none(grant.revoked_at),
        "token_sha256": grant.token_digest,
    }


def _print(said: Mapping[str, Any]) -> None:
    click.echo(json.dumps(said, ensure_ascii=False))
