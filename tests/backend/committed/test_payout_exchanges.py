"""Money that is exchanged on its way, fees that come back, and what the platform itself is given."""

from dataclasses import replace

import pytest

from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import ledger, payouts
from amply.modules.payouts import PayoutStatus
from tests.backend.payout_world import Treasury, euros, one_gift_paid_out, transaction
from tests.backend.world import NOW

RECONCILED = "payout.reconciliation_completed"
REFUND = transaction(id="txn_refund", category="refund", gross=euros(-500), fee=euros(0), source_id="re_1")


@pytest.fixture
def treasury(database: Database) -> Treasury:
    return one_gift_paid_out(database)


def dollars(minor_units: int) -> Money:
    return Money(minor_units=minor_units, currency="USD")


EXCHANGED = transaction(
    id="txn_exchanged", gross=euros(2300), fee=euros(70), is_exchanged=True, source_amount=dollars(2500)
)


def given_in_dollars(database: Database) -> Treasury:
    """A gift of 25.00 USD to an organisation whose account holds euro."""
    treasury = Treasury(database)
    treasury.processor.gross, treasury.processor.fee = dollars(2500), None
    treasury.succeed()
    return treasury


def test_an_exchange_is_booked_with_its_fee_once_its_gift_is(database: Database) -> None:
    treasury = given_in_dollars(database)
    treasury.remote.transactions = [EXCHANGED]
    treasury.close()
    (closed,) = treasury.close() or []

    assert closed == payouts.BalanceComparison(currency="EUR", processor=2230, books=2230, outside=0, open=0)
    assert treasury.movements() == {"charge.amount": ("matched", None), "charge.fee": ("matched", None)}
    assert treasury.balance("processor_balance", "USD") == 0
    assert (treasury.balance("gifts", "USD"), treasury.balance("processor_fees")) == (2500, 70)
    assert (treasury.balance("liquidity", "USD"), treasury.balance("liquidity")) == (-2500, 2300)


def test_an_exchange_waits_for_its_gift_and_is_booked_with_the_payout(database: Database) -> None:
    treasury = Treasury(database)
    treasury.processor.gross, treasury.processor.fee = dollars(2500), None
    treasury.remote.transactions = treasury.remote.items = [EXCHANGED]
    treasury.close()
    assert treasury.movements()["charge.amount"] == ("open", "currency_exchanged")

    treasury.succeed()
    treasury.hear(RECONCILED, PayoutStatus.PAID)
    payouts.match_waiting(treasury.handling, now=NOW)
    assert treasury.movements()["charge.amount"] == ("matched", None)


def test_what_goes_back_is_bought_back(database: Database) -> None:
    treasury = given_in_dollars(database)
    treasury.processor.tell_refund("pi_0", "re_1", minor_units=1000, currency="USD")
    treasury.deliver(
        "evt_refund", "refund.created", object=treasury.charge() | {"object": "refund", "id": "re_1"}
    )
    treasury.handle("evt_refund")
    refunded = transaction(
        id="txn_refund",
        category="refund",
        gross=euros(-930),
        fee=euros(0),
        source_id="re_1",
        is_exchanged=True,
        source_amount=dollars(1000),
    )
    treasury.remote.transactions = [refunded, EXCHANGED]
    (closed,) = treasury.close() or []

    assert (closed.processor, closed.books, closed.open) == (1300, 1300, 0)
    assert treasury.balance("processor_balance", "USD") == 0


def disputed_in_dollars(database: Database) -> Treasury:
    """The same gift, which the donor's bank wants back: an account that holds euro pays for that in euro."""
    treasury = given_in_dollars(database)
    treasury.processor.tell_dispute("pi_0", "dp_1", (-2500, 0), status="needs_response", currency="USD")
    hear_of_dispute(treasury, "evt_opened", "charge.dispute.created")
    treasury.remote.transactions = [_of_dispute(0, gross=euros(-2350), fee=euros(1500)), EXCHANGED]
    treasury.close()
    return treasury


def hear_of_dispute(treasury: Treasury, event_id: str, event_type: str) -> None:
    treasury.deliver(event_id, event_type, object=treasury.charge() | {"object": "dispute", "id": "dp_1"})
    treasury.handle(event_id)


def _of_dispute(number: int, *, gross: Money, fee: Money) -> payouts.Transaction:
    return transaction(
        id=f"txn_dp_1_{number}",
        category="dispute" if gross.minor_units < 0 else "dispute_reversal",
        gross=gross,
        fee=fee,
        source_id="dp_1",
        is_exchanged=True,
        source_amount=dollars(2500),
    )


def test_what_a_dispute_takes_is_exchanged_too_and_its_fee_is_in_the_accounts_currency(
    database: Database,
) -> None:
    treasury = disputed_in_dollars(database)
    (closed,) = treasury.close() or []

    assert (closed.processor, closed.books, closed.open) == (-1620, -1620, 0)
    assert set(treasury.movements().values()) == {("matched", None)}
    assert treasury.balance("processor_balance", "USD") == 0
    assert (treasury.balance("dispute_hold", "USD"), treasury.balance("dispute_fees")) == (2500, 1500)


def test_what_a_dispute_that_is_won_gives_back_is_exchanged_once_more(database: Database) -> None:
    treasury = disputed_in_dollars(database)
    treasury.processor.tell_dispute("pi_0", "dp_1", (-2500, 0), (2500, 0), status="won", currency="USD")
    hear_of_dispute(treasury, "evt_won", "charge.dispute.closed")
    treasury.remote.transactions.insert(0, _of_dispute(1, gross=euros(2340), fee=euros(-1500)))
    treasury.close()
    (closed,) = treasury.close() or []

    assert (closed.processor, closed.books, closed.open) == (2220, 2220, 0)
    assert treasury.balance("processor_balance", "USD") == treasury.balance("dispute_hold", "USD") == 0
    assert treasury.balance("dispute_fees") == 0


def test_a_dispute_waits_in_the_queue_until_its_event_has_come(database: Database) -> None:
    treasury = given_in_dollars(database)
    treasury.processor.tell_dispute("pi_0", "dp_1", (-2500, 0), status="needs_response", currency="USD")
    treasury.remote.transactions = [_of_dispute(0, gross=euros(-2350), fee=euros(1500)), EXCHANGED]
    treasury.close()
    assert treasury.movements()["dispute.amount"] == ("open", "currency_exchanged")

    hear_of_dispute(treasury, "evt_opened", "charge.dispute.created")
    treasury.close()
    (closed,) = treasury.close() or []
    assert (closed.books, closed.open, closed.difference) == (-1620, 0, 0)


def test_a_fee_that_is_charged_or_given_back_with_a_refund_is_booked(treasury: Treasury) -> None:
    treasury.processor.tell_refund("pi_0", "re_1", minor_units=2500)
    treasury.deliver(
        "evt_refund", "refund.created", object=treasury.charge() | {"object": "refund", "id": "re_1"}
    )
    treasury.handle("evt_refund")
    given_back = replace(REFUND, gross=euros(-2500), fee=euros(-63))
    treasury.remote.transactions = [given_back, transaction()]
    (closed,) = treasury.close() or []

    assert treasury.movements()["refund.fee"] == ("matched", None)
    assert (closed.processor, closed.books, closed.open) == (0, 0, 0)
    assert treasury.balance("processor_fees") == 0


def test_what_the_platform_is_given_with_a_gift_is_booked_for_both(treasury: Treasury) -> None:
    """The organisation's transaction tells of it as a fee, the platform's own as what it earned."""
    treasury.remote.transactions = [transaction(application_fee=euros(200), application_fee_id="fee_1")]
    treasury.remote.platform = [
        transaction(
            id="txn_earned",
            category="platform_earning",
            gross=euros(200),
            fee=euros(0),
            source_id="fee_1",
            intent_id=None,
        )
    ]
    treasury.close()
    (closed,) = treasury.close() or []
    (platform,) = (
        payouts.close_books(treasury.handling, owner=ledger.PLATFORM, account_id=None, now=NOW) or []
    )

    assert (closed.processor, closed.books, closed.open) == (2237, 2237, 0)
    assert (platform.processor, platform.books, platform.open) == (200, 200, 0)
    assert treasury.balance("platform_contributions_due") == -200


def test_the_platforms_own_difference_is_told_like_any_other(treasury: Treasury) -> None:
    treasury.remote.platform = [transaction(id="txn_p", category="advance", fee=euros(0), intent_id=None)]
    payouts.close_due(treasury.handling, now=NOW)

    (row,) = [row for row in treasury.rows("processor_balance") if row.owner == ledger.PLATFORM]
    assert (row.processor_minor_units, row.open_minor_units) == (2500, 2500)
