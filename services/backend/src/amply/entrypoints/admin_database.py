"""The database as a command uses it: opened for one command, as the role that its environment names, and closed again."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from amply.infra.database import Database, connect
from amply.infra.settings import DatabaseSettings


@contextmanager
def opened_database() -> Iterator[Database]:
    """For commands of several transactions, or with calls to others between them."""
    database = connect(DatabaseSettings(), application="admin", pool_size=2)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def opened_session() -> Iterator[Session]:
    """For commands of one transaction."""
    with opened_database() as database, database.transaction() as session:
        yield session
