"""`admin people forget`: deletes a person's account on their behalf."""

import json

import click

from amply.entrypoints.admin_database import opened_session
from amply.entrypoints.member_directory import people_leaving
from amply.infra.settings import PeopleSettings
from amply.infra.vault import keyring_of
from amply.kernel.clock import system_clock
from amply.modules.people import PeopleKey, forget


@click.group("people")
def people_commands() -> None:
    """People who have an account, by their id: no command takes an address."""


@people_commands.command("forget")
@click.option(
    "--id", "person_id", required=True, help="who, usr_…: the audit log and their colleagues' list name it"
)
def forget_person(*, person_id: str) -> None:
    """Delete an account: address, password, factors, memberships. Refused where an organisation would be left to nobody.

    Their sessions end within minutes, and a last letter goes to their address. Needs the worker's database user and key.
    """
    with opened_session() as session:
        key = PeopleKey.from_settings(PeopleSettings(), keyring=keyring_of(session))
        stamp = forget(session, person_id=person_id, key=key, leaving=people_leaving, now=system_clock())
    click.echo(json.dumps({"id": person_id, "forgotten": stamp is not None}))
