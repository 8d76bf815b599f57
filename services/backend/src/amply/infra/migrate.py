"""Bring a database to the newest schema: Alembic's revisions, one transaction each, as the schema's owner."""

import importlib.resources

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from amply.infra.roles import one_at_a_time, require_roles


def migrate(engine: Engine) -> None:
    """Apply every revision that is not yet applied.

    Safe to run twice and from two tasks at once: an advisory lock lets one wait for the other.
    `engine` signs in as `amply_migrate`, or as anyone else who may become `amply_owner`, who then owns what is made.

    Raises:
        RolesMissing: The database does not have the roles of this release; see `amply.infra.roles`.
    """
    with one_at_a_time(engine) as guard:
        require_roles(guard)
        with engine.connect() as connection:
            try:
                command.upgrade(configuration(connection), "head")
            finally:
                # It became the owner and lost its time limits: nobody gets this connection after us.
                connection.invalidate()


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for one open connection, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(importlib.resources.files("amply") / "migrations"))
    config.attributes["connection"] = connection
    return config
