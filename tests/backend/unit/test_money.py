import pytest

from amply.kernel.errors import InvariantViolation
from amply.kernel.money import (
    CURRENCIES,
    AmountNotAcceptable,
    Currency,
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


@pytest.mark.parametrize("code", ["eur", "XXX", "", "EURO", "SEK"])
def test_a_currency_outside_the_table_is_refused(code: str) -> None:
    with pytest.raises(CurrencyNotSupported):
        Money.parse_gift(minor_units="2500", currency=code)


@pytest.mark.parametrize("currency", CURRENCIES.values(), ids=lambda currency: currency.code)
def test_every_currency_takes_what_lies_within_its_limits_and_nothing_else(currency: Currency) -> None:
    def accepts(minor_units: int) -> bool:
        try:
            Money.parse_gift(minor_units=str(minor_units), currency=currency.code)
        except AmountNotAcceptable:
            return False
        return True

    least, most, step = currency.gift_min, currency.gift_max, currency.step
    assert accepts(least)
    assert accepts(most)
    assert accepts(least + step)
    assert not accepts(least - step)
    assert not accepts(most + step)
    assert step == 1 or not accepts(least + 1)
    assert least >= (currency.charge_min or 1)


@pytest.mark.parametrize(
    ("minor_units", "currency", "sentence"),
    [
        ("x", "EUR", "'2500' for 25.00 EUR."),
        ("x", "JPY", "'25' for 25 JPY."),
        ("x", "KWD", "'25000' for 25.000 KWD."),
        ("99", "JPY", "Give at least 100 JPY and at most 99999999 JPY."),
        ("490", "KWD", "Give at least 0.500 KWD and at most 99999.990 KWD."),
        ("5124", "KWD", "Give KWD in steps of 0.010 KWD, such as 5.120 KWD or 5.130 KWD."),
    ],
)
def test_a_refusal_is_written_in_the_currencys_own_digits(
    minor_units: str, currency: str, sentence: str
) -> None:
    with pytest.raises(AmountNotAcceptable) as refused:
        Money.parse_gift(minor_units=minor_units, currency=currency)
    assert sentence in refused.value.detail


def test_currencies_never_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(minor_units=1, currency="EUR") + Money(minor_units=1, currency="USD")


def test_a_float_is_no_amount() -> None:
    with pytest.raises(InvariantViolation):
        Money(minor_units=25.0, currency="EUR")  # type: ignore[arg-type] # what a careless caller would do


@pytest.mark.parametrize(
    ("minor_units", "text"),
    [
        (2500, "25.00 EUR"),
        (5, "0.05 EUR"),
        (-199, "-1.99 EUR"),
        (0, "0.00 EUR"),
        (2500, "2500 JPY"),
        (0, "0 JPY"),
        (2500, "2.500 KWD"),
        (5, "0.005 KWD"),
    ],
)
def test_an_amount_is_written_for_people(minor_units: int, text: str) -> None:
    currency = text[-3:]
    assert format_minor_units(minor_units, currency) == text
    assert str(Money(minor_units=minor_units, currency=currency)) == text
