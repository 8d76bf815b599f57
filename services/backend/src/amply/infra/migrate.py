"""Bring a database to the newest schema: roles first, then Alembic's revisions, one transaction each."""

import importlib.resources
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

OWNER: Final = "amply_owner"
LOGIN_ROLES: Final = ("amply_api", "amply_app", "amply_sequencer", "amply_read")

_MIGRATION_LOCK: Final = 0x616D706C79
"""Any constant known to all migration tasks; these are the letters of the name."""


def migrate(engine: Engine) -> None:
    """Create the roles that are missing and apply every revision that is not yet applied.

    Safe to run twice and from two tasks at once: an advisory lock lets one wait for the other.
    `engine` signs in as the master user; objects end up owned by `amply_owner`, which cannot sign in.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        # Waiting for another migration is the point: however long it takes.
        guard.execute(text("SET statement_timeout = 0"))
        guard.execute(text("SET lock_timeout = 0"))
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        try:
            _ensure_roles(guard)
            with engine.connect() as connection:
                # It becomes the owner and loses its time limits: nobody gets this connection after us.
                connection.detach()
                command.upgrade(configuration(connection), "head")
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK})


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for one open connection, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(importlib.resources.files("amply") / "migrations"))
    config.attributes["connection"] = connection
    return config


def _ensure_roles(connection: Connection) -> None:
    """Roles belong to the cluster, not to a revision: several databases of one cluster share them."""
    existing = set(connection.scalars(text("SELECT rolname FROM pg_roles")))
    if OWNER not in existing:
        connection.execute(text(f"CREATE ROLE {OWNER} NOLOGIN"))
    for role in LOGIN_ROLES:
        if role not in existing:
            connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        if "rds_iam" in existing:
            connection.execute(text(f"GRANT rds_iam TO {role}"))
    connection.execute(text(f"GRANT {OWNER} TO CURRENT_USER WITH SET TRUE, INHERIT TRUE"))
    database = connection.dialect.identifier_preparer.quote(
        connection.scalar(text("SELECT current_database()")) or ""
    )
    connection.execute(text(f"GRANT CREATE, CONNECT ON DATABASE {database} TO {OWNER}"))
    connection.execute(text(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER}"))
