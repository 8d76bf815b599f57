"""Amounts are divided exactly, and a gift is what its parts are."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.kernel.money import CURRENCIES
from amply.kernel.splitting import divide
from amply.modules.donations.domain import DonationStatus
from amply.modules.donations.split_domain import SplitStatus, status_of_parts
from amply.modules.donations.split_schemas import SplitGiftIn

TOTALS = st.integers(min_value=0, max_value=99_999_999)
SHARES = st.lists(st.integers(min_value=1, max_value=1_000_000), min_size=1, max_size=10)


@given(total=TOTALS, shares=SHARES)
def test_the_parts_add_up_and_each_is_within_one_of_its_proportion(total: int, shares: list[int]) -> None:
    parts = divide(total, shares)

    assert sum(parts) == total
    whole = sum(shares)
    assert all(abs(part * whole - total * share) < whole for part, share in zip(parts, shares, strict=True))


@given(total=TOTALS, shares=SHARES)
def test_a_larger_share_never_gets_less(total: int, shares: list[int]) -> None:
    parts = divide(total, shares)

    for share, part in zip(shares, parts, strict=True):
        assert all(part >= other for less, other in zip(shares, parts, strict=True) if less < share)


@given(total=TOTALS, shares=SHARES, factor=st.integers(min_value=1, max_value=50))
def test_only_the_proportion_counts(total: int, shares: list[int], factor: int) -> None:
    assert divide(total, shares) == divide(total, [share * factor for share in shares])


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (1000, [3, 2], [600, 400]),
        (5, [1, 8], [1, 4]),
        (1, [1, 1], [1, 0]),
    ],
)
def test_what_is_left_goes_to_the_largest_remainder_and_among_equals_to_the_first(
    total: int, shares: list[int], parts: list[int]
) -> None:
    assert divide(total, shares) == parts


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_shares_come_out_in_amounts_that_the_currency_takes(currency: str) -> None:
    """The last of a dinar's three decimals is always 0: a third of ten is no third to the last digit."""
    asked = SplitGiftIn.model_validate(
        {
            "total": {"minor_units": "10000", "currency": currency},
            "parts": [{"organization_id": f"org_{number}", "share": 1} for number in range(3)],
            "donor": {"name": "Ada", "email": "ada@example.org"},
        }
    )

    amounts = [gift.amount.minor_units for gift in asked.split().gifts]
    assert sum(amounts) == 10_000
    assert max(amounts) - min(amounts) == CURRENCIES[currency].step


S, P, W, F, C = (
    DonationStatus.SUCCEEDED,
    DonationStatus.PENDING,
    DonationStatus.PROCESSING,
    DonationStatus.FAILED,
    DonationStatus.CANCELED,
)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([S, S], SplitStatus.SUCCEEDED),
        ([S, F], SplitStatus.PARTLY_SUCCEEDED),
        ([S, C], SplitStatus.PARTLY_SUCCEEDED),
        ([F, C], SplitStatus.FAILED),
        ([F, F], SplitStatus.FAILED),
        ([S, W], SplitStatus.PROCESSING),
        ([F, W], SplitStatus.PROCESSING),
        ([S, P], SplitStatus.PENDING),
        ([S, F, P], SplitStatus.PENDING),
        ([W, P], SplitStatus.PENDING),
    ],
)
def test_a_gift_is_what_its_parts_are_in_whatever_order(
    parts: list[DonationStatus], whole: SplitStatus
) -> None:
    assert {status_of_parts(order) for order in permutations(parts)} == {whole}
