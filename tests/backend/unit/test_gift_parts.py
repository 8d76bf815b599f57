"""What goes back of a gift whose donor covered the fee: the gift first, in whatever steps it happens."""

from hypothesis import given
from hypothesis import strategies as st

from amply.modules.donations.parts import GiftParts, TakenBack

parts = st.builds(GiftParts, gift=st.integers(1, 10_000), cover=st.integers(0, 500), currency=st.just("EUR"))


def amounts(taken: TakenBack) -> tuple[int, int]:
    return tuple(0 if part is None else part.minor_units for part in (taken.amount, taken.fee_cover))  # type: ignore[return-value] # two of them


@given(gift=parts, steps=st.lists(st.integers(1, 4_000), min_size=1, max_size=6))
def test_the_steps_come_to_what_one_step_would_take(gift: GiftParts, steps: list[int]) -> None:
    gone, sums = 0, (0, 0)
    for step in steps:
        taken = amounts(gift.between(gone, gone + step))
        assert sum(taken) == step
        gone += step
        sums = (sums[0] + taken[0], sums[1] + taken[1])
    assert sums == amounts(gift.between(0, gone))


@given(gift=parts)
def test_all_of_it_takes_each_part_whole(gift: GiftParts) -> None:
    assert amounts(gift.between(0, gift.gift + gift.cover)) == (gift.gift, gift.cover)


@given(gift=parts, beyond=st.integers(1, 1_000))
def test_what_goes_back_beyond_the_payment_is_the_gifts(gift: GiftParts, beyond: int) -> None:
    whole = gift.gift + gift.cover
    assert amounts(gift.between(whole, whole + beyond)) == (beyond, 0)
