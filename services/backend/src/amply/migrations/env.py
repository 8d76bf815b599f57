"""How Alembic runs a revision here: as the owner, with limits on locks, one transaction each."""

from alembic import context
from sqlalchemy import Connection, text

from amply.infra.roles import OWNER


def run() -> None:
    connection: Connection = context.config.attributes["connection"]
    connection.execute(text(f"SET ROLE {OWNER}"))
    # A migration that cannot get its lock quickly gives up instead of queueing every request behind it.
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SET statement_timeout = '10min'"))
    connection.execute(text("SET transaction_timeout = 0"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


run()
