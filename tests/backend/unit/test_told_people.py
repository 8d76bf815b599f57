"""Numbers of people as sellers are told them: neither few who did something nor few who did not."""

from hypothesis import given
from hypothesis import strategies as st

from amply.modules.seller_portal.domain import PEOPLE_MIN, People, Telling, people

FEW = st.integers(0, PEOPLE_MIN - 1)


@given(count=FEW, of=st.integers(PEOPLE_MIN, 5_000))
def test_fewer_than_twenty_are_all_told_alike(count: int, of: int) -> None:
    assert people(count, of=max(count, of)) == people(count) == People(said=Telling.FEWER)


@given(missing=FEW, of=st.integers(2 * PEOPLE_MIN, 5_000))
def test_all_but_fewer_than_twenty_are_all_told_alike(missing: int, of: int) -> None:
    assert people(of - missing, of=of) == People(said=Telling.NEARLY_ALL)


@given(count=st.integers(PEOPLE_MIN, 5_000), others=st.integers(PEOPLE_MIN, 5_000))
def test_others_are_told_in_tens(count: int, others: int) -> None:
    told = people(count, of=count + others)
    assert told.about is not None
    assert told.about % 10 == 0
    assert PEOPLE_MIN <= told.about <= count < told.about + 10
