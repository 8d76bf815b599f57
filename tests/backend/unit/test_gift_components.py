"""What goes back of a gift whose donor covered the fee: the gift first, and neither part more than it got."""

from hypothesis import given
from hypothesis import strategies as st

from amply.kernel.money import Money
from amply.modules.donations.gift_components import GiftParts, TakenBack
from amply.modules.payments import TakenSoFar

parts = st.builds(GiftParts, gift=st.integers(1, 10_000), cover=st.integers(0, 500), currency=st.just("EUR"))
NOTHING = TakenSoFar(minor_units=0, cover=0)


def so_far(held: list[TakenBack]) -> TakenSoFar:
    return TakenSoFar(
        minor_units=sum(each.minor_units for each in held), cover=sum(each.cover for each in held)
    )


@given(gift=parts, steps=st.lists(st.tuples(st.integers(1, 4_000), st.booleans()), max_size=12))
def test_neither_part_gives_more_than_it_got_whatever_fails_in_between(
    gift: GiftParts, steps: list[tuple[int, bool]]
) -> None:
    held: list[TakenBack] = []
    for wanted, fails in steps:
        left = gift.gift + gift.cover - so_far(held).minor_units
        if left > 0:
            held.append(gift.take(min(wanted, left), taken=so_far(held)))
        if fails and held:
            held.pop(0)
        taken = so_far(held)
        assert 0 <= taken.cover <= gift.cover
        assert 0 <= taken.minor_units - taken.cover <= gift.gift


@given(gift=parts)
def test_all_of_it_takes_each_part_whole(gift: GiftParts) -> None:
    assert gift.take(gift.gift + gift.cover, taken=NOTHING).cover == gift.cover


@given(gift=parts, beyond=st.integers(1, 1_000))
def test_what_goes_back_beyond_the_payment_is_the_gifts(gift: GiftParts, beyond: int) -> None:
    whole = gift.take(gift.gift + gift.cover, taken=NOTHING)
    assert gift.take(beyond, taken=so_far([whole])).cover == 0


def test_a_part_that_gives_nothing_has_no_line() -> None:
    gift = GiftParts(gift=2437, cover=63, currency="EUR")
    first = gift.take(2437, taken=NOTHING)
    assert (first.amount, first.fee_cover) == (Money(minor_units=2437, currency="EUR"), None)
    rest = gift.take(63, taken=so_far([first]))
    assert (rest.amount, rest.fee_cover) == (None, Money(minor_units=63, currency="EUR"))
