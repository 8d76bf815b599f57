"""Payouts as pure decisions: which steps are booked in which order, and what a transaction is matched with."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.modules import ledger
from amply.modules.ledger import Kind
from amply.modules.payouts.domain import PayoutStatus, digest_of, may_follow, steps
from amply.modules.payouts.matching import Part, Reason, State, decide, movements
from tests.backend.payout_world import euros, of_payout, transaction

CREATED, PAID, RETURNED, FAILED = (
    Kind.PAYOUT_CREATED,
    Kind.PAYOUT_PAID,
    Kind.PAYOUT_RETURNED,
    Kind.PAYOUT_FAILED,
)
END = {PayoutStatus.FAILED, PayoutStatus.CANCELED}


@pytest.mark.parametrize(
    ("status", "booked", "expected"),
    [
        (PayoutStatus.PENDING, [], [CREATED]),
        (PayoutStatus.IN_TRANSIT, [CREATED], []),
        (PayoutStatus.PAID, [], [CREATED, PAID]),
        (PayoutStatus.PAID, [CREATED], [PAID]),
        (PayoutStatus.FAILED, [], [CREATED, FAILED]),
        (PayoutStatus.FAILED, [CREATED, PAID], [RETURNED, FAILED]),
        (PayoutStatus.CANCELED, [CREATED], [FAILED]),
        (PayoutStatus.CANCELED, [CREATED, FAILED], []),
    ],
)
def test_what_is_missing_is_booked_in_order(
    status: PayoutStatus, booked: list[Kind], expected: list[Kind]
) -> None:
    assert list(steps(status, booked)) == expected


@given(st.lists(st.sampled_from(list(PayoutStatus)), min_size=1, max_size=8))
def test_whatever_is_told_in_whatever_order_the_money_is_in_one_place(told: list[PayoutStatus]) -> None:
    known, booked = told[0], list[Kind]()
    for status in told:
        if may_follow(known, status):
            known = status
            booked += steps(status, booked)

    assert len(booked) == len(set(booked)), "each step once"
    balance = -(CREATED in booked) + (FAILED in booked)
    bank = (PAID in booked) - (RETURNED in booked)
    in_transit = (CREATED in booked) - (PAID in booked) + (RETURNED in booked) - (FAILED in booked)
    assert balance + bank + in_transit == 0
    assert (balance, bank) == ((0, 0) if known in END else (-1, int(known is PayoutStatus.PAID)))


def test_an_answer_that_is_older_than_what_is_known_is_not_followed() -> None:
    ranked = [PayoutStatus.PENDING, PayoutStatus.IN_TRANSIT, PayoutStatus.PAID, PayoutStatus.FAILED]
    for earlier, later in permutations(ranked, 2):
        assert may_follow(earlier, later) == (ranked.index(later) > ranked.index(earlier))
    assert not may_follow(PayoutStatus.FAILED, PayoutStatus.CANCELED)


@pytest.mark.parametrize(
    ("given_", "facts"),
    [
        (
            transaction(),
            {"amount": "stripe:pi_0:donation.succeeded", "fee": "stripe:pi_0:processor.fee"},
        ),
        (
            transaction(category="refund", gross=euros(-500), fee=euros(0), source_id="re_1"),
            {"amount": "stripe:refund:re_1:donation.refunded"},
        ),
        (
            transaction(
                id="txn_d", category="dispute", gross=euros(-2500), fee=euros(1500), source_id="du_1"
            ),
            {
                "amount": "stripe:dispute:du_1:txn_d:dispute.opened",
                "fee": "stripe:dispute:du_1:txn_d:dispute.fee",
            },
        ),
        (of_payout(), {"amount": "stripe:po_1:payout.created"}),
        (
            of_payout(category="payout_reversal", minor_units=2437),
            {"amount": "stripe:po_1:payout.failed"},
        ),
        (
            transaction(id="txn_f", category="fee", gross=euros(-200), fee=euros(0), source_id=None),
            {"amount": "stripe:txn_f:processor.fee"},
        ),
        (transaction(category="advance", fee=euros(0)), {"amount": None}),
        (transaction(intent_id=None), {"amount": None, "fee": None}),
    ],
)
def test_each_part_of_a_transaction_has_the_name_of_the_entry_that_books_it(
    given_: object, facts: dict[str, str | None]
) -> None:
    assert {part.part.value: part.fact for part in movements(given_)} == facts  # type: ignore[arg-type]  # of the table above


@given(st.integers(-10_000, 10_000), st.integers(-500, 500), st.integers(0, 500))
def test_the_parts_of_a_transaction_are_its_net(gross: int, fee: int, application_fee: int) -> None:
    whole = transaction(gross=euros(gross), fee=euros(fee), application_fee=euros(application_fee))
    parts = list(movements(whole))
    assert sum(part.amount.minor_units for part in parts) == whole.net
    assert all(part.amount.minor_units != 0 for part in parts)
    assert len({part.part for part in parts}) == len(parts)


@pytest.mark.parametrize(
    ("moved", "is_ours", "is_exchanged", "expected"),
    [
        ({"EUR": 2500}, True, False, (State.MATCHED, None)),
        ({"EUR": 2400}, True, False, (State.OPEN, Reason.AMOUNT_DIFFERS)),
        ({}, True, False, (State.OPEN, Reason.AMOUNT_DIFFERS)),
        ({"USD": 2500}, True, True, (State.OPEN, Reason.CURRENCY_EXCHANGED)),
        (None, True, False, (State.OPEN, Reason.NOT_BOOKED)),
        (None, False, False, (State.OUTSIDE, Reason.NOT_OURS)),
    ],
)
def test_an_entry_decides_and_without_one_whose_it_is(
    moved: dict[str, int] | None,
    is_ours: bool,  # noqa: FBT001 -- of the table above
    is_exchanged: bool,  # noqa: FBT001 -- of the table above
    expected: tuple[State, Reason | None],
) -> None:
    (amount, _) = movements(transaction(is_exchanged=is_exchanged))
    entry = None if moved is None else ledger.AccountMovement(entry_id="ent_1", minor_units=moved)
    decision = decide(amount, moved=entry, is_ours=is_ours)
    assert (decision.state, decision.reason) == expected
    assert (decision.entry_id is not None) == (decision.state is State.MATCHED)


def test_what_is_kept_of_a_name_tells_names_apart_and_not_which_they_were() -> None:
    names = ["txn_1", "txn_2", "txn_11"]
    digests = {digest_of(name) for name in names}
    assert len(digests) == len(names)
    assert not any(name in digest for name in names for digest in digests)


def test_a_movement_keeps_the_moment_of_its_transaction() -> None:
    whole = transaction()
    later = transaction(occurred_at=whole.occurred_at + timedelta(days=1))
    assert {part.occurred_at for part in movements(later)} == {later.occurred_at}
    assert {part.part for part in movements(later)} == {Part.AMOUNT, Part.FEE}
