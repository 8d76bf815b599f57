"""Database roles: schema owner, migrator, and the runtime roles. Created once, by the master user.

`amply_owner` owns every object and cannot sign in. `amply_migrate` signs in and may become the owner, and nothing else:
it makes no roles, no databases, and reads nothing before it has become the owner. The others have what revisions grant.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, text

from amply.kernel.errors import AmplyError

OWNER: Final = "amply_owner"
MIGRATOR: Final = "amply_migrate"
LOGIN_ROLES: Final = ("amply_api", "amply_app", MIGRATOR, "amply_operator", "amply_sequencer", "amply_read")

_LOOKS_EVERY_SECONDS: Final = 0.1
_LOCK: Final = 0x616D706C79
"""Advisory lock of tasks that change roles or schema; the letters of the name."""


class RolesMissing(AmplyError):
    """The database has not all the roles of this release; whoever has the master's password makes them."""

    code = "roles_missing"

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"The database has no {', '.join(missing)}, or who migrates may not become {OWNER}. The task `roles` "
            "makes them as the master user: make create-roles ENVIRONMENT=…, then migrate again."
        )
        self.missing = missing


def make_roles(engine: Engine) -> None:
    """Create missing roles, and let the owner create objects in the database of `engine`.

    Signs in as the master user. Safe to run twice and beside a migration. Roles belong to the cluster: several
    databases of one cluster share them.
    """
    with one_at_a_time(engine) as connection:
        existing = _existing(connection)
        if OWNER not in existing:
            connection.execute(text(f"CREATE ROLE {OWNER} NOLOGIN"))
        for role in LOGIN_ROLES:
            if role not in existing:
                connection.execute(text(f"CREATE ROLE {role} LOGIN"))
            if "rds_iam" in existing:
                connection.execute(text(f"GRANT rds_iam TO {role}"))
        # The master may act as owner in emergencies; the migrator must SET ROLE first.
        connection.execute(text(f"GRANT {OWNER} TO CURRENT_USER WITH SET TRUE, INHERIT TRUE"))
        connection.execute(text(f"GRANT {OWNER} TO {MIGRATOR} WITH SET TRUE, INHERIT FALSE"))
        _let_the_owner_build(connection)


@contextmanager
def one_at_a_time(engine: Engine) -> Iterator[Connection]:
    """An autocommit connection that holds the advisory lock for changes of roles or schema."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Waiting for another one is the point: however long it takes. Asked again and again: a statement that waits keeps its
        # snapshot, and an index that the other one makes CONCURRENTLY would wait for that.
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}):
            time.sleep(_LOOKS_EVERY_SECONDS)
        try:
            yield connection
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})


def require_roles(connection: Connection) -> None:
    """Raises RolesMissing unless all roles exist and this connection may become the owner."""
    missing = sorted({OWNER, *LOGIN_ROLES} - _existing(connection))
    may = "SELECT pg_has_role(current_user, oid, 'SET') FROM pg_roles WHERE rolname = :owner"
    if missing or not connection.scalar(text(may), {"owner": OWNER}):
        raise RolesMissing(missing or [f"way to {OWNER}"])


def _let_the_owner_build(connection: Connection) -> None:
    database = connection.dialect.identifier_preparer.quote(
        connection.scalar(text("SELECT current_database()")) or ""
    )
    connection.execute(text(f"GRANT CREATE, CONNECT ON DATABASE {database} TO {OWNER}"))
    connection.execute(text(f"GRANT CREATE, USAGE ON SCHEMA public TO {OWNER}"))


def _existing(connection: Connection) -> set[str]:
    return set(connection.scalars(text("SELECT rolname FROM pg_roles")))
