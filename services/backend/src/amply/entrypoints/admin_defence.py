"""`admin defence`, `admin organization contact`: donation forms closed because of card testing, and the contacts to notify."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from amply.entrypoints.admin_database import opened_session
from amply.kernel.clock import iso, system_clock
from amply.modules import defence as defending
from amply.modules import organizations
from amply.modules.receipts import Language

_ORGANIZATION = click.option("--id", "organization_id", required=True, help="the organisation, org_…")
_REASON = click.option("--reason", required=True, help="why, for whoever comes next")
LANGUAGE = click.option(
    "--language", type=click.Choice([each.value for each in Language]), default="en", show_default=True
)


@click.group()
def defence() -> None:
    """Forms that are closed for a while, because stolen cards are tried on them and the challenge does not hold."""


@defence.command("closings")
def list_closings() -> None:
    """Print the last hundred closings, the newest first, one JSON object a line.

    `is_closed`: still now. `told_at`: when its organisation was told; `withheld`: why it was not.
    """
    with opened_session() as session:
        found, now = defending.latest_closings(session), system_clock()
    for each in found:
        _print({**asdict(each), "is_closed": each.until > now})


@defence.command("reopen")
@_ORGANIZATION
@_REASON
def reopen_form(*, organization_id: str, reason: str) -> None:
    """Open a closed form now. It is closed again only for what comes after ten minutes; see `exempt`."""
    with opened_session() as session:
        began_at = defending.reopen(
            session, organization_id=organization_id, reason=reason, now=system_clock()
        )
    _print({"id": organization_id, "closed_since": began_at, "is_closed": False})


@defence.command("exempt")
@_ORGANIZATION
@click.option("--days", type=int, required=True, help="for how long; 0 ends an exemption")
@_REASON
def exempt_organization(*, organization_id: str, days: int, reason: str) -> None:
    """Never close this organisation's form for so many days, and open it if it is closed."""
    with opened_session() as session:
        now = system_clock()
        organizations.get(session, organization_id=organization_id)
        made = defending.exempt(session, organization_id=organization_id, days=days, reason=reason, now=now)
        if days and organization_id in defending.closed_forms(
            session, organization_ids=[organization_id], now=now
        ):
            defending.reopen(session, organization_id=organization_id, reason=reason, now=now)
    _print(asdict(made))


@defence.command("exemptions")
def list_exemptions() -> None:
    """Print the organisations whose forms are not closed, one JSON object a line."""
    with opened_session() as session:
        found = defending.exemptions(session, now=system_clock())
    for each in found:
        _print(asdict(each))


@click.command("contact")
@_ORGANIZATION
@click.option("--email", required=True, help="an address that the organisation reads, better nobody's own")
@LANGUAGE
def organization_contact(*, organization_id: str, email: str, language: str) -> None:
    """Say whom we write to about an organisation, in place of whoever it was before. It is shown nowhere."""
    with opened_session() as session:
        organizations.keep_contact(
            session,
            organization_id=organization_id,
            contact=organizations.Contact(email=email, language=language),
            now=system_clock(),
        )
    _print({"id": organization_id, "contact": True})


def _print(said: dict[str, Any]) -> None:
    shown = {name: iso(value) if isinstance(value, datetime) else value for name, value in said.items()}
    click.echo(json.dumps(shown, ensure_ascii=False))
