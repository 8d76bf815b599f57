"""Money: an integer count of a currency's minor units. Never a float, never a bare number."""

import re
from dataclasses import dataclass
from typing import Final, Self

from amply.kernel.errors import InvalidRequest, invariant

_DIGITS: Final = re.compile(r"[0-9]{1,19}")
_DECIMAL: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,4}))?")


class CurrencyMismatch(Exception):
    """Arithmetic on amounts of different currencies. Nothing converts implicitly."""


class AmountNotAcceptable(InvalidRequest):
    """An amount is not a number of minor units, or outside what its currency allows."""

    code = "amount_not_acceptable"


class CurrencyNotSupported(InvalidRequest):
    """Gifts cannot be taken in this currency."""

    code = "currency_not_supported"


@dataclass(frozen=True, kw_only=True)
class Currency:
    """Properties of a currency. Amounts are minor units.

    Attributes:
        code: ISO 4217 code, upper case.
        exponent: Decimal digits of the minor unit (2: cents; 0: the unit itself; 3: thousandths).
        charge_min: The smallest charge that Stripe takes; None where it publishes none (the settlement currency's counts).
        gift_min: The smallest gift that we take, never below `charge_min`.
        gift_max: The largest payment that we take, a donor's fee cover included: Stripe's eight digits.
        step: Amounts are multiples of it. Stripe's partners want the last of three decimals to be 0.

    Source of `charge_min`, `gift_max` and `step`: docs.stripe.com/currencies, "Minimum and maximum charge amounts" and
    "Three-decimal currencies".
    """

    code: str
    exponent: int
    charge_min: int | None
    gift_min: int
    gift_max: int = 99_999_999
    step: int = 1

    def __post_init__(self) -> None:
        invariant(self.gift_min >= (self.charge_min or 1), "a gift is at least what Stripe takes")
        invariant(
            self.gift_min % self.step == self.gift_max % self.step == 0, "limits are in the currency's steps"
        )

    def accepts(self, minor_units: int) -> bool:
        """Whether a payment may have this amount."""
        return self.gift_min <= minor_units <= self.gift_max and minor_units % self.step == 0


CURRENCIES: Final = {
    currency.code: currency
    for currency in (
        Currency(code="EUR", exponent=2, charge_min=50, gift_min=100),
        Currency(code="GBP", exponent=2, charge_min=30, gift_min=100),
        Currency(code="USD", exponent=2, charge_min=50, gift_min=100),
        Currency(code="CHF", exponent=2, charge_min=50, gift_min=100),
        Currency(code="CAD", exponent=2, charge_min=50, gift_min=100),
        Currency(code="AUD", exponent=2, charge_min=50, gift_min=100),
        Currency(code="JPY", exponent=0, charge_min=50, gift_min=100),
        Currency(code="KWD", exponent=3, charge_min=None, gift_min=500, gift_max=99_999_990, step=10),
    )
}
"""The currencies that gifts are taken in. One more is a row here, in the database's `currency` and in the donation page's
currencies.ts: a test holds the three together (docs/payments.md)."""


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
    def parse(cls, *, minor_units: str, currency: str) -> Self:
        """Read an amount of any size as it arrives over the wire: minor units as a decimal string.

        Raises:
            CurrencyNotSupported: The currency is not in the table.
            AmountNotAcceptable: Not a whole number.
        """
        rules = currency_of(currency)
        if not _DIGITS.fullmatch(minor_units):
            example = 25 * 10**rules.exponent
            raise AmountNotAcceptable(
                f"Give the amount as a whole number of minor units in a string, such as '{example}' for "
                f"{format_minor_units(example, currency)}.",
                param="amount.minor_units",
            )
        return cls(minor_units=int(minor_units), currency=currency)

    @classmethod
    def parse_gift(cls, *, minor_units: str, currency: str) -> Self:
        """Read a gift's amount as it arrives over the wire: minor units as a decimal string.

        Raises:
            CurrencyNotSupported: The currency is not in the table.
            AmountNotAcceptable: Not a whole number, below the currency's minimum, above its maximum, or between its steps.
        """
        rules, amount = (
            currency_of(currency),
            cls.parse(minor_units=minor_units, currency=currency).minor_units,
        )
        if not rules.gift_min <= amount <= rules.gift_max:
            raise AmountNotAcceptable(
                f"Give at least {format_minor_units(rules.gift_min, currency)} "
                f"and at most {format_minor_units(rules.gift_max, currency)}.",
                param="amount.minor_units",
            )
        if amount % rules.step:
            below = amount - amount % rules.step
            raise AmountNotAcceptable(
                f"Give {currency} in steps of {format_minor_units(rules.step, currency)}, such as "
                f"{format_minor_units(below, currency)} or {format_minor_units(below + rules.step, currency)}.",
                param="amount.minor_units",
            )
        return cls(minor_units=amount, currency=currency)

    @classmethod
    def from_decimal(cls, text: str, *, currency: str) -> Self:
        """Parse a decimal amount such as `5` or `5.00`. Excess digits are refused, not rounded.

        Raises:
            ValueError: Not such a number, not above zero, or between the currency's steps.
        """
        found = _DECIMAL.fullmatch(text)
        exponent = exponent_of(currency)
        whole, fraction = (found[1], found[2] or "") if found else ("", "")
        if not whole or len(fraction) > exponent or int(whole + fraction) == 0:
            raise ValueError(text)
        minor_units = int(whole + fraction.ljust(exponent, "0"))
        if currency in CURRENCIES and minor_units % CURRENCIES[currency].step:
            raise ValueError(text)
        return cls(minor_units=minor_units, currency=currency)

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


def exponent_of(currency: str) -> int:
    """Decimal digits of a currency's minor unit. One that is not in the table is taken to have two."""
    return CURRENCIES[currency].exponent if currency in CURRENCIES else 2


def format_minor_units(minor_units: int, currency: str) -> str:
    """Write an amount for people: `25.00 EUR`. A currency that is not in the table is taken to have two digits."""
    exponent = exponent_of(currency)
    sign = "-" if minor_units < 0 else ""
    digits = str(abs(minor_units)).rjust(exponent + 1, "0")
    whole, fraction = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    return f"{sign}{whole}{'.' if fraction else ''}{fraction} {currency}"
