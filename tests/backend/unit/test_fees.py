"""Covering the processor's fee: never too little, never more than that takes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.kernel.errors import InvariantViolation
from amply.kernel.money import CURRENCIES, Money
from amply.modules.payments import Fee, Method, fee_covers
from amply.modules.payments.fees import FEES

fees = st.builds(
    Fee,
    method=st.just(Method.CARD),
    countries=st.just(frozenset({"DE"})),
    currency=st.just("EUR"),
    rate=st.integers(0, 9_000),
    fixed=st.integers(0, 1_000),
    cap=st.none() | st.integers(0, 2_000),
    source=st.just("a test"),
    seen=st.just(date(2026, 11, 26)),
)
gifts = st.integers(1, 99_999_999)
steps = st.sampled_from([1, 10])


@given(fee=fees, gift=gifts, step=steps)
def test_the_gift_is_left_whichever_way_the_processor_rounds(fee: Fee, gift: int, step: int) -> None:
    total = fee.total_for(gift, step=step)
    exact = fee.of(total)
    rounded_up = -(-exact.numerator // exact.denominator)
    assert total - exact >= gift
    assert total - rounded_up >= gift
    assert total % step == 0


@given(fee=fees, gift=gifts, step=steps)
def test_one_step_less_would_not_cover_it(fee: Fee, gift: int, step: int) -> None:
    less = fee.total_for(gift, step=step) - step
    assert less - fee.of(less) < gift


@given(fee=fees, gift=gifts)
def test_a_larger_gift_never_costs_less(fee: Fee, gift: int) -> None:
    assert fee.total_for(gift + 1) > fee.total_for(gift)


@given(gift=gifts, rate=st.integers(0, 9_000), fixed=st.integers(0, 1_000))
def test_covering_inverts_the_fee(gift: int, rate: int, fixed: int) -> None:
    """ceil((gift + fixed) / (1 - rate)), computed another way: by looking for the least total."""
    fee = Fee(
        method=Method.CARD,
        countries=frozenset(),
        currency="EUR",
        rate=rate,
        fixed=fixed,
        source="a test",
        seen=date(2026, 11, 26),
    )
    low, high = gift, 11 * (gift + fixed)
    while low < high:
        middle = (low + high) // 2
        if middle - fee.of(middle) >= gift:
            high = middle
        else:
            low = middle + 1
    assert fee.total_for(gift) == low


def test_a_percentage_of_the_gift_would_not_do() -> None:
    """500 EUR by a German card: 7.50 + 0.25 on top leaves 499.88."""
    (card, debit) = fee_covers(country="DE", gift=Money(minor_units=50_000, currency="EUR"))
    assert (card.method, card.amount) == (Method.CARD, Money(minor_units=787, currency="EUR"))
    assert (debit.method, debit.amount) == (Method.SEPA_DEBIT, Money(minor_units=35, currency="EUR"))


def test_a_cap_ends_the_rate() -> None:
    (_, small), (_, large) = (
        fee_covers(country="US", gift=Money(minor_units=minor_units, currency="USD"))
        for minor_units in (10_000, 500_000)
    )
    assert (small.amount.minor_units, large.amount.minor_units) == (81, 500)


@pytest.mark.parametrize(
    ("country", "currency"), [("DE", "USD"), ("GB", "EUR"), ("KW", "KWD"), ("BR", "USD"), ("US", "KWD")]
)
def test_what_nobody_publishes_is_not_quoted(country: str, currency: str) -> None:
    assert fee_covers(country=country, gift=Money(minor_units=10_000, currency=currency)) == []


def test_a_payment_that_would_be_too_large_is_not_quoted() -> None:
    assert fee_covers(country="DE", gift=Money(minor_units=99_999_999, currency="EUR")) == []


@pytest.mark.parametrize("fee", FEES, ids=lambda fee: f"{fee.method}-{fee.currency}")
def test_every_price_is_of_a_currency_we_take_and_says_where_it_stands(fee: Fee) -> None:
    assert fee.currency in CURRENCIES
    assert "stripe.com/" in fee.source
    assert fee.countries


def test_no_two_prices_are_for_the_same_payment() -> None:
    for_payment = [(fee.method, country, fee.currency) for fee in FEES for country in fee.countries]
    assert len(for_payment) == len(set(for_payment))


def test_a_price_above_the_payment_is_no_price() -> None:
    with pytest.raises(InvariantViolation):
        Fee(
            method=Method.CARD,
            countries=frozenset(),
            currency="EUR",
            rate=10_000,
            fixed=0,
            source="a test",
            seen=date(2026, 11, 26),
        )
