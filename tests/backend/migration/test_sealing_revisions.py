"""Revisions 0046, 0048 and 0054 on a database that is in use: whom they let pass, what they hold up, and when sealing begins."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from alembic import command
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import ProgrammingError

from amply.infra.database import Database
from amply.infra.migrate import configuration
from tests.backend.conftest import Databases

ORGANIZATION = """
    INSERT INTO organization (id, slug, name, country, created_at)
    VALUES ('org_00000000000000000000000000', 'lake', 'Lake', 'DE', now())
"""
GIFT = """
    INSERT INTO donation (id, organization_id, minor_units, currency, status, created_at, updated_at)
    VALUES ('don_00000000000000000000000000', 'org_00000000000000000000000000', 100, 'EUR', 'pending', now(), now())
"""
IN_THE_CLEAR = "UPDATE donation SET donor_name = 'Ada'"


@pytest.fixture
def master(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("master")
    yield opened
    opened.close()


def bring(master: Database, revision: str, *, back: bool = False) -> None:
    with master.engine.connect() as connection:
        (command.downgrade if back else command.upgrade)(configuration(connection), revision)
    master.close()  # its connections act as the owner now


def run(database: Database, *statements: str) -> None:
    with database.transaction() as session:
        session.execute(text("SET LOCAL lock_timeout = '1s'"))
        for statement in statements:
            session.execute(text(statement))


def ask(database: Database, question: str) -> object:
    with database.transaction() as session:
        return session.scalar(text(question))


@contextmanager
def before_each(master: Database, act: Callable[[str], None]) -> Iterator[None]:
    """Before each statement that one of its connections runs, `act` is called with it."""

    def listen(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        act(statement)

    event.listen(master.engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(master.engine, "before_cursor_execute", listen)


def test_gifts_go_on_while_receipts_get_their_words(master: Database, databases: Databases) -> None:
    bring(master, "0045", back=True)
    run(master, ORGANIZATION, GIFT)
    other = databases.as_role("master")
    given = 0

    def give(statement: str) -> None:
        nonlocal given
        if "UPDATE issued_receipt" in statement or "CREATE FUNCTION fix_receipt_words" in statement:
            run(other, "UPDATE donation SET updated_at = now()", "SELECT FROM plan FOR UPDATE")
            given += 1

    with before_each(master, give):
        bring(master, "0046")
    assert given == 2
    assert (
        ask(
            master,
            "SELECT bool_or(convalidated) FROM pg_constraint WHERE conname LIKE '%nothing_in_the_clear'",
        )
        is False
    )
    with pytest.raises(Exception, match="ck_donation_nothing_in_the_clear"):
        run(master, IN_THE_CLEAR)
    other.close()


def test_what_is_written_in_the_clear_meanwhile_is_seen(master: Database, databases: Databases) -> None:
    bring(master, "0045", back=True)
    run(master, ORGANIZATION, GIFT)
    other = databases.as_role("master")

    def write(statement: str) -> None:
        if "UPDATE issued_receipt" in statement:
            run(other, IN_THE_CLEAR)

    with (
        before_each(master, write),
        pytest.raises(
            ProgrammingError, match=r"deploy the release whose newest revision is 0045, let its .*again"
        ),
    ):
        bring(master, "0046")
    other.close()
    master.close()
    assert ask(master, "SELECT version_num FROM alembic_version") == "0045"


def test_before_sealing_has_begun_whoever_has_organisations_waits(master: Database) -> None:
    bring(master, "0045", back=True)
    run(master, ORGANIZATION, "UPDATE sealing SET begins_at = now() + interval '3 hours'")
    with pytest.raises(
        ProgrammingError, match=r"sealing has not begun yet: wait until 20.*, and migrate again"
    ):
        bring(master, "0046")
    master.close()
    run(master, "UPDATE sealing SET begins_at = now()")
    bring(master, "0046")


def test_leaves_begin_later_where_there_are_organisations_alone(master: Database) -> None:
    bring(master, "0046", back=True)
    run(master, ORGANIZATION)
    bring(master, "0048")
    assert ask(master, "SELECT leaves_begin_at > now() + interval '2 hours' FROM sealing") is True


def test_indexes_of_leaves_are_made_while_gifts_go_on(master: Database) -> None:
    bring(master, "0046", back=True)
    run(master, "CREATE INDEX ix_donation_leaf ON donation (id)")  # as if cut off before
    made: list[str] = []
    with before_each(
        master, lambda said: made.append(said) if "_leaf ON" in said and "INDEX" in said else None
    ):
        bring(master, "0048")
    assert len(made) == 7
    assert all("CREATE INDEX CONCURRENTLY" in statement for statement in made)
    assert "sealed" in str(
        ask(master, "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_donation_leaf'")
    )


def test_entries_get_the_indexes_of_data_sold_while_gifts_go_on(master: Database) -> None:
    bring(master, "0056", back=True)
    run(master, "CREATE INDEX ix_entry_data_settled ON entry (id)")  # as if cut off before
    made: list[str] = []
    with before_each(
        master, lambda said: made.append(said) if " INDEX CONCURRENTLY ix_entry" in said else None
    ):
        bring(master, "0057")
    assert len(made) == 2
    assert "data.settled" in str(
        ask(master, "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_entry_data_settled'")
    )
    bring(master, "0056", back=True)
    assert ask(master, "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'ix_entry_data%'") == 0


def test_openings_stay_as_they_are_and_their_indexes_are_made_while_gifts_go_on(master: Database) -> None:
    bring(master, "0052", back=True)
    run(
        master,
        r"INSERT INTO opening (entry_id, sealed) VALUES ('ent_1', '\x0102')",
        "ALTER TABLE opening ADD COLUMN donation_id text",  # as if cut off before
        "CREATE INDEX ix_opening_leaf ON opening (entry_id)",
    )
    made: list[str] = []
    with before_each(
        master,
        lambda said: made.append(said) if "CREATE INDEX" in said else None,
    ):
        bring(master, "0054")
    assert len(made) == 5
    assert all("CREATE INDEX CONCURRENTLY" in statement for statement in made)
    assert ask(master, "SELECT sealed || coalesce(donation_id, '')::bytea FROM opening") == b"\1\2"
    run(master, r"INSERT INTO opening (entry_id, sealed) VALUES ('ent_2', '\x03000000010000000000000007')")
    with pytest.raises(ProgrammingError, match="openings are sealed under leaves: there is no way back"):
        bring(master, "0052", back=True)
