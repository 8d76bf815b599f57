"""What a journal says of entries in a donor's currency, and of disputes that were lost."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.modules.payouts.journals import Chapter, Entry, Journal, Piece, journal_of, shared

FUND = "gifts/fund_1"
Told = tuple[list[Piece], list[Entry]]
"""The items of one payout, and what is told beside them."""


def entry(place: int, moved: int, currency: str = "USD", **sides: int) -> Entry:
    named = {name.replace("fund", FUND): amount for name, amount in sides.items()}
    assert moved + sum(named.values()) == 0
    return Entry(id=f"ent_{place}", place=place, currency=currency, moved=moved, sides=named)


def piece(minor_units: int, of: Entry | None, account: str = "gifts") -> Piece:
    return Piece(
        id="mov" if of is None else f"mov_{of.id}", minor_units=minor_units, entry=of, account=account
    )


def told(*chapters: Told) -> Journal:
    return journal_of([Chapter(pieces=one, beside=two) for one, two in chapters], currency="EUR")


def together(journal: Journal) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for sides in journal.all:
        for name, amount in sides.items():
            found[name] = found.get(name, 0) + amount
    return {name: amount for name, amount in found.items() if amount}


OPENED = entry(2, -2500, dispute_hold=2500)
LOST = entry(3, 0, dispute_hold=-2500, fund=2437, fee_cover=63)


def test_a_gift_is_worth_what_it_was_exchanged_for_and_divided_as_its_entry_is() -> None:
    gift = entry(1, 2500, fund=-2000, fee_cover=-500)

    assert together(told(([piece(2301, gift)], []))) == {FUND: -1841, "fee_cover": -460}


def test_what_is_in_the_accounts_currency_is_taken_as_it_is() -> None:
    won_after_all = entry(4, 900, "EUR", gifts=-900, dispute_hold=0)
    assert together(told(([piece(900, won_after_all)], []))) == {"gifts": -900}


@pytest.mark.parametrize("of", [None, entry(1, 901, "EUR", gifts=-901), entry(1, 0, gifts=0)])
def test_what_no_entry_is_about_is_on_the_account_of_its_name(of: Entry | None) -> None:
    assert together(told(([piece(900, of, account="other")], []))) == {"other": -900}


def test_a_dispute_that_is_lost_takes_from_the_fund_what_was_paid_for_it() -> None:
    assert together(told(([piece(-2350, OPENED)], []))) == {"dispute_hold": 2350}
    assert together(told(([piece(-2350, OPENED)], []), ([], [LOST]))) == {
        "dispute_hold": -2350,
        FUND: 2291,
        "fee_cover": 59,
    }
    assert together(told(([piece(-2350, OPENED)], [LOST]))) == {FUND: 2291, "fee_cover": 59}


def test_one_whose_opening_is_told_later_waits_for_it_and_is_told_once() -> None:
    early: Told = ([], [LOST])
    assert together(told(early)) == {}
    assert together(told(early, ([piece(-2350, OPENED)], []))) == {FUND: 2291, "fee_cover": 59}
    assert together(told(early, ([piece(-2350, OPENED)], []), ([], []))) == {}


def test_in_the_accounts_currency_nothing_waits() -> None:
    lost = entry(3, 0, "EUR", dispute_hold=-2500, gifts=2500)
    assert together(told(([], [lost]))) == {"dispute_hold": -2500, "gifts": 2500}


def test_what_is_won_at_another_rate_leaves_nothing_held() -> None:
    won = entry(3, 2500, dispute_hold=-2500)
    assert together(told(([piece(-2350, OPENED)], []), ([piece(2340, won)], []))) == {
        "dispute_hold": -2350,
        "exchange_fees": 10,
    }


def test_what_is_won_after_it_was_lost_is_the_funds_again() -> None:
    reinstated = entry(4, 2500, dispute_hold=0, fund=-2437, fee_cover=-63)
    before = ([piece(-2350, OPENED)], [LOST])
    assert together(told(before, ([piece(2400, reinstated)], []))) == {FUND: -2340, "fee_cover": -60}


def test_what_nobody_saw_taken_is_worth_what_it_brings() -> None:
    """The opening came before the organisation did, or an operator explained it."""
    won = entry(3, 2500, dispute_hold=-2500)
    assert together(told(([piece(2340, won)], []))) == {"dispute_hold": -2340}


def test_two_that_are_held_are_worth_the_average() -> None:
    second = entry(4, -2500, dispute_hold=2500)
    won = entry(5, 2500, dispute_hold=-2500)
    opened: Told = ([piece(-2300, OPENED), piece(-2400, second)], [])
    journal = told(opened, ([piece(2360, won)], [LOST]))
    assert together(journal)["dispute_hold"] == -4700


def test_a_payout_that_came_back_came_from_the_bank() -> None:
    failed = entry(3, 900, "EUR", payout_in_transit=-900)
    assert together(told(([piece(900, failed)], []))) == {"bank": -900}


@given(
    total=st.integers(-(10**12), 10**12),
    like=st.dictionaries(st.text(min_size=1, max_size=3), st.integers(-(10**9), -1), min_size=1, max_size=5),
)
def test_what_is_divided_comes_to_the_whole_and_is_within_one_of_its_part(
    total: int, like: dict[str, int]
) -> None:
    parts = shared(total, like)

    assert sum(parts.values()) == total
    whole = sum(like.values())
    for name, amount in parts.items():
        assert abs(amount * whole - total * like[name]) < abs(whole)
