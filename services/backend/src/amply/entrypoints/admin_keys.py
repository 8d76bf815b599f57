"""`admin keys`: versions of the keys for personal data. Needs the worker's settings: docs/runbooks/personal-keys.md."""

import json
import re
from dataclasses import asdict
from typing import Final

import click

from amply.entrypoints.admin_database import opened_database
from amply.infra.settings import PeopleSettings
from amply.infra.vault import DONOR_INDEX, DONORS, OF_ORGANIZATION, PEOPLE, NoKeysHere
from amply.infra.vault.reencryption import versions
from amply.kernel.clock import iso, system_clock
from amply.modules import people

_SCOPES: Final = (DONORS, DONOR_INDEX, PEOPLE)
_OF_ORGANIZATION: Final = re.compile(rf"{OF_ORGANIZATION}org_[0-9a-z]{{26}}")


class _ScopeName(click.ParamType[str]):
    name = "scope"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in _SCOPES and not _OF_ORGANIZATION.fullmatch(value):
            self.fail(
                f"Give one of {', '.join(_SCOPES)}, or {OF_ORGANIZATION}org_… of one organisation.",
                param,
                ctx,
            )
        return value


@click.group()
def keys() -> None:
    """The keys that personal data is sealed with."""


@keys.command("rotate")
@click.option(
    "--scope", type=_ScopeName(), required=True, help="or organization:org_…, of one that has a key"
)
def rotate(*, scope: str) -> None:
    """Make another version of a key. It seals after a quarter of an hour; the worker then seals anew what older ones sealed."""
    with opened_database() as database:
        if database.keyring is None:
            raise NoKeysHere
        version = database.keyring.rotate(scope, now=system_clock())
    click.echo(json.dumps({"scope": scope, "version": version}))


@keys.command("show")
def show() -> None:
    """Print every version with how many values are of it, as JSON lines: how far a rotation has come."""
    from amply.entrypoints.personal_data import sealed_rows  # noqa: PLC0415 -- with it comes what speaks SCIM: others wait for none

    key = people.PeopleKey.from_settings(PeopleSettings())
    with opened_database() as database, database.transaction() as session:
        found = versions(session, sealed_rows(key), now=system_clock())
    for each in found:
        click.echo(json.dumps({**asdict(each), "seals_from": iso(each.seals_from)}))
