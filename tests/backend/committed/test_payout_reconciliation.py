"""What a payout consists of is listed and held against the books; both balances are compared; nothing is hidden."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result
from sqlalchemy import text

from amply.entrypoints import backlog
from amply.entrypoints.admin import main as admin
from amply.infra import outbox
from amply.infra.database import Database
from amply.kernel.money import Money
from amply.modules import donations, payments, payouts, webhooks
from amply.modules.payouts import PayoutStatus
from tests.backend.committed.test_provider_events import SECRETS
from tests.backend.conftest import Databases
from tests.backend.payout_world import (
    PAYOUT,
    RECONCILED,
    REFUND,
    Treasury,
    euros,
    of_payout,
    one_gift_paid_out,
    payout,
    refund,
    transaction,
)
from tests.backend.world import NOW


@pytest.fixture
def treasury(database: Database) -> Treasury:
    return one_gift_paid_out(database)


def late(now_days: float = 2) -> Any:
    return NOW + timedelta(days=now_days)


def test_every_item_has_its_entry_and_they_come_to_the_payout(treasury: Treasury) -> None:
    assert treasury.hear(RECONCILED, PayoutStatus.PAID) == webhooks.Outcome.APPLIED

    assert treasury.movements() == dict.fromkeys(
        ("charge.amount", "charge.fee", "payout.amount"), ("matched", None)
    )
    (row,) = treasury.rows("payout")
    assert (row.items, row.items_minor_units, row.minor_units) == (1, 2437, 2437)
    assert {each.payout_id for each in treasury.rows("movement")} == {PAYOUT}


def test_books_and_processor_agree_after_a_payout(treasury: Treasury) -> None:
    treasury.hear(RECONCILED, PayoutStatus.PAID)
    with structlog.testing.capture_logs() as lines:
        (closed,) = treasury.close() or []

    assert closed == payouts.BalanceComparison(currency="EUR", processor=0, books=0, outside=0, open=0)
    assert lines == []
    assert treasury.balance("payout_in_transit") == 0
    (row,) = treasury.rows("processor_balance")
    assert (row.difference_minor_units, row.differs_since) == (0, None)


def test_listing_again_changes_nothing(treasury: Treasury) -> None:
    treasury.hear(RECONCILED, PayoutStatus.PAID)
    before = treasury.rows("movement")
    treasury.hear(RECONCILED)
    treasury.close()
    assert treasury.rows("movement") == before


def test_many_items_come_in_pages(treasury: Treasury) -> None:
    strangers = [
        transaction(id=f"txn_{number}", intent_id=f"pi_other_{number}", fee=euros(0), gross=euros(1))
        for number in range(25)
    ]
    treasury.remote.items = [*treasury.remote.items, *strangers]
    treasury.remote.page = 10
    treasury.hear(RECONCILED, PayoutStatus.PAID, amount=euros(2437 + 25))

    (row,) = treasury.rows("payout")
    assert (row.items, row.items_minor_units) == (26, 2462)
    assert len(treasury.rows("movement")) == 3 + 25


def test_nothing_that_leads_to_a_donor_is_kept(treasury: Treasury) -> None:
    treasury.hear(RECONCILED, PayoutStatus.PAID)
    kept = json.dumps([list(row) for row in treasury.rows("movement")], default=str)
    for name in ("txn_", "ch_0", "pi_0"):
        assert name not in kept


def test_an_erased_donors_gift_is_matched_all_the_same(treasury: Treasury) -> None:
    (donation,) = treasury.rows("donation")
    donations.erase_donor(treasury.database, SECRETS, email_sha256=None, donation_id=donation.id, now=NOW)
    treasury.remote.items.append(replace(REFUND, id="txn_r"))
    treasury.hear(RECONCILED, PayoutStatus.PAID)

    assert treasury.movements()["charge.amount"] == ("matched", None)
    assert treasury.movements()["refund.amount"] == ("open", "not_booked"), "known as ours by its digest"


def test_a_fee_that_comes_with_what_a_dispute_gives_back_is_a_fee(treasury: Treasury) -> None:
    """Whether one is charged or given back says its sign, not the movement it comes with."""
    treasury.processor.tell_dispute("pi_0", "dp_1", (-2500, 1500), (2500, 500), status="won")
    treasury.deliver(
        "evt_won", "charge.dispute.closed", object=treasury.charge() | {"object": "dispute", "id": "dp_1"}
    )
    treasury.handle("evt_won")
    treasury.remote.transactions += [
        transaction(
            id=f"txn_dp_1_{number}", category=category, gross=euros(gross), fee=euros(fee), source_id="dp_1"
        )
        for number, (category, gross, fee) in enumerate(
            (("dispute", -2500, 1500), ("dispute_reversal", 2500, 500))
        )
    ]
    treasury.hear("payout.created")
    (closed,) = treasury.close() or []

    assert (closed.processor, closed.books, closed.open) == (-2000, -2000, 0)


def test_what_an_instant_payout_costs_is_booked(treasury: Treasury) -> None:
    """Organisations ask for them on their own dashboards; the fee is a part of the payout's own transaction."""
    treasury.remote.transactions[0] = replace(of_payout(minor_units=-2400), fee=euros(37))
    treasury.hear("payout.created", PayoutStatus.IN_TRANSIT, amount=euros(2400), is_automatic=False)
    (closed,) = treasury.close() or []

    assert (closed.processor, closed.books, closed.open) == (0, 0, 0)
    assert treasury.balance("processor_fees") == 63 + 37


def test_a_fee_that_no_event_told_of_is_booked(treasury: Treasury) -> None:
    """An account's own fee has no event at all, and `charge.updated` may have been lost."""
    with treasury.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM entry WHERE kind = 'processor.fee'")) == 1
    own = transaction(
        id="txn_own", category="fee", gross=euros(-200), fee=euros(0), source_id=None, intent_id=None
    )
    treasury.remote.items.append(own)
    treasury.hear(RECONCILED, PayoutStatus.PAID, amount=euros(2237))

    assert treasury.movements()["fee.amount"] == ("matched", None)
    assert treasury.balance("processor_fees") == 263


def test_a_gifts_fee_is_booked_where_its_event_was_lost(database: Database) -> None:
    treasury = Treasury(database)
    treasury.processor.fee = None
    treasury.succeed()
    treasury.remote.items = [of_payout(), transaction()]
    treasury.hear(RECONCILED, PayoutStatus.PAID)

    assert treasury.movements()["charge.fee"] == ("matched", None)
    assert treasury.balance("processor_balance") == 0
    fee = Money(minor_units=63, currency="EUR")
    treasury.processor.fee = fee
    treasury.deliver("evt_late", "charge.updated", object=treasury.charge())
    assert treasury.handle("evt_late") == webhooks.Outcome.NO_CHANGE, "once, whoever tells of it"


def test_what_is_missing_waits_and_is_matched_when_it_is_booked(treasury: Treasury) -> None:
    treasury.remote.items.append(REFUND)
    treasury.remote.transactions = list(treasury.remote.items)
    treasury.hear(RECONCILED, PayoutStatus.PAID, amount=euros(1937))
    assert treasury.movements()["refund.amount"] == ("open", "not_booked")
    assert payouts.match_waiting(treasury.handling, now=NOW) == 0

    refund(treasury)

    assert payouts.match_waiting(treasury.handling, now=NOW) == 1
    assert treasury.movements()["refund.amount"] == ("matched", None)


def test_another_amount_than_the_entrys_is_told_and_stays(treasury: Treasury) -> None:
    refund(treasury, 400)
    treasury.remote.items.append(REFUND)
    treasury.hear(RECONCILED, PayoutStatus.PAID, amount=euros(1937))

    assert treasury.movements()["refund.amount"] == ("open", "amount_differs")
    payouts.match_waiting(treasury.handling, now=NOW)
    assert treasury.movements()["refund.amount"] == ("open", "amount_differs")


def test_money_an_organisation_takes_elsewhere_is_outside_and_explains_the_balance(
    treasury: Treasury,
) -> None:
    shop = transaction(
        id="txn_shop", intent_id="pi_shop", source_id="ch_shop", gross=euros(900), fee=euros(40)
    )
    treasury.remote.transactions = [shop, transaction()]
    (closed,) = treasury.close() or []

    states = [(row.state, row.reason) for row in treasury.rows("movement")]
    assert sorted(states, key=str) == [("matched", None)] * 2 + [("outside", "not_ours")] * 2
    assert closed == payouts.BalanceComparison(
        currency="EUR", processor=3297, books=2437, outside=860, open=0
    )
    assert closed.difference == 0


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (transaction(id="txn_x", category="advance", fee=euros(0), intent_id=None), "category_unknown"),
        (
            transaction(
                id="txn_x",
                category="refund",
                gross=euros(-500),
                fee=euros(0),
                source_id="re_x",
                is_exchanged=True,
            ),
            "currency_exchanged",
        ),
    ],
)
def test_what_nobody_books_goes_to_the_queue_with_its_reason(
    odd: payouts.Transaction, reason: str, treasury: Treasury
) -> None:
    treasury.remote.transactions = [odd, transaction()]
    (closed,) = treasury.close() or []
    assert treasury.movements()[f"{odd.category}.amount"] == ("open", reason)
    assert (closed.open, closed.difference) == (odd.gross.minor_units, 0)


def test_a_difference_is_told_dated_and_kept_until_it_is_gone(treasury: Treasury) -> None:
    treasury.remote.transactions = [transaction()]
    treasury.remote.balances = [{"EUR": 2400}]
    with structlog.testing.capture_logs() as lines:
        (closed,) = treasury.close() or []

    assert closed.difference == -37
    (line,) = lines
    assert (line["event"], line["difference"]) == ("processor_balance_differs", -37)
    treasury.clock.advance(hours=8)
    treasury.close()
    (row,) = treasury.rows("processor_balance")
    assert row.differs_since == NOW, "since it was seen first"
    assert backlog.measure(treasury.database, now=NOW + timedelta(hours=23)).payout_differences == 0
    assert backlog.measure(treasury.database, now=late()).payout_differences == 1

    treasury.remote.balances = [{"EUR": 2437}]
    treasury.close()
    (row,) = treasury.rows("processor_balance")
    assert row.differs_since is None


def test_a_movement_without_its_entry_counts_after_a_day(treasury: Treasury) -> None:
    treasury.remote.transactions = [REFUND, transaction()]
    treasury.close()
    assert backlog.measure(treasury.database, now=NOW + timedelta(hours=23)).unmatched_movements == 0
    assert backlog.measure(treasury.database, now=late()).unmatched_movements == 1


def test_a_balance_that_moves_while_it_is_compared_is_compared_again(treasury: Treasury) -> None:
    """In between the processor has taken a gift, and its event was booked."""
    treasury.remote.transactions = [transaction()]
    treasury.remote.balances = [{"EUR": 1}, {"EUR": 2437}, {"EUR": 2437}, {"EUR": 2437}]
    (closed,) = treasury.close() or []
    assert closed.difference == 0

    treasury.remote.balances = [{"EUR": number} for number in range(20)]
    assert treasury.close() is None, "and not for ever"


def test_a_long_history_is_walked_in_several_runs(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amply.modules.payouts.closing.PAGES_MAX", 2)
    treasury.remote.transactions = [
        transaction(
            id=f"txn_{number}",
            intent_id=f"pi_{number}",
            gross=euros(1),
            fee=euros(0),
            occurred_at=NOW - timedelta(hours=number),
        )
        for number in range(50)
    ]
    treasury.remote.page = 10
    runs = [treasury.close() for _ in range(4)]

    assert runs[0] is None
    assert runs[-1] is not None
    assert len(treasury.rows("movement")) == 50


def test_items_that_do_not_come_to_the_payout_are_told_at_once(treasury: Treasury) -> None:
    with structlog.testing.capture_logs() as lines:
        treasury.hear(RECONCILED, PayoutStatus.PAID, amount=euros(2500))
    assert "payout_items_differ" in [line["event"] for line in lines]
    assert backlog.measure(treasury.database, now=NOW).payout_differences == 1


def test_a_payout_of_too_many_items_waits_for_a_person(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amply.modules.payouts.tasks.ITEMS_MAX", 0)
    event_id = treasury.tell(RECONCILED, PayoutStatus.PAID)
    with pytest.raises(payouts.PayoutTooLong):
        treasury.follow(event_id)
    (event,) = [row for row in treasury.rows("provider_event") if row.id == event_id]
    assert event.handled_at is None


def test_a_manual_payout_is_followed_and_has_no_items(treasury: Treasury) -> None:
    treasury.hear(RECONCILED, PayoutStatus.PAID, is_automatic=False, is_itemised=False)
    (row,) = treasury.rows("payout")
    assert row.reconciled_at is None
    with pytest.raises(payouts.PayoutNotReconciled):
        payouts.reconcile(treasury.handling, payout_id=PAYOUT, account_id=treasury.account_id, now=NOW)


def test_accounts_are_compared_in_turn_and_one_that_refuses_holds_back_no_other(treasury: Treasury) -> None:
    treasury.remote.transactions = [transaction()]
    assert payouts.close_due(treasury.handling, now=NOW) == 2, "the organisation's, and the platform's own"
    assert payouts.close_due(treasury.handling, now=NOW + timedelta(hours=5)) == 0
    treasury.hear(RECONCILED, PayoutStatus.PAID)
    assert payouts.close_due(treasury.handling, now=NOW + timedelta(hours=5)) == 1, "at once after a payout"

    def refuses(**_: Any) -> dict[str, int]:
        raise payments.ProcessorRefused("left")

    treasury.remote.balance = refuses  # type: ignore[method-assign]  # an account that was disconnected
    assert payouts.close_due(treasury.handling, now=NOW + timedelta(hours=12)) == 0
    looked = [row.looked_at for row in treasury.rows("movement_watermark")]
    assert len(looked) == 2
    assert min(looked) > NOW + timedelta(hours=6), "its turn is over"


@pytest.fixture
def command(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Any:
    databases.sign_commands_in(monkeypatch, user="amply_operator")

    def run(*words: str) -> Result:
        return CliRunner().invoke(admin, ["payouts", *words])

    return run


def test_an_operator_lists_the_queue_and_explains_what_is_in_it(treasury: Treasury, command: Any) -> None:
    treasury.remote.transactions = [REFUND, transaction()]
    treasury.close()
    (waiting,) = [json.loads(line) for line in command("unmatched").output.splitlines()]
    assert (waiting["reason"], waiting["category"], waiting["minor_units"]) == ("not_booked", "refund", -500)

    assert "counts as outside" in command("resolve", waiting["id"], "--reason", "paid_before_joining").output
    assert command("unmatched").output == ""
    assert treasury.movements()["refund.amount"] == ("explained", "paid_before_joining")
    (closed,) = treasury.close() or []
    assert (closed.outside, closed.open, closed.difference) == (-500, 0, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("resolve", "mov_unknown", "--reason", "because"), "mov_unknown is not open"),
        (("resolve", "mov_unknown", "--reason", "Because!"), "a code of small letters"),
        (("reconcile", "po_unknown"), "No payout po_unknown is known here"),
        (("report", "po_unknown"), "No payout po_unknown is known here"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(
    words: tuple[str, ...], said: str, command: Any
) -> None:
    assert said in str(command(*words).exception)


def test_an_operator_has_a_payout_asked_for_that_no_event_told_of(treasury: Treasury, command: Any) -> None:
    treasury.remote.told = payout(status=PayoutStatus.PAID)
    asked = command("reconcile", PAYOUT, "--organization", treasury.organization_id)
    assert "is asked for" in asked.output

    relayed: list[outbox.Fact] = []
    outbox.relay_batch(treasury.database, publish=relayed.append, now=NOW)
    (fact,) = [fact for fact in relayed if fact.topic == payouts.TOPIC_RECONCILIATION_REQUESTED]
    payouts.reconcile(treasury.handling, **fact.payload, now=NOW)

    assert treasury.payout_kinds() == ["payout.created", "payout.paid"]
    assert treasury.movements()["charge.amount"] == ("matched", None)
