"""Gifts that recurring gifts brought before revision 0066 are told which plan they belong to."""

import importlib.resources
from typing import Final

from alembic.script import ScriptDirectory

from amply.infra.roles import MIGRATOR, OWNER
from tests.backend.committed.test_plan_staff import plans  # noqa: F401 -- a fixture
from tests.backend.conftest import Databases
from tests.backend.plan_world import Plans

OURS: Final = importlib.resources.files("amply") / "migrations"


def test_gifts_from_before_get_their_plan(
    plans: Plans,  # noqa: F811 -- the fixture
    databases: Databases,
) -> None:
    revision = ScriptDirectory(str(OURS)).get_revision("0066").module
    migrator = databases.as_role(MIGRATOR)
    with migrator.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"SET ROLE {OWNER}")
        connection.exec_driver_sql("UPDATE donation SET plan_id = NULL")
        connection.exec_driver_sql(revision.FILL_IN)
    migrator.close()
    assert [gift.plan_id for gift in plans.rows("donation")] == [plans.plan.id]
