"""One table of currencies in three places: the API's, the database's and the donation page's."""

import re
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from amply.infra.database import Database
from amply.infra.multi_table_insert import insert_rows
from amply.infra.roles import MIGRATOR
from amply.kernel.money import CURRENCIES, Currency, Money
from amply.modules import payments
from tests.backend.conftest import Databases
from tests.backend.world import NOW, FakeProcessor, ready_organization

ROOT: Final = Path(__file__).parents[3]
_ROW: Final = re.compile(r'\["([A-Z]{3})", \{ least: ([0-9_]+)n, most: ([0-9_]+)n, step: ([0-9_]+)n \}\]')
_EXPONENTS: Final = re.compile(r'\.\.\."([A-Z ]+)"\.split\(" "\)\.map\(\(code\) => \[code, (\d)\]')


def rows() -> dict[str, tuple[int, int, int, int]]:
    return {
        each.code: (each.exponent, each.step, each.gift_min, each.gift_max) for each in CURRENCIES.values()
    }


def test_the_database_has_the_same_currencies(databases: Databases) -> None:
    migrator = databases.as_role(MIGRATOR)
    with migrator.transaction() as session:
        session.execute(text("SET LOCAL ROLE amply_owner"))
        found = session.execute(text("SELECT code, exponent, step, gift_min, gift_max FROM currency"))
        assert {code: tuple(rest) for code, *rest in found} == rows()
    migrator.close()


def test_the_donation_page_has_the_same_currencies() -> None:
    source = ROOT / "services" / "widgets" / "src"
    exponents = {
        code: int(digits)
        for codes, digits in _EXPONENTS.findall((source / "money.ts").read_text())
        for code in codes.split()
    }
    found = {
        code: (exponents.get(code, 2), int(step), int(least), int(most))
        for code, least, most, step in _ROW.findall((source / "currencies.ts").read_text())
    }
    assert found == rows()


def pay(database: Database, minor_units: int, currency: str) -> None:
    """Record a payment past every check of the application's."""
    organization_id = ready_organization(database, FakeProcessor())
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO donation (id, organization_id, minor_units, currency, status, created_at, updated_at) "
                "VALUES ('don_1', :organization, :minor_units, :currency, 'pending', :now, :now)"
            ),
            {"organization": organization_id, "minor_units": minor_units, "currency": currency, "now": NOW},
        )
        _, row = payments.intended(
            donation_id="don_1",
            organization_id=organization_id,
            account_id="acct_1",
            amount=Money(minor_units=minor_units, currency=currency),
            now=NOW,
        )
        insert_rows(session, row)


@pytest.mark.parametrize("currency", CURRENCIES.values(), ids=lambda currency: currency.code)
def test_the_database_takes_the_least_payment(currency: Currency, database: Database) -> None:

    pay(database, currency.gift_min, currency.code)


@pytest.mark.parametrize(
    ("minor_units", "currency"),
    [(99, "EUR"), (100_000_000, "EUR"), (99, "JPY"), (490, "KWD"), (5_124, "KWD"), (2_500, "SEK")],
)
def test_the_database_refuses_what_no_currency_takes(
    minor_units: int, currency: str, database: Database
) -> None:
    with pytest.raises(IntegrityError) as refused:
        pay(database, minor_units, currency)
    assert refused.value.orig.diag.constraint_name == "payment_within_limits"  # type: ignore[union-attr] # psycopg's
