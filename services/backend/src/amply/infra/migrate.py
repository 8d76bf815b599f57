"""Migrates a database to the newest schema: Alembic revisions, one transaction each, as the schema's owner."""

import importlib.resources
from itertools import dropwhile

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, text

from amply.infra.roles import OWNER, one_at_a_time, require_roles
from amply.kernel.errors import AmplyError


class ReleaseSkipped(AmplyError):
    """A release between the database's and this one was never deployed: what it takes away is named by the processes that run."""

    code = "release_skipped"

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"Processes of the release that runs may still name what revision {revision} takes away: deploy the release "
            f"that brought revision {revision} first, then this one."
        )
        self.revision = revision


def migrate(engine: Engine) -> None:
    """Apply pending revisions, except trailing ones that remove what the previous release uses.

    Such a one says `TAKES_AWAY`. It waits for the next release's first revision, and is applied before that where the database
    is directly below it: there its own release left it. Anywhere further below, the releases between were never deployed, and
    nothing is applied. A new database has nobody who names anything, and gets all of them.

    Safe to run twice and from two tasks at once: an advisory lock lets one wait for the other.
    `engine` signs in as `amply_migrate`, or as anyone else who may become `amply_owner`, who then owns what is made.

    Raises:
        RolesMissing: The database does not have the roles of this release; see `amply.infra.roles`.
        ReleaseSkipped: Another release has to be deployed before this one.
    """
    with one_at_a_time(engine) as guard:
        require_roles(guard)
        with engine.connect() as connection:
            try:
                chosen = configuration(connection)
                command.upgrade(chosen, target(ScriptDirectory.from_config(chosen), _present(connection)))
            finally:
                # This connection has the owner's role and no timeouts: it must not return to the pool.
                connection.invalidate()


def _present(connection: Connection) -> str | None:
    with connection.begin():
        # The migrator must SET ROLE to the owner before it can see anything.
        connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
        return MigrationContext.configure(connection).get_current_revision()


def target(scripts: ScriptDirectory, present: str | None) -> str:
    """The revision to migrate to from `present` (or none).

    Raises:
        ReleaseSkipped: As `migrate` says.
    """
    if present is None:
        return "head"
    newest_first = scripts.walk_revisions(base=present)
    to_come = [script for script in newest_first if script.revision != present]
    applied = list(dropwhile(_takes_away, to_come))
    for script in dropwhile(_takes_away, reversed(applied)):
        if _takes_away(script):
            raise ReleaseSkipped(script.revision)
    return applied[0].revision if applied else present


def _takes_away(script: Script) -> bool:
    return bool(getattr(script.module, "TAKES_AWAY", False))


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for an open connection, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(importlib.resources.files("amply") / "migrations"))
    config.attributes["connection"] = connection
    return config
