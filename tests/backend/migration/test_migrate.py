"""The migration task may run again, and beside another one."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from amply.infra.migrate import migrate
from tests.backend.conftest import Databases, Server


def test_a_migrated_database_is_left_as_it_is(databases: Databases) -> None:
    master = databases.as_role("master")
    for _ in range(2):
        migrate(master.engine)

    with master.transaction() as session:
        assert session.scalar(text("SELECT current_user")) == "master", "no connection stays the owner's"
    master.close()


def test_two_tasks_at_once_migrate_once(server: Server) -> None:
    server.run("CREATE DATABASE migrated_twice")
    tasks = [server.connect(name="migrated_twice", user="master") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda task: migrate(task.engine), tasks))

    with tasks[0].transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    for task in tasks:
        task.close()
    server.run("DROP DATABASE migrated_twice WITH (FORCE)")
