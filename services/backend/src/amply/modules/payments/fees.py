"""The processor's published fees, and the surcharge with which a gift arrives in full.

    total = ceil((gift + fixed) / (1 - rate))

is the least payment that leaves the gift after the fee, whichever way the processor rounds. It is a quote: cards from
abroad, premium cards and negotiated prices cost otherwise, and the true fee is known from the balance transaction alone
(ADR 0084).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from amply.kernel.errors import invariant
from amply.kernel.money import Money, currency_of

_WHOLE: Final = 10_000
_EURO_AREA: Final = frozenset(
    (
        *("AT", "BE", "BG", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT", "SI", "SK"),
    )
)


class Method(StrEnum):
    """How a donor pays, in the processor's words."""

    CARD = "card"
    SEPA_DEBIT = "sepa_debit"
    US_BANK_ACCOUNT = "us_bank_account"


@dataclass(frozen=True, kw_only=True)
class Fee:
    """The published fee of a payment in the account's home currency, in minor units.

    Attributes:
        countries: Of the accounts it holds for, ISO 3166-1 alpha-2.
        rate: Basis points of the payment.
        fixed: Beside the rate.
        cap: The rate's part is never more.
        source: Where it is published; "as others quote it" where Stripe's own page has not been read.
        seen: When it was looked up last.
    """

    method: Method
    countries: frozenset[str]
    currency: str
    rate: int
    fixed: int
    cap: int | None = None
    source: str
    seen: date

    def __post_init__(self) -> None:
        invariant(0 <= self.rate < _WHOLE and self.fixed >= 0, "a fee is less than its payment")

    def of(self, total: int) -> Fraction:
        """The fee of a payment, before rounding."""
        share = Fraction(total * self.rate, _WHOLE)
        return self.fixed + (share if self.cap is None else min(share, Fraction(self.cap)))

    def total_for(self, gift: int, *, step: int = 1) -> int:
        """The smallest payment that leaves the gift after the fee, in steps."""
        exact = _rounded_up((gift + self.fixed) * _WHOLE, _WHOLE - self.rate)
        if self.cap is not None:
            exact = min(exact, gift + self.fixed + self.cap)
        return _rounded_up(exact, step) * step


@dataclass(frozen=True, kw_only=True)
class FeeCover:
    """The surcharge on a gift for one payment method."""

    method: Method
    amount: Money


_SEEN: Final = date(2026, 11, 26)


def _card(countries: frozenset[str], currency: str, rate: int, fixed: int, source: str) -> Fee:
    return Fee(
        method=Method.CARD,
        countries=countries,
        currency=currency,
        rate=rate,
        fixed=fixed,
        source=source,
        seen=_SEEN,
    )


FEES: Final = (
    _card(
        _EURO_AREA,
        "EUR",
        150,
        25,
        "support.stripe.com/questions/april-2023-pricing-updates-for-businesses-based-in-europe (standard EEA cards)",
    ),
    _card(
        frozenset({"GB"}),
        "GBP",
        150,
        20,
        "support.stripe.com/questions/pricing-updates-for-businesses-in-the-united-kingdom (standard UK cards)",
    ),
    _card(frozenset({"US"}), "USD", 290, 30, "stripe.com/pricing (domestic cards)"),
    _card(
        frozenset({"CH"}),
        "CHF",
        290,
        30,
        "support.stripe.com/questions/pricing-updates-for-businesses-in-switzerland (Swiss cards)",
    ),
    _card(frozenset({"CA"}), "CAD", 290, 30, "stripe.com/ca/pricing (domestic cards), as others quote it"),
    _card(
        frozenset({"AU"}),
        "AUD",
        170,
        30,
        "support.stripe.com/questions/april-2024-pricing-update-for-businesses-on-standard-pricing-in-australia",
    ),
    _card(frozenset({"JP"}), "JPY", 360, 0, "stripe.com/jp/pricing, as others quote it"),
    Fee(
        method=Method.SEPA_DEBIT,
        countries=_EURO_AREA,
        currency="EUR",
        rate=0,
        fixed=35,
        source="support.stripe.com/questions/april-2023-pricing-updates-for-businesses-based-in-europe",
        seen=_SEEN,
    ),
    Fee(
        method=Method.US_BANK_ACCOUNT,
        countries=frozenset({"US"}),
        currency="USD",
        rate=80,
        fixed=0,
        cap=500,
        source="stripe.com/pricing (ACH Direct Debit)",
        seen=_SEEN,
    ),
)
"""By method and country of the account. Payments with currency conversion have no published price, so no row."""


def fee_covers(*, country: str, gift: Money) -> Sequence[FeeCover]:
    """The fee cover of a gift to an account in this country, for each payment method with a price there.

    Raises:
        CurrencyNotSupported: Nothing can be given in this currency.
    """
    rules = currency_of(gift.currency)
    covers = []
    for fee in FEES:
        if country not in fee.countries or fee.currency != gift.currency:
            continue
        total = fee.total_for(gift.minor_units, step=rules.step)
        if total <= rules.gift_max:
            added = Money(minor_units=total, currency=gift.currency) - gift
            covers.append(FeeCover(method=fee.method, amount=added))
    return covers


def _rounded_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
