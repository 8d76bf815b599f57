"""Money: an integer count of a currency's minor unit. Never a float, never a bare number."""

import re
from dataclasses import dataclass
from typing import Final, Self

from amply.kernel.errors import InvalidRequest, invariant

MINOR_UNITS_MAX: Final = 99_999_999
"""The largest single amount: what Stripe accepts for one charge (docs.stripe.com/currencies, "eight digits")."""

_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,4}))?")


class CurrencyMismatch(Exception):
    """Two amounts of different currencies met. Nothing converts implicitly."""


class AmountNotAcceptable(InvalidRequest):
    """An amount is not a number of minor units, or outside what its currency allows."""

    code = "amount_not_acceptable"


class CurrencyNotSupported(InvalidRequest):
    """Gifts cannot be taken in this currency."""

    code = "currency_not_supported"


@dataclass(frozen=True, kw_only=True)
class Currency:
    """What is known of one currency.

    Attributes:
        code: ISO 4217 code, upper case.
        exponent: Decimal digits of the minor unit (2: cents; 0: the unit itself; 3: thousandths).
        gift_min: Smallest gift, minor units (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, rounded up).
    """

    code: str
    exponent: int
    gift_min: int


CURRENCIES: Final = {
    currency.code: currency
    for currency in (
        Currency(code="EUR", exponent=2, gift_min=100),
        Currency(code="GBP", exponent=2, gift_min=100),
        Currency(code="USD", exponent=2, gift_min=100),
        Currency(code="CHF", exponent=2, gift_min=100),
    )
}


def currency_of(code: str) -> Currency:
    """Look a currency up by its ISO 4217 code.

    Raises:
        CurrencyNotSupported: It is not in the table.
    """
    try:
        return CURRENCIES[code]
    except KeyError:
        known = ", ".join(CURRENCIES)
        raise CurrencyNotSupported(f"Use one of {known} as currency.", param="amount.currency") from None


@dataclass(frozen=True, kw_only=True, order=False)
class Money:
    """An amount in minor units with its currency. Arithmetic across currencies raises.

    Attributes:
        minor_units: Signed count of the minor unit.
        currency: ISO 4217 code, upper case.
    """

    minor_units: int
    currency: str

    def __post_init__(self) -> None:
        invariant(type(self.minor_units) is int, "minor units are an int")
        invariant(len(self.currency) == 3 and self.currency.isupper(), "a currency is an ISO 4217 code")  # noqa: PLR2004 -- the length of an ISO code

    @classmethod
    def parse_gift(cls, *, minor_units: str, currency: str) -> Self:
        """Read a gift's amount as it arrives over the wire: minor units as a decimal string.

        Raises:
            CurrencyNotSupported: The currency is not in the table.
            AmountNotAcceptable: Not a whole number, zero, negative, below the currency's minimum or above the maximum.
        """
        rules = currency_of(currency)
        if not _DIGITS.fullmatch(minor_units):
            raise AmountNotAcceptable(
                "Give the amount as a whole number of minor units in a string, such as '2500' for 25.00.",
                param="amount.minor_units",
            )
        amount = int(minor_units)
        if not rules.gift_min <= amount <= MINOR_UNITS_MAX:
            raise AmountNotAcceptable(
                f"Give at least {format_minor_units(rules.gift_min, currency)} "
                f"and at most {format_minor_units(MINOR_UNITS_MAX, currency)}.",
                param="amount.minor_units",
            )
        return cls(minor_units=amount, currency=currency)

    @classmethod
    def from_decimal(cls, text: str, *, currency: str) -> Self:
        """Read an amount as people write it: `5`, `5.00`. Digits that the currency does not have are refused, not rounded.

        Raises:
            ValueError: Not such a number, or not above zero.
        """
        found = _DECIMAL.fullmatch(text)
        exponent = CURRENCIES[currency].exponent if currency in CURRENCIES else 2
        whole, fraction = (found[1], found[2] or "") if found else ("", "")
        if not whole or len(fraction) > exponent or int(whole + fraction) == 0:
            raise ValueError(text)
        return cls(minor_units=int(whole + fraction.ljust(exponent, "0")), currency=currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(minor_units=self.minor_units + self._same(other), currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(minor_units=self.minor_units - self._same(other), currency=self.currency)

    def __str__(self) -> str:
        return format_minor_units(self.minor_units, self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor_units


def format_minor_units(minor_units: int, currency: str) -> str:
    """Write an amount for people: `25.00 EUR`. A currency that is not in the table is taken to have two digits."""
    exponent = CURRENCIES[currency].exponent if currency in CURRENCIES else 2
    sign = "-" if minor_units < 0 else ""
    digits = str(abs(minor_units)).rjust(exponent + 1, "0")
    whole, fraction = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    return f"{sign}{whole}{'.' if fraction else ''}{fraction} {currency}"
