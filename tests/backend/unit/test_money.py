import pytest

from amply.kernel.errors import InvariantViolation
from amply.kernel.money import (
    AmountNotAcceptable,
    CurrencyMismatch,
    CurrencyNotSupported,
    Money,
    format_minor_units,
)


def test_an_amount_is_read_from_a_string_of_minor_units() -> None:
    assert Money.parse_gift(minor_units="2500", currency="EUR") == Money(minor_units=2500, currency="EUR")


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "1.50", "25,00", "1e3", "٢٥٠٠", " 2500", "2500 ", "99", "100000000", "9" * 19]
)
def test_an_amount_that_is_no_gift_is_refused(text: str) -> None:
    with pytest.raises(AmountNotAcceptable):
        Money.parse_gift(minor_units=text, currency="EUR")


@pytest.mark.parametrize("code", ["eur", "XXX", "", "EURO", "JPY"])
def test_a_currency_outside_the_table_is_refused(code: str) -> None:
    with pytest.raises(CurrencyNotSupported):
        Money.parse_gift(minor_units="2500", currency=code)


def test_currencies_never_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(minor_units=1, currency="EUR") + Money(minor_units=1, currency="USD")


def test_a_float_is_no_amount() -> None:
    with pytest.raises(InvariantViolation):
        Money(minor_units=25.0, currency="EUR")  # type: ignore[arg-type] # what a careless caller would do


@pytest.mark.parametrize(
    ("minor_units", "text"), [(2500, "25.00 EUR"), (5, "0.05 EUR"), (-199, "-1.99 EUR"), (0, "0.00 EUR")]
)
def test_an_amount_is_written_for_people(minor_units: int, text: str) -> None:
    assert format_minor_units(minor_units, "EUR") == text
    assert str(Money(minor_units=minor_units, currency="EUR")) == text
