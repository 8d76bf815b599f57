"""Row-level security: a request that is bound to an organisation sees its books, and one that is not sees none."""
# ruff: noqa: S608 -- statements are put together from this file's own words

from collections.abc import Iterator
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from amply.infra.database import Database
from amply.modules import ledger
from amply.modules.ledger import postings
from tests.backend.conftest import Databases
from tests.backend.ledger_world import BIZ, NOW, ORG, OTHER_ORG, LedgerWorld
from tests.backend.unit.test_postings import euros

GUARDED: Final = (
    "account",
    "account_closure",
    "balance",
    "entry",
    "opening",
    "posting",
    "spendable",
    "transfer",
)
SHOWN_TO_THE_API: Final = {
    "account": "owner",
    "balance": "account",
    "entry": "organization_id",
    "posting": "(SELECT owner FROM account WHERE number = posting.account)",
    "transfer": "debit",
}
"""What the API may read at all, and whose a row is."""


@pytest.fixture
def api(databases: Databases) -> Iterator[Database]:
    opened = databases.as_role("amply_api", pool_size=1)
    yield opened
    opened.close()


@pytest.fixture
def two(books: LedgerWorld) -> LedgerWorld:
    """The books of two organisations, the platform and a business, in every guarded table."""
    for organization_id in (ORG, OTHER_ORG):
        books.post(organization_id=organization_id, personal={"donor_name": "Zoë"})
        books.book(
            postings.reserve(postings.payout_created(owner=organization_id, amount=euros(10))),
            organization_id=organization_id,
        )
        books.book(
            postings.application_fee(organization_id=organization_id, amount=euros(20)),
            organization_id=organization_id,
        )
        with books.app.transaction() as session:
            ledger.close_account(
                session, account=f"{organization_id}/gifts", currency="EUR", reason="left", now=NOW
            )
    books.book(postings.match_pledged(business_id=BIZ, amount=euros(500)), organization_id=BIZ)
    books.sequence()
    return books


def owners(database: Database, table: str, *, bound_to: str | None) -> set[str]:
    with database.transaction(organization_id=bound_to) as session:
        rows = session.scalars(text(f"SELECT {SHOWN_TO_THE_API[table]} FROM {table}"))
        return {str(owner).partition("/")[0] for owner in rows}


@pytest.mark.parametrize("table", SHOWN_TO_THE_API)
@pytest.mark.usefixtures("two")
def test_who_is_bound_sees_its_own_and_who_forgot_sees_nothing(table: str, api: Database) -> None:
    for organization_id in (ORG, OTHER_ORG, BIZ):
        assert owners(api, table, bound_to=organization_id) == {organization_id}
    assert owners(api, table, bound_to=None) == set()
    assert owners(api, table, bound_to="") == set()
    assert owners(api, table, bound_to="org_") == set()
    assert owners(api, table, bound_to="%") == set()


@pytest.mark.usefixtures("two")
def test_a_connection_forgets_whom_it_was_bound_to(api: Database) -> None:
    """The pool has one connection: the second unit of work gets the first one's."""
    assert owners(api, "entry", bound_to=ORG) == {ORG}
    assert owners(api, "entry", bound_to=None) == set()

    def fail() -> None:
        with api.transaction(organization_id=ORG):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fail()
    assert owners(api, "entry", bound_to=None) == set()


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.usefixtures("two")
def test_every_table_that_tells_of_one_organisation_is_guarded(table: str, databases: Databases) -> None:
    """Even where the API has no right to look: should it ever be given one, it sees its own."""
    master = databases.as_role("master")
    with master.transaction() as session:
        total = session.scalar(text(f"SELECT count(*) FROM {table}"))
        session.execute(text(f"GRANT SELECT ON {table}, entry, account TO amply_api"))
        session.execute(text("SET LOCAL ROLE amply_api"))
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
        session.execute(text(f"SET LOCAL amply.organization_id = '{ORG}'"))
        own = session.scalar(text(f"SELECT count(*) FROM {table}"))
        session.execute(text(f"SET LOCAL amply.organization_id = '{OTHER_ORG}'"))
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == own
        assert 0 < own < total
        session.rollback()
    master.close()


@pytest.mark.parametrize("user", ["amply_app", "amply_operator", "amply_sequencer", "amply_read"])
@pytest.mark.usefixtures("two")
def test_who_works_for_everyone_sees_everyone_by_a_policy_of_its_own(user: str, databases: Databases) -> None:
    role = databases.as_role(user)
    for table in SHOWN_TO_THE_API:
        assert owners(role, table, bound_to=None) >= {ORG, OTHER_ORG}
        assert owners(role, table, bound_to=ORG) >= {ORG, OTHER_ORG}
    with role.transaction() as session:
        assert session.scalar(text("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user")) is False
    role.close()


@pytest.mark.usefixtures("two")
def test_the_api_reads_an_organisations_statement(api: Database) -> None:
    account = f"{ORG}/processor_balance"
    with api.transaction(organization_id=ORG) as session:
        mine = ledger.statement(session, account=account, currency="EUR")
        held = ledger.balances_of(session, owner=ORG)
    with api.transaction(organization_id=OTHER_ORG) as session:
        theirs = ledger.statement(session, account=account, currency="EUR")
        others = ledger.balances_of(session, owner=ORG)

    assert [line.kind for line in mine.lines] == ["donation.succeeded", "a.b", "a.b"]
    assert mine.closing.minor_units == 2480
    assert len(held) == 4
    assert theirs.lines == ()
    assert others == []


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.usefixtures("two")
def test_the_api_writes_none_of_it(table: str, api: Database) -> None:
    for statement in (f"INSERT INTO {table} DEFAULT VALUES", f"DELETE FROM {table}"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            api.transaction(organization_id=ORG) as session,
        ):
            session.execute(text(statement))


@pytest.mark.usefixtures("two")
def test_nobody_looks_behind_it_through_a_function_of_the_owner(api: Database) -> None:
    for call in (
        f"standing_balance('{OTHER_ORG}/gifts', 'EUR')",
        "reserve_payout('x')",
        "check_reversal('x', 'y')",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            api.transaction(organization_id=ORG) as session,
        ):
            session.execute(text(f"SELECT {call}"))


@pytest.mark.usefixtures("two")
def test_freshness_is_told_without_showing_an_entry(api: Database) -> None:
    with api.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM entry")) == 0
        assert session.scalar(text("SELECT oldest_unpublished()")) == NOW
