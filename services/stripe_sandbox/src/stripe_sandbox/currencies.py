"""Fees and limits of each currency. Amounts are integers in minor units.

Minimum charges: https://docs.stripe.com/currencies. Fees: the published price of a domestic card in the country
where the currency is at home; the sandbox does not model surcharges for foreign cards.
"""

from dataclasses import dataclass

from stripe_sandbox.errors import ParameterError

# Stripe takes at most eight digits for most currencies.
MAXIMUM_AMOUNT = 99_999_999
_BASIS_POINTS = 10_000
_THREE_DECIMALS = 3


@dataclass(frozen=True, kw_only=True)
class Currency:
    """One currency: `minimum` and `fee_fixed` in minor units, `fee_rate` in basis points."""

    code: str
    exponent: int
    minimum: int
    fee_rate: int
    fee_fixed: int

    def fee(self, amount: int) -> int:
        """Stripe's fee for one card charge of `amount` minor units, rounded half up."""
        return (amount * self.fee_rate + _BASIS_POINTS // 2) // _BASIS_POINTS + self.fee_fixed

    def written(self, amount: int) -> str:
        """For messages: `25.00 eur`."""
        if self.exponent == 0:
            return f"{amount} {self.code}"
        whole, rest = divmod(amount, 10**self.exponent)
        return f"{whole}.{rest:0{self.exponent}d} {self.code}"


_DEBIT_FEES = {"sepa_debit": (0, 35, None), "us_bank_account": (80, 0, 500)}
"""By kind: basis points, what is fixed, and what the former is at most, in the one currency of each."""


def debit_fee(kind: str, amount: int) -> int:
    """Stripe's published fee for one direct debit of `amount` minor units, rounded half up."""
    rate, fixed, cap = _DEBIT_FEES[kind]
    share = (amount * rate + _BASIS_POINTS // 2) // _BASIS_POINTS
    return fixed + (share if cap is None else min(share, cap))


def _currency(code: str, minimum: int, fee_rate: int, fee_fixed: int, exponent: int = 2) -> Currency:
    return Currency(code=code, exponent=exponent, minimum=minimum, fee_rate=fee_rate, fee_fixed=fee_fixed)


CURRENCIES = {
    currency.code: currency
    for currency in (
        _currency("aud", 50, 170, 30),
        _currency("cad", 50, 290, 30),
        _currency("chf", 50, 290, 30),
        _currency("czk", 1500, 150, 650),
        _currency("dkk", 250, 150, 180),
        _currency("eur", 50, 150, 25),
        _currency("gbp", 30, 150, 20),
        _currency("huf", 17500, 150, 8500),
        _currency("jpy", 50, 360, 0, exponent=0),
        # Nobody's account is at home there: the minimum and the price are those of a US account, in dinars.
        _currency("kwd", 160, 290, 100, exponent=3),
        _currency("nok", 300, 240, 200),
        _currency("nzd", 50, 270, 30),
        _currency("pln", 200, 150, 100),
        _currency("ron", 200, 150, 100),
        _currency("sek", 300, 150, 180),
        _currency("usd", 50, 290, 30),
    )
}


def currency_of(code: str) -> Currency:
    """The currency with this ISO code, in either case. Raises ParameterError."""
    found = CURRENCIES.get(code.lower())
    if found is None:
        known = ", ".join(CURRENCIES)
        raise ParameterError(
            f"Invalid currency: {code.lower()}. This sandbox supports these currencies: {known}",
            param="currency",
        )
    return found


def check_amount(amount: int, currency: Currency) -> None:
    """Refuse what Stripe refuses. Raises ParameterError with Stripe's codes."""
    if amount < 1:
        raise ParameterError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount < currency.minimum:
        raise ParameterError(
            f"Amount must be at least {currency.written(currency.minimum)}",
            code="amount_too_small",
            param="amount",
        )
    if currency.exponent == _THREE_DECIMALS and amount % 10:
        # https://docs.stripe.com/currencies#three-decimal
        raise ParameterError(
            f"Invalid amount: the last digit must be 0 for {currency.code}, a three-decimal currency.",
            code="invalid_amount",
            param="amount",
        )
    if amount > MAXIMUM_AMOUNT:
        raise ParameterError(
            f"Amount must be no more than {currency.written(MAXIMUM_AMOUNT)}",
            code="amount_too_large",
            param="amount",
        )
