"""`python -m amply.entrypoints.admin`: the command line of operators and one-off tasks."""

import sys

import click

from amply.infra import logging
from amply.infra.database import connect
from amply.infra.migrate import migrate as migrate_database
from amply.infra.roles import make_roles
from amply.infra.settings import DatabaseSettings
from amply.kernel.errors import AmplyError


class Commands(click.Group):
    """Imports the other commands lazily, so that migrations need not load modules that send letters."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them."""
        return sorted({*super().list_commands(ctx), *_others().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        return super().get_command(ctx, cmd_name) or _others().get_command(ctx, cmd_name)


def _others() -> click.Group:
    from amply.entrypoints.admin_commands import commands  # noqa: PLC0415 -- see `Commands`

    return commands


@click.group(cls=Commands)
def main() -> None:
    """Operate an Amply environment. Settings come from the environment, as for every task."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    logging.configure(service="migrate")
    database = connect(DatabaseSettings(), application="migrate", pool_size=2)
    migrate_database(database.engine)
    database.close()
    click.echo("The database schema is up to date.")


@main.command()
def roles() -> None:
    """Make the database's roles, as its master user: once, and when a release says that it has another one."""
    logging.configure(service="roles")
    database = connect(DatabaseSettings(), application="roles", pool_size=2)
    make_roles(database.engine)
    database.close()
    click.echo("The database has its roles.")


if __name__ == "__main__":
    try:
        main()
    except AmplyError as error:
        click.echo(error.detail, err=True)
        sys.exit(1)
