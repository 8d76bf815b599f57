"""Bring a database to the newest schema: Alembic's revisions, one transaction each, as the schema's owner."""

import importlib.resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from amply.infra.roles import OWNER, one_at_a_time, require_roles


def migrate(engine: Engine) -> None:
    """Apply every revision that is not yet applied, but for those at the end that take away what the release before names.

    Such a one says `TAKES_AWAY`. It waits for the next release's first revision, which comes when nobody runs any more who names
    it; a new database has nobody, and gets all of them.

    Safe to run twice and from two tasks at once: an advisory lock lets one wait for the other.
    `engine` signs in as `amply_migrate`, or as anyone else who may become `amply_owner`, who then owns what is made.

    Raises:
        RolesMissing: The database does not have the roles of this release; see `amply.infra.roles`.
    """
    with one_at_a_time(engine) as guard:
        require_roles(guard)
        with engine.connect() as connection:
            try:
                chosen = configuration(connection)
                command.upgrade(chosen, _target(chosen, connection))
            finally:
                # It became the owner and lost its time limits: nobody gets this connection after us.
                connection.invalidate()


def _target(chosen: Config, connection: Connection) -> str:
    with connection.begin():
        # Who signs in to migrate may become the owner, and sees nothing before.
        connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
        present = MigrationContext.configure(connection).get_current_revision()
    if present is None:
        return "head"
    for script in ScriptDirectory.from_config(chosen).walk_revisions():
        if script.revision == present or not getattr(script.module, "TAKES_AWAY", False):
            return script.revision
    return "head"


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for one open connection, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(importlib.resources.files("amply") / "migrations"))
    config.attributes["connection"] = connection
    return config
