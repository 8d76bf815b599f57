"""Revisions 0029 to the newest on a database that has taken gifts: taken back and applied again, they leave the same database."""

from typing import Any, Final

import pytest
from alembic import command
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import defer

from amply.infra.database import Database
from amply.infra.migrate import configuration, migrate
from amply.modules.donations.models import DonationRow
from tests.backend.conftest import Databases
from tests.backend.in_process_platform import InProcessPlatform
from tests.backend.key_service import keyring
from tests.backend.ledger_world import LedgerWorld

BEFORE: Final = "0028"
_KEPT: Final = ("organization", "fund", "donation", "payment", "receipt", "entry", "posting", "outbox")
_CATALOG: Final = """
    SELECT 'column', table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'may', concat_ws(' ', table_name, column_name, grantee), privilege_type
    FROM information_schema.column_privileges WHERE table_schema = 'public'
    UNION ALL
    SELECT 'may', concat_ws(' ', table_name, grantee), privilege_type
    FROM information_schema.table_privileges WHERE table_schema = 'public'
    UNION ALL
    SELECT 'function', oid::regprocedure::text, concat_ws(' ', pg_get_functiondef(oid), proacl::text)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
    UNION ALL
    SELECT 'policy', tablename || '.' || policyname, concat_ws(' ', permissive, roles::text, cmd, qual, with_check)
    FROM pg_policies
    UNION ALL
    SELECT 'security', relname, concat_ws(' ', relrowsecurity, relforcerowsecurity, relowner::regrole)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


def test_a_database_with_gifts_goes_back_to_before_them_and_comes_again(
    books: LedgerWorld, databases: Databases
) -> None:
    town = InProcessPlatform(books, databases)
    master = databases.as_role("master")
    # What is sealed stays sealed: below, taking that back is refused. So what can be in the clear is, and gifts are put there.
    with master.transaction() as session:
        session.execute(text("UPDATE sealing SET later_begins_at = now() + interval '3 hours'"))
        session.execute(text("UPDATE sealing SET leaves_begin_at = later_begins_at"))
    town.own.keyring = keyring(town.own, bucket=databases.name)
    books.app.keyring = keyring(books.app, bucket=databases.name)
    town.tell_whole_story()
    _open_fund(books.app, organization_id=town.organization_id)
    rows, catalog, sealed = _rows(master), _catalog(master), _sealed(master)
    for opened in (town.own, books.app, books.sequencer):
        opened.close()

    with master.engine.connect() as connection:
        command.downgrade(configuration(connection), "0045")
        connection.execute(text("UPDATE donation SET sealed = NULL, donor_index = NULL, donor_name = 'Ada'"))
        connection.commit()
        command.downgrade(configuration(connection), BEFORE)
    master.close()  # its connections act as the owner now
    assert _there(master).isdisjoint({"member", "person", "api_key", "audit_record", "form_closing"})
    assert _rows(master).keys() == rows.keys()
    with master.engine.connect() as connection:
        command.upgrade(configuration(connection), "0045")
        with pytest.raises(ProgrammingError, match=r"not sealed yet.*migrate again"):
            command.upgrade(configuration(connection), "0046")
    master.close()
    with master.transaction() as session:
        session.execute(
            text(
                "UPDATE donation SET sealed = :sealed, donor_index = :found_by, donor_name = NULL WHERE id = :id"
            ),
            sealed,
        )
        session.execute(text("UPDATE sealing SET begins_at = now()"))
    migrate(master.engine)
    master.close()
    assert "address_digest" in _names(master), "what the release before names waits for the next release"
    with master.engine.connect() as connection:
        command.upgrade(configuration(connection), "head")
    master.close()

    assert _rows(master) == rows
    assert _catalog(master) == catalog
    master.close()
    with town.own.transaction() as session:  # the API, of everybody, through the policies that came
        assert session.scalars(text("SELECT id FROM organization")).all() == [town.organization_id]
        assert session.scalar(text("SELECT count(*) FROM fund")) == 1
    town.own.close()


def test_what_is_sealed_is_not_taken_back(books: LedgerWorld, databases: Databases) -> None:
    town = InProcessPlatform(books, databases)
    assert town.give().status_code == 201
    master = databases.as_role("master")
    for opened in (town.own, books.app, books.sequencer):
        opened.close()
    with (
        pytest.raises(ProgrammingError, match="there is no way back"),
        master.engine.connect() as connection,
    ):
        command.downgrade(configuration(connection), "0035")
    master.close()
    assert {"data_key", "sealing"} <= _there(master)
    with town.own.transaction() as session:
        as_it_was = select(DonationRow).options(defer(DonationRow.plan_id))  # a later revision's, taken back
        assert session.scalars(as_it_was).one().donor_name is not None
    town.own.close()
    master.close()


def _open_fund(database: Database, *, organization_id: str) -> None:
    with database.transaction() as session:
        session.execute(
            text("""
                INSERT INTO fund (id, organization_id, name, kind, created_at)
                VALUES ('fund_00000000000000000000000000', :organization_id, 'Bridge', 'project', now())
            """),
            {"organization_id": organization_id},
        )


def _sealed(database: Database) -> list[dict[str, Any]]:
    with database.transaction() as session:
        rows = session.execute(text("SELECT id, sealed, donor_index AS found_by FROM donation"))
        return [dict(row._mapping) for row in rows]


def _names(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(
            session.scalars(text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"))
        )


def _rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.transaction() as session:
        return {
            table: sorted(session.scalars(text(f"SELECT to_jsonb({table}) FROM {table}")).all(), key=repr)  # noqa: S608 -- this file's words
            for table in _KEPT
        }


def _catalog(database: Database) -> set[tuple[str, str, str]]:
    with database.transaction() as session:
        return {tuple(row) for row in session.execute(text(_CATALOG))}


def _there(database: Database) -> set[str]:
    with database.transaction() as session:
        return set(session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
