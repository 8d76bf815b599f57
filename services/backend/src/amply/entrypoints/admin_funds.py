"""`admin organization fund …`, `… anonymous-gifts`, `… return-to`: funds, anonymous gifts and allowed return addresses."""

import json
from datetime import datetime
from pathlib import Path

import click

from amply.entrypoints.admin_database import also_concerns, opened_database, opened_session
from amply.kernel.clock import iso_or_none, system_clock
from amply.modules import donations, organizations

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_ORGANIZATION = click.option("--id", "organization_id", required=True, help="the organisation, org_…")


@click.group()
def fund() -> None:
    """What an organisation lets people give for. Names are public, and so is what is given for each."""


@fund.command("create")
@_ORGANIZATION
@click.option("--name", required=True, help="as donors read it; it stays once somebody has given for it")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in organizations.FundKind]),
    default=organizations.FundKind.FUND.value,
    show_default=True,
)
def create_fund(*, organization_id: str, name: str, kind: str) -> None:
    """Create a fund and print it; running it again changes nothing."""
    with opened_session() as session:
        organizations.get(session, organization_id=organization_id)
        made = organizations.create_fund(
            session,
            organization_id=organization_id,
            name=name,
            kind=organizations.FundKind(kind),
            now=system_clock(),
        )
        also_concerns(made.id)
    click.echo(json.dumps(_shown(made)))


@fund.command("list")
@_ORGANIZATION
def list_funds(*, organization_id: str) -> None:
    """Print all funds, closed ones too, the oldest first; one a line."""
    with opened_session() as session:
        organizations.get(session, organization_id=organization_id)
        found = organizations.funds_of(session, organization_id=organization_id)
    for each in found:
        click.echo(json.dumps(_shown(each)))


@fund.command("close")
@_ORGANIZATION
@click.option("--fund", "fund_id", required=True, help="fund_…")
def close_fund(*, organization_id: str, fund_id: str) -> None:
    """Let nothing more be given for a fund; what is on its way still arrives in it."""
    with opened_session() as session:
        closed = organizations.close_fund(
            session, organization_id=organization_id, fund_id=fund_id, now=system_clock()
        )
    click.echo(json.dumps(_shown(closed)))


@click.command("anonymous-gifts")
@_ORGANIZATION
@click.option("--take/--refuse", "takes", required=True)
def anonymous_gifts(*, organization_id: str, takes: bool) -> None:
    """Say whether gifts are taken from people whom the organisation is not told."""
    with opened_session() as session:
        changed = organizations.take_anonymous_gifts(session, organization_id=organization_id, takes=takes)
    click.echo(json.dumps({"id": changed.id, "takes_anonymous_gifts": changed.takes_anonymous_gifts}))


@click.group("return-to")
def return_to() -> None:
    """The sites that the donation page sends donors back to. It sends them to no other."""


@return_to.command("allow")
@_ORGANIZATION
@click.option("--origin", required=True, help="such as https://charity.example")
def allow_return(*, organization_id: str, origin: str) -> None:
    """Allow a site and print all that are allowed; running it again changes nothing."""
    with opened_session() as session:
        allowed = organizations.allow_return(session, organization_id=organization_id, origin=origin)
    click.echo(json.dumps({"id": organization_id, "return_origins": list(allowed)}))


@return_to.command("forbid")
@_ORGANIZATION
@click.option("--origin", required=True, help="as `allow` printed it")
def forbid_return(*, organization_id: str, origin: str) -> None:
    """Send nobody to a site any more and print those that are left; at once, for links that are out there too."""
    with opened_session() as session:
        left = organizations.forbid_return(session, organization_id=organization_id, origin=origin)
    click.echo(json.dumps({"id": organization_id, "return_origins": list(left)}))


@click.command("gifts")
@_ORGANIZATION
@click.option("--from", "first", type=_DAY, required=True, help="first day, in the organisation's time zone")
@click.option("--until", "last", type=_DAY, required=True, help="last day")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def organization_gifts(*, organization_id: str, first: datetime, last: datetime, out: Path) -> None:
    """Write the gifts of a period with what donors say of them as CSV. Needs the worker's database user.

    For the organisation alone: it names donors, but for those it is not told. The file is its, to be sent on encrypted.
    """
    with opened_database() as database:
        found = donations.gifts_of(
            database, organization_id=organization_id, first=first.date(), last=last.date()
        )
    out.write_text(donations.as_csv(found), encoding="utf-8", newline="")
    click.echo(json.dumps({"file": str(out), "gifts": len(found)}))


def _shown(fund: organizations.Fund) -> dict[str, str | None]:
    return {
        "id": fund.id,
        "name": fund.name,
        "kind": fund.kind,
        "closed_at": iso_or_none(fund.closed_at),
    }
