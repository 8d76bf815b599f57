"""What a month of data comes to, and how it is divided: nothing is lost, nothing is made, and whoever divides again finds the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.kernel.money import Money
from amply.modules import marketplace
from amply.modules.marketplace import Contract, ContractNotAcceptable, Per, Period, Terms
from tests.backend.ledger_world import ORG, OTHER_ORG

GIB = 1 << 30
NOVEMBER = Period(2026, 11)
OWNER_IDS = st.integers(0, 60).map(lambda number: f"org_{number:026d}")
NAMES = st.sampled_from(["gifts", "visits", "events", "terminals"])


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


def terms(**otherwise: Any) -> Terms:
    return replace(
        Terms(since=NOVEMBER, datasets=("gifts",), price=euros(50_000), per=Per.MONTH, seller_share_bp=7_000),
        **otherwise,
    )


def contract(*agreed: Terms, **otherwise: Any) -> Contract:
    return replace(
        Contract(
            contract_id="dct_" + "0" * 26,
            buyer="acme-research",
            is_active=True,
            starts_at=datetime(2026, 11, 10, tzinfo=UTC),
            ends_at=datetime(2027, 11, 10, tzinfo=UTC),
            bytes_a_month=10 * GIB,
            terms=agreed or (terms(),),
        ),
        **otherwise,
    )


@given(
    owed=st.integers(0, 10**12),
    used=st.dictionaries(NAMES, st.integers(1, 10**13), min_size=1),
    seller_share_bp=st.integers(0, 10_000),
    owners=st.dictionaries(OWNER_IDS, st.integers(1, 10**6), min_size=1, max_size=40),
)
def test_fee_and_shares_are_what_is_owed_and_none_is_below_nothing(
    owed: int, used: dict[str, int], seller_share_bp: int, owners: dict[str, int]
) -> None:
    found = marketplace.split(
        euros(owed),
        weights=used,
        seller_share_bp=seller_share_bp,
        owners=dict.fromkeys(used, owners),
    )
    amounts = [share.minor_units for share in found.shares]
    assert found.fee.minor_units + sum(amounts) == owed
    assert min([found.fee.minor_units, *amounts]) >= 0
    exact = owed * seller_share_bp / 10_000
    assert abs(sum(amounts) - exact) <= 2 * len(used), "each dataset rounds twice"
    for dataset in used:
        of_it = {share.credited: share for share in found.shares if share.dataset_id == dataset}
        assert set(of_it) == set(owners)
        whole = sum(share.minor_units for share in of_it.values())
        for name, share in of_it.items():
            assert abs(share.minor_units - whole * owners[name] / sum(owners.values())) < 1 + 1e-3


@given(
    used=st.dictionaries(NAMES, st.integers(0, 10**13), max_size=4),
    owners=st.permutations([(ORG, 3), (OTHER_ORG, 3), ("org_" + "2" * 26, 1)]),
)
def test_the_order_in_which_things_are_told_does_not_matter(
    used: dict[str, int], owners: list[tuple[str, int]]
) -> None:
    agreed = terms(datasets=("gifts", "visits"))
    backwards = dict(reversed(used.items()))
    one, other = (
        marketplace.split(
            euros(1_001),
            weights=marketplace.by_dataset(agreed, told),
            seller_share_bp=6_667,
            owners={name: dict(shared) for name in (*used, "gifts", "visits")},
        )
        for told, shared in ((used, owners), (backwards, list(reversed(owners))))
    )
    assert one == other


def test_a_month_of_two_datasets_is_divided_step_by_step() -> None:
    """The example of docs/adr/0143."""
    found = marketplace.split(
        euros(10_000),
        weights={"donations": 2 * GIB, "visits": GIB},
        seller_share_bp=7_000,
        owners={"donations": {ORG: 60, OTHER_ORG: 20}, "visits": {OTHER_ORG: 1}},
    )
    assert found.fee == euros(3_000)
    assert [(share.dataset_id, share.credited, share.minor_units) for share in found.shares] == [
        ("donations", ORG, 3_500),
        ("donations", OTHER_ORG, 1_167),
        ("visits", OTHER_ORG, 2_333),
    ]


def test_a_month_costs_its_price_and_a_gib_what_was_used_rounded_down_once() -> None:
    assert marketplace.owed_for(terms(), {"gifts": 5 * GIB}) == euros(50_000)
    by_gib = terms(per=Per.GIB, price=euros(199))
    assert marketplace.owed_for(by_gib, {}) == euros(0)
    assert marketplace.owed_for(by_gib, {"gifts": GIB // 2, "visits": GIB}) == euros(298)
    assert marketplace.owed_for(by_gib, {"gifts": 1}) == euros(0)


def test_where_nothing_was_used_a_months_price_is_divided_alike() -> None:
    agreed = terms(datasets=("visits", "gifts"))
    assert marketplace.by_dataset(agreed, {"gifts": 0}) == {"gifts": 1, "visits": 1}
    assert marketplace.by_dataset(agreed, {"visits": 7, "gifts": 0}) == {"visits": 7}


def test_a_share_that_would_be_nobodys_is_not_kept_by_the_platform() -> None:
    with pytest.raises(marketplace.NobodyToCredit, match="share of gifts"):
        marketplace.split(euros(100), weights={"gifts": 1}, seller_share_bp=100, owners={"gifts": {}})
    nothing = marketplace.split(euros(0), weights={"gifts": 1}, seller_share_bp=7_000, owners={})
    assert (nothing.fee, nothing.shares) == (euros(0), ())


def test_a_month_has_the_newest_terms_that_began_by_then() -> None:
    dearer = terms(since=Period(2027, 1), price=euros(60_000))
    of = contract(terms(), dearer)
    prices = [
        of.terms_in(period).price.minor_units for period in (NOVEMBER, Period(2026, 12), Period(2027, 1))
    ]
    assert prices == [50_000, 50_000, 60_000]


def test_a_contract_holds_in_months_of_which_a_moment_is_its_own() -> None:
    of = contract(ends_at=datetime(2027, 1, 1, tzinfo=UTC))
    held = [
        str(period)
        for period in (Period(2026, 10), NOVEMBER, Period(2026, 12), Period(2027, 1))
        if of.holds_in(period)
    ]
    assert held == ["2026-11", "2026-12"]
    never = contract(ends_at=datetime(2026, 11, 10, tzinfo=UTC))
    assert not never.holds_in(NOVEMBER), "it was closed before it began"


def test_months_follow_each_other_across_the_year() -> None:
    december = Period.parse("2026-12")
    assert (str(december.following), str(december.following.before)) == ("2027-01", "2026-12")
    assert december.ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert Period.of(december.ends_at - timedelta(seconds=1)) == december
    for wrong in ("2026-13", "2026-1", "11-2026", "0000-01", "2026-11 "):
        with pytest.raises(ContractNotAcceptable, match="2026-11"):
            Period.parse(wrong)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: terms(datasets=()), "1 to 20 datasets"),
        (lambda: terms(datasets=("gifts", "gifts")), "each once"),
        (lambda: terms(datasets=("Gifts",)), "datasets"),
        (lambda: terms(price=euros(-1)), "below nothing"),
        (lambda: terms(seller_share_bp=10_001), "basis points"),
        (lambda: contract(buyer="Ada Lovelace"), "small letters"),
        (lambda: contract(bytes_a_month=0), "one byte"),
        (lambda: contract(ends_at=datetime(2026, 11, 9, tzinfo=UTC)), "after it has begun"),
        (
            lambda: contract(terms(), terms(price=Money(minor_units=1, currency="USD"))),
            "keeps its currency",
        ),
    ],
)
def test_what_a_contract_cannot_say_is_refused_in_a_sentence(
    made: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(ContractNotAcceptable, match=sentence):
        made()
