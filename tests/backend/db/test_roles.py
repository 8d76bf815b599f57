"""Who may change what the database is: the master its roles, the migrator its schema, and nobody else anything."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from amply.infra.database import Database
from amply.infra.roles import LOGIN_ROLES, MIGRATOR, OWNER, make_roles
from tests.backend.conftest import Databases, Server

OF_THE_MASTER = (
    "CREATE ROLE another",
    "ALTER ROLE amply_api CREATEROLE",
    "ALTER ROLE amply_api PASSWORD 'known'",
    "ALTER ROLE master PASSWORD 'known'",
    "DROP ROLE amply_read",
    "GRANT amply_owner TO amply_app",
    "GRANT pg_read_all_data TO amply_migrate",
    "SET ROLE amply_api",
    "SET ROLE master",
    "SELECT pg_reload_conf()",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('postgresql.conf')",
    "CREATE EXTENSION file_fdw",
    "DROP SCHEMA public CASCADE",
)
OF_THE_MIGRATOR = (
    "CREATE TABLE another (id bigint)",
    "CREATE SCHEMA another",
    "CREATE FUNCTION another() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE entry DROP COLUMN reason",
    "ALTER TABLE transfer DISABLE TRIGGER ALL",
    "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
    "DROP POLICY of_the_bound ON entry",
    "DROP TABLE opening",
    "TRUNCATE leaf",
    "GRANT SELECT ON alembic_version TO amply_api",
    "SET ROLE amply_owner",
    "UPDATE alembic_version SET version_num = '0001'",
)


def _try(database: Database, statement: str, *, become: str | None) -> None:
    with database.transaction() as session:
        if become:
            session.execute(text(f"SET LOCAL ROLE {become}"))
        session.execute(text(statement))


def _refused(database: Database, statement: str, *, become: str | None = None) -> None:
    refusal = r"permission denied|must be owner|must be able to|Only roles with"
    with pytest.raises(ProgrammingError, match=refusal):
        _try(database, statement, become=become)


@pytest.mark.parametrize("become", [None, OWNER])
@pytest.mark.parametrize("statement", OF_THE_MASTER)
def test_who_migrates_cannot_do_what_the_master_can(
    statement: str, become: str | None, databases: Databases
) -> None:
    """Signed in, and also once it has become the owner, which is how revisions run."""
    migrator = databases.as_role(MIGRATOR)
    _refused(migrator, statement, become=become)
    migrator.close()


@pytest.mark.parametrize("role", [role for role in LOGIN_ROLES if role != MIGRATOR])
@pytest.mark.parametrize("statement", OF_THE_MIGRATOR)
def test_who_works_in_the_schema_cannot_change_it(statement: str, role: str, databases: Databases) -> None:
    worker = databases.as_role(role)
    _refused(worker, statement)
    worker.close()


def test_who_migrates_reads_nothing_before_it_is_the_owner(databases: Databases) -> None:
    migrator = databases.as_role(MIGRATOR)
    _refused(migrator, "SELECT * FROM opening")
    _refused(migrator, "CREATE TABLE another (id bigint)")
    with migrator.transaction() as session:
        session.execute(text(f"SET LOCAL ROLE {OWNER}"))
        session.execute(text("CREATE TABLE another (id bigint)"))
    migrator.close()


def test_the_owner_owns_everything_and_cannot_sign_in(databases: Databases) -> None:
    master = databases.as_role("master")
    with master.transaction() as session:
        owners = session.scalars(
            text(
                "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            )
        ).all()
        signing_in = session.scalars(text("SELECT rolname FROM pg_roles WHERE rolcanlogin")).all()
    master.close()
    assert owners == [OWNER]
    assert set(signing_in) == {"master", *LOGIN_ROLES}


def test_no_role_but_the_master_is_more_than_a_role(databases: Databases) -> None:
    powers = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    master = databases.as_role("master")
    with master.transaction() as session:
        found = session.scalars(text(f"SELECT rolname FROM pg_roles WHERE {powers}")).all()  # noqa: S608 -- ours
        memberships = session.execute(
            text("""
                SELECT member::regrole::text, roleid::regrole::text, admin_option, inherit_option, set_option
                FROM pg_auth_members WHERE member::regrole::text LIKE 'amply%'
            """)
        ).all()
    master.close()
    assert found == ["master"]
    assert [tuple(row) for row in memberships] == [(MIGRATOR, OWNER, False, False, True)]


def test_a_master_like_that_of_rds_makes_the_roles_and_the_migrator_the_schema(server: Server) -> None:
    """RDS's master is no superuser: it may make roles and databases, and give what it was given."""
    server.run("CREATE ROLE rds_master LOGIN CREATEROLE CREATEDB PASSWORD 'for-tests-on-loopback'")
    for role in (OWNER, *LOGIN_ROLES):
        server.run(f"GRANT {role} TO rds_master WITH ADMIN TRUE")
    server.run("CREATE DATABASE as_on_rds OWNER rds_master")
    master = server.connect(name="as_on_rds", user="rds_master")
    for _ in range(2):
        make_roles(master.engine)
    with master.transaction() as session:
        may = "SELECT has_schema_privilege('amply_owner', 'public', 'CREATE')"
        assert session.scalar(text(may)) is True
    master.close()
    server.run("DROP DATABASE as_on_rds WITH (FORCE)")
    server.run(f"REVOKE {', '.join((OWNER, *LOGIN_ROLES))} FROM rds_master CASCADE")
    server.run(f"GRANT {OWNER} TO {MIGRATOR} WITH SET TRUE, INHERIT FALSE")
    server.run("DROP ROLE rds_master")
