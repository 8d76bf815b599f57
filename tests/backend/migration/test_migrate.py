"""The migration task may run again, and beside another one; it signs in as somebody who may migrate and nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from amply.infra.migrate import migrate
from amply.infra.roles import MIGRATOR, RolesMissing, make_roles
from tests.backend.conftest import Databases, Server


def test_a_migrated_database_is_left_as_it_is(databases: Databases) -> None:
    migrator = databases.as_role(MIGRATOR)
    for _ in range(2):
        migrate(migrator.engine)

    with migrator.transaction() as session:
        assert session.scalar(text("SELECT current_user")) == MIGRATOR, "no connection stays the owner's"
    migrator.close()


def test_two_tasks_at_once_migrate_once(server: Server) -> None:
    server.run("CREATE DATABASE migrated_twice")
    masters = [server.connect(name="migrated_twice", user="master") for _ in range(3)]
    tasks = [server.connect(name="migrated_twice", user=MIGRATOR) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda master: make_roles(master.engine), masters))
        list(pool.map(lambda task: migrate(task.engine), tasks))

    with tasks[0].transaction() as session:
        session.execute(text("SET LOCAL ROLE amply_owner"))
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for opened in (*masters, *tasks):
        opened.close()
    server.run("DROP DATABASE migrated_twice WITH (FORCE)")


def test_a_database_whose_roles_were_never_made_says_what_to_do(databases: Databases) -> None:
    """As on the first deployment, when somebody migrates before he has made the roles."""
    reader = databases.as_role("amply_read")
    with pytest.raises(RolesMissing, match=r"way to amply_owner.*make create-roles"):
        migrate(reader.engine)
    reader.close()


def test_a_role_that_a_release_added_is_named(databases: Databases, server: Server) -> None:
    migrator = databases.as_role(MIGRATOR)
    server.run("ALTER ROLE amply_read RENAME TO amply_read_before")
    try:
        with pytest.raises(RolesMissing, match=r"no amply_read,.*make create-roles") as missing:
            migrate(migrator.engine)
    finally:
        server.run("ALTER ROLE amply_read_before RENAME TO amply_read")
        server.run("ALTER ROLE amply_read PASSWORD 'for-tests-on-loopback'")
    assert missing.value.missing == ["amply_read"]
    migrator.close()
