"""Which transfers each fact becomes: the table of docs/books.md, line by line."""

from collections.abc import Sequence
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amply.kernel.errors import InvariantViolation
from amply.kernel.money import Money
from amply.modules import ledger
from amply.modules.ledger import chart, postings
from tests.backend.ledger_world import BIZ, ORG

ENTRY = "ent_" + "7" * 26
FUND = "fund_" + "0" * 26


def euros(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="EUR")


def dollars(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="USD")


def spelled(lines: Sequence[ledger.NewTransfer]) -> list[str]:
    """`debit <- credit amount`, our organisation's owner left out, with phase and what it resolves."""
    return [
        " ".join(
            filter(
                None,
                (
                    f"{line.debit} <- {line.credit} {line.amount.minor_units} {line.amount.currency}",
                    line.phase,
                    line.pending,
                ),
            )
        )
        .replace(f"{ORG}/", "")
        .replace(f"{BIZ}/", "biz/")
        for line in lines
    ]


WHOLE_GIFT = postings.donation_succeeded(
    organization_id=ORG, amount=euros(5000), fee_cover=euros(195), contribution=euros(200)
)
TABLE = [
    pytest.param(
        postings.donation_succeeded(organization_id=ORG, amount=euros(5000)),
        ["processor_balance <- gifts 5000 EUR"],
        id="succeeded",
    ),
    pytest.param(
        postings.donation_offline(organization_id=ORG, amount=euros(5000)),
        ["offline_received <- gifts 5000 EUR"],
        id="offline",
    ),
    pytest.param(
        postings.donation_offline(organization_id=ORG, amount=euros(5000), fund_id=FUND),
        [f"offline_received <- gifts/{FUND} 5000 EUR"],
        id="offline, for a fund",
    ),
    pytest.param(
        postings.donation_in_kind(organization_id=ORG, value=euros(5000), fund_id=FUND),
        [f"in_kind <- gifts_in_kind/{FUND} 5000 EUR"],
        id="in kind, for a fund",
    ),
    pytest.param(
        postings.reverse(postings.donation_in_kind(organization_id=ORG, value=euros(5000))),
        ["gifts_in_kind <- in_kind 5000 EUR"],
        id="in kind, reversed",
    ),
    pytest.param(
        WHOLE_GIFT,
        [
            "processor_balance <- gifts 5000 EUR",
            "processor_balance <- fee_cover 195 EUR",
            "processor_balance <- platform_contributions_due 200 EUR",
        ],
        id="succeeded with fee cover and a contribution",
    ),
    pytest.param(
        postings.reserve(WHOLE_GIFT),
        [
            "processor_balance <- gifts 5000 EUR pending",
            "processor_balance <- fee_cover 195 EUR pending",
            "processor_balance <- platform_contributions_due 200 EUR pending",
        ],
        id="processing",
    ),
    pytest.param(
        postings.post(entry_id=ENTRY, pending=postings.reserve(WHOLE_GIFT), moved=WHOLE_GIFT),
        [
            f"processor_balance <- gifts 5000 EUR post {ENTRY}#0",
            f"processor_balance <- fee_cover 195 EUR post {ENTRY}#1",
            f"processor_balance <- platform_contributions_due 200 EUR post {ENTRY}#2",
        ],
        id="processing that succeeds",
    ),
    pytest.param(
        postings.post(
            entry_id=ENTRY,
            pending=postings.reserve(WHOLE_GIFT),
            moved=postings.donation_succeeded(organization_id=ORG, amount=euros(4000), fee_cover=euros(200)),
        ),
        [
            f"processor_balance <- gifts 4000 EUR post {ENTRY}#0",
            f"processor_balance <- fee_cover 195 EUR post {ENTRY}#1",
            f"processor_balance <- platform_contributions_due 200 EUR void {ENTRY}#2",
            "processor_balance <- fee_cover 5 EUR",
        ],
        id="processing of which less, more and nothing arrives",
    ),
    pytest.param(
        postings.void(entry_id=ENTRY, pending=postings.reserve(WHOLE_GIFT)),
        [
            f"processor_balance <- gifts 5000 EUR void {ENTRY}#0",
            f"processor_balance <- fee_cover 195 EUR void {ENTRY}#1",
            f"processor_balance <- platform_contributions_due 200 EUR void {ENTRY}#2",
        ],
        id="processing that fails",
    ),
    pytest.param(
        postings.processor_fee(organization_id=ORG, amount=euros(195)),
        ["processor_fees <- processor_balance 195 EUR"],
        id="processor fee",
    ),
    pytest.param(
        postings.application_fee(organization_id=ORG, amount=euros(200)),
        [
            "platform_contributions_due <- processor_balance 200 EUR",
            "platform/processor_balance <- platform/contributions 200 EUR",
        ],
        id="application fee, in both books",
    ),
    pytest.param(
        postings.reverse(postings.application_fee(organization_id=ORG, amount=euros(200))),
        [
            "processor_balance <- platform_contributions_due 200 EUR",
            "platform/contributions <- platform/processor_balance 200 EUR",
        ],
        id="application fee refunded",
    ),
    pytest.param(
        postings.refund(organization_id=ORG, amount=euros(1000)),
        ["gifts <- processor_balance 1000 EUR"],
        id="refund of a part",
    ),
    pytest.param(
        postings.refund(
            organization_id=ORG, amount=euros(5000), fee_cover=euros(195), contribution=euros(200)
        ),
        [
            "gifts <- processor_balance 5000 EUR",
            "fee_cover <- processor_balance 195 EUR",
            "platform_contributions_due <- processor_balance 200 EUR",
        ],
        id="refund of everything",
    ),
    pytest.param(
        postings.refund(organization_id=ORG, amount=None, contribution=euros(200)),
        ["platform_contributions_due <- processor_balance 200 EUR"],
        id="refund of the contribution alone",
    ),
    pytest.param(
        postings.dispute_opened(organization_id=ORG, amount=euros(5000)),
        ["dispute_hold <- processor_balance 5000 EUR"],
        id="dispute opened",
    ),
    pytest.param(
        postings.dispute_fee(organization_id=ORG, amount=euros(1500)),
        ["dispute_fees <- processor_balance 1500 EUR"],
        id="dispute fee",
    ),
    pytest.param(
        postings.reverse(postings.dispute_opened(organization_id=ORG, amount=euros(5000))),
        ["processor_balance <- dispute_hold 5000 EUR"],
        id="dispute won",
    ),
    pytest.param(
        postings.dispute_lost(organization_id=ORG, amount=euros(4800), contribution=euros(200)),
        ["gifts <- dispute_hold 4800 EUR", "platform_contributions_due <- dispute_hold 200 EUR"],
        id="dispute lost",
    ),
    pytest.param(
        postings.payout_created(owner=ORG, amount=euros(4000)),
        ["payout_in_transit <- processor_balance 4000 EUR"],
        id="payout created",
    ),
    pytest.param(
        postings.payout_paid(owner=ORG, amount=euros(4000)),
        ["bank <- payout_in_transit 4000 EUR"],
        id="payout paid: settled to the bank",
    ),
    pytest.param(
        postings.reverse(postings.payout_created(owner=ORG, amount=euros(4000))),
        ["processor_balance <- payout_in_transit 4000 EUR"],
        id="payout failed",
    ),
    pytest.param(
        postings.reverse(postings.payout_paid(owner=ORG, amount=euros(4000))),
        ["payout_in_transit <- bank 4000 EUR"],
        id="payout returned by the bank",
    ),
    pytest.param(
        postings.payout_paid(owner=ledger.PLATFORM, amount=euros(4000)),
        ["platform/bank <- platform/payout_in_transit 4000 EUR"],
        id="the platform's own payout",
    ),
    pytest.param(
        postings.match_pledged(business_id=BIZ, amount=euros(100_000)),
        ["biz/match_pledged <- biz/match_available 100000 EUR"],
        id="match pledged",
    ),
    pytest.param(
        postings.match_paid(business_id=BIZ, organization_id=ORG, amount=euros(5000)),
        ["processor_balance <- gifts 5000 EUR", "biz/match_available <- biz/match_paid 5000 EUR"],
        id="match paid",
    ),
    pytest.param(
        postings.currency_exchanged(owner=ORG, sold=dollars(10_000), bought=euros(9_100), spread=euros(90)),
        [
            "liquidity <- processor_balance 10000 USD",
            "processor_balance <- liquidity 9100 EUR",
            "exchange_fees <- liquidity 90 EUR",
        ],
        id="currency exchanged, the spread on its own",
    ),
    pytest.param(
        postings.correction(
            wrong=postings.donation_succeeded(organization_id=ORG, amount=euros(5000)),
            right=postings.donation_succeeded(
                organization_id=ORG, amount=euros(4800), contribution=euros(200)
            ),
        ),
        [
            "gifts <- processor_balance 5000 EUR",
            "processor_balance <- gifts 4800 EUR",
            "processor_balance <- platform_contributions_due 200 EUR",
        ],
        id="correction",
    ),
    pytest.param(
        postings.data_settled(fee=euros(300), shares=euros(700)),
        [
            "platform/data_receivable <- platform/data_fees 300 EUR",
            "platform/data_receivable <- platform/data_shares_due 700 EUR",
        ],
        id="a month of data settled",
    ),
    pytest.param(
        postings.data_settled(fee=euros(300), shares=euros(0)),
        ["platform/data_receivable <- platform/data_fees 300 EUR"],
        id="a month of data of which owners get nothing",
    ),
    pytest.param(
        postings.data_share_credited(organization_id=ORG, amount=euros(700)),
        ["data_shares_receivable <- data_shares 700 EUR"],
        id="an owner's share of it",
    ),
    pytest.param(
        postings.data_paid(amount=euros(1000)),
        ["platform/offline_received <- platform/data_receivable 1000 EUR"],
        id="a buyer of data paid",
    ),
    pytest.param(
        postings.data_sent_back(amount=euros(250)),
        ["platform/data_receivable <- platform/offline_received 250 EUR"],
        id="a buyer of data got money back",
    ),
    pytest.param(
        postings.data_share_paid(organization_id=ORG, amount=euros(700)),
        [
            "platform/data_shares_due <- platform/offline_received 700 EUR",
            "offline_received <- data_shares_receivable 700 EUR",
        ],
        id="a share passed on, in both books",
    ),
    pytest.param(
        postings.reverse(postings.data_settled(fee=euros(300), shares=euros(700))),
        [
            "platform/data_fees <- platform/data_receivable 300 EUR",
            "platform/data_shares_due <- platform/data_receivable 700 EUR",
        ],
        id="a month of data reversed",
    ),
]


@pytest.mark.parametrize(("lines", "expected"), TABLE)
def test_a_fact_becomes_these_lines(lines: Sequence[ledger.NewTransfer], expected: list[str]) -> None:
    assert spelled(lines) == expected


def test_every_account_of_the_chart_is_booked_by_some_fact() -> None:
    booked = {
        reference.split("/")[1]
        for case in TABLE
        for line in cast("postings.Lines", case.values[0])
        for reference in (line.debit, line.credit)
    }

    assert booked == set(chart.CHART)


def test_what_has_not_moved_is_not_reversed_and_what_has_moved_is_not_resolved() -> None:
    moved = postings.payout_created(owner=ORG, amount=euros(1))

    with pytest.raises(InvariantViolation, match="has moved"):
        postings.reverse(postings.reserve(moved))
    with pytest.raises(InvariantViolation, match="was pending"):
        postings.void(entry_id=ENTRY, pending=moved)
    with pytest.raises(InvariantViolation, match="has not moved"):
        postings.reserve(postings.reserve(moved))


def test_an_exchange_is_between_currencies_and_a_payment_within_one() -> None:
    with pytest.raises(InvariantViolation, match="two currencies"):
        postings.currency_exchanged(owner=ORG, sold=euros(1), bought=euros(1))
    with pytest.raises(InvariantViolation, match="the currency that was bought"):
        postings.currency_exchanged(owner=ORG, sold=dollars(1), bought=euros(1), spread=dollars(1))
    with pytest.raises(InvariantViolation, match="one currency"):
        postings.donation_succeeded(organization_id=ORG, amount=euros(1), contribution=dollars(1))


@given(
    reserved=st.integers(1, 10**9),
    moved=st.integers(0, 10**9),
)
def test_whatever_arrives_of_what_was_reserved_moves_exactly_that(reserved: int, moved: int) -> None:
    pending = postings.reserve(postings.donation_succeeded(organization_id=ORG, amount=euros(reserved)))
    arrived = () if moved == 0 else postings.donation_succeeded(organization_id=ORG, amount=euros(moved))

    lines = postings.post(entry_id=ENTRY, pending=pending, moved=arrived)

    assert sum(line.amount.minor_units for line in lines if line.phase != "void") == moved
    assert [line.pending for line in lines if line.pending is not None] == [f"{ENTRY}#0"]
    assert all(line.amount.minor_units <= reserved for line in lines if line.phase == "post")
