"""The ledger's revision can be taken back while it is empty, and applied again."""

from alembic import command
from sqlalchemy import text

from amply.infra.migrate import configuration, migrate
from tests.backend.conftest import Databases


def test_the_revision_goes_down_and_up_again(databases: Databases) -> None:
    master = databases.as_role("master")
    with master.engine.connect() as connection:
        command.downgrade(configuration(connection), "0001")
    with master.transaction() as session:
        assert session.scalar(text("SELECT to_regclass('entry')")) is None
        assert session.scalar(text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'check\\_%'")) == 0

    master.close()  # its connections act as the owner now
    migrate(master.engine)

    with master.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM chart")) == 9
    master.close()
