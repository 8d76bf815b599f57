"""Amounts in the browser: integers throughout, per currency, exact at any size."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from tests.browser.pages_code import run_in_node
from tests.hypothesis_profiles import examples

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def money(run_module: Callable[[str], Page]) -> Page:
    return run_module("src/money.ts")


def _parse(page: Page, typed: str, currency: str) -> str | None:
    script = "([typed, currency]) => module.parseAmount(typed, currency).minorUnits?.toString() ?? null"
    units: str | None = page.evaluate(script, [typed, currency])
    return units


@pytest.mark.parametrize(
    ("typed", "currency", "units"),
    [
        ("25", "EUR", "2500"),
        ("25.00", "EUR", "2500"),
        ("25,5", "EUR", "2550"),
        (" 0.01 ", "EUR", "1"),
        ("025", "EUR", "2500"),
        ("0.29", "EUR", "29"),  # 0.29 * 100 is 28.999999999999996 in floating point
        ("1.005", "KWD", "1005"),
        ("1,2", "KWD", "1200"),
        ("2500", "JPY", "2500"),
        ("25.", "EUR", None),
        (".5", "EUR", None),
        ("25.0", "JPY", None),
        ("25.001", "EUR", None),
        ("1,234", "EUR", None),
        ("1 234", "EUR", None),
        ("+1", "EUR", None),
        ("1e2", "EUR", None),
        ("0x10", "EUR", None),
        ("٢٥", "EUR", None),
        ("9999999999.99", "EUR", "999999999999"),
        ("10000000000", "EUR", None),
    ],
)
def test_what_people_type_is_read_without_guessing(
    money: Page, typed: str, currency: str, units: str | None
) -> None:
    assert _parse(money, typed, currency) == units


@pytest.mark.parametrize(
    ("units", "currency", "shown"),
    [
        ("2500", "EUR", "€25.00"),
        ("1", "EUR", "€0.01"),
        ("123456789012345678901", "GBP", "£1,234,567,890,123,456,789.01"),
        ("2500", "JPY", "JP¥2,500"),
        ("1234567", "KWD", "KWD\u00a01,234.567"),
        ("2500", "XXQ", "XXQ\u00a025.00"),
    ],
)
def test_amounts_are_written_with_their_currency_s_digits(
    money: Page, units: str, currency: str, shown: str
) -> None:
    script = "([units, currency]) => module.formatMoney({minorUnits: BigInt(units), currency}, 'en-GB')"
    assert money.evaluate(script, [units, currency]) == shown


@settings(
    max_examples=examples(day=50, night=400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(units=st.integers(1, 10**12 - 1), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_the_amount_field_reads_back_what_it_shows(money: Page, units: int, currency: str) -> None:
    script = "([units, currency]) => module.decimalText({minorUnits: BigInt(units), currency})"
    assert _parse(money, money.evaluate(script, [str(units), currency]), currency) == str(units)


@pytest.mark.parametrize(
    ("units", "currency", "sentence"),
    [
        (100, "EUR", None),
        (99, "EUR", "Give at least €1.00 and at most €999,999.99."),
        (100, "JPY", None),
        (100_000_000, "JPY", "Give at least JP¥100 and at most JP¥99,999,999."),
        (5_120, "KWD", None),
        (5_124, "KWD", "Give in steps of KWD\u00a00.010, such as KWD\u00a05.120 or KWD\u00a05.130."),
        (
            2_500,
            "SEK",
            "Gifts are not taken in SEK: use a link with one of EUR, GBP, USD, CHF, CAD, AUD, JPY, KWD.",
        ),
    ],
)
def test_what_cannot_be_taken_is_said_in_one_sentence(
    units: int, currency: str, sentence: str | None
) -> None:
    script = """([units, currency]) => {
        const said = module.limitFault({ minorUnits: BigInt(units), currency });
        return said === null ? null : said(module.speechIn("en"));
    }"""
    sources = ("src/currencies.ts", "src/donate/language.ts")
    assert run_in_node(sources, script, [str(units), currency], languages=["en-GB"]) == sentence
